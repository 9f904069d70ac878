// SPDX-License-Identifier: BSD-2-Clause
// Kernel records carry pids of the initial pid namespace; a procfs mount shows those of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "assemble/observation.h"
#include "enrich/roots.h"
#include "support/result.h"

namespace oomwitness {

// The inode of the initial pid namespace: PROC_PID_INIT_INO, include/linux/proc_ns.h.
inline constexpr std::uint32_t kInitialPidNs = 0xEFFFFFFC;

// "pid:[4026531836]" -> 4026531836.
Result<std::uint32_t> parse_ns_link(std::string_view link);

// The pid namespace that the procfs mount of `roots` numbers its processes in.
Result<std::uint32_t> proc_pid_ns(const Roots& roots);

// True when that is known to be the initial one.
bool proc_is_initial_pid_ns(const Roots& roots);

// The pid under which that procfs shows the process, or why it cannot be known. `ns_pids`:
// innermost first, as the kernel gave them; may be empty (then only the initial namespace will do).
Result<std::uint32_t> pid_in_proc(const Result<std::uint32_t>& proc_ns, std::uint32_t host_pid,
                                  const std::vector<NsPid>& ns_pids);

}  // namespace oomwitness
