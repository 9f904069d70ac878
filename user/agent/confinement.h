// SPDX-License-Identifier: BSD-2-Clause
// Rights that the agent gives up when its BPF programs are loaded.
#pragma once

#include "support/result.h"

namespace oomwitness {

// Keeps, of the capabilities that the process has, those that reading needs: CAP_BPF (counters of
// lost records, before 5.19), CAP_SYSLOG (the kernel's log and its addresses), CAP_SYS_PTRACE
// (executables of other users), CAP_DAC_READ_SEARCH (state of container runtimes). Of the calling
// thread, and of those that it makes.
Status drop_capabilities();

// No system call but those that the agent and its exporters make: no program is started, no process
// forked, no BPF program loaded, nothing mounted or traced. Others fail with EPERM. For all
// threads.
Status confine_system_calls();

}  // namespace oomwitness
