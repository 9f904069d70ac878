// SPDX-License-Identifier: BSD-2-Clause
// What a report says of the machine it was written on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "incident/incident.h"

namespace oomwitness {

// The release in what follows the comm of a "CPU: 0 PID: 1 Comm: x" line: "Not
// tainted 6.1.0-28-amd64 #1 SMP", "Kdump: loaded Tainted: G        W  OE     4.4.0 #1", "Tainted:
// P 3.13.0". Empty: it is not there.
std::string_view release_of(std::string_view after_comm);

// uname -m, where the release ends with it ("4.18.0-553.el8.x86_64", "6.1.0-28-amd64"). Empty: not
// told.
std::string_view arch_of_release(std::string_view release);

// uname -m, where a line of registers or a function of the call trace can be of no other. Empty:
// most.
std::string_view arch_of_registers(std::string_view text);
std::string_view arch_of_symbol(std::string_view name);

// The only page size that kernels of this machine have; absent where there are several (arm64,
// ppc64, ia64, mips, ...) or the machine is not known.
Opt<std::uint64_t> page_size_of_arch(std::string_view arch);

}  // namespace oomwitness
