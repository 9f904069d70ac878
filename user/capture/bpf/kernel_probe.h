// SPDX-License-Identifier: BSD-2-Clause
// Questions to the running kernel that need no BPF program.
#pragma once

#include <string>

#include "capture/hook_plan.h"

namespace oomwitness {

// Where the running kernel shows its types.
inline constexpr const char* kKernelBtf = "/sys/kernel/btf/vmlinux";

KernelFacts probe_kernel();

// KernelFacts::badness_is_split where that is not known: a pass over /proc/kallsyms, some 50 ms.
bool badness_is_split_by_symbols();

// Why BPF may have been refused and what to do, in a sentence or two.
std::string refusal_hint(int err);

}  // namespace oomwitness
