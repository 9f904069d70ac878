// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace oomwitness {

// oom_kill of /proc/vmstat: how often __oom_kill_process (mm/oom_kill.c) was called since boot, for
// the host and for cgroups alike. Absent before 4.13 (8e675f7af507), or where it cannot be read.
std::optional<std::uint64_t> read_kill_count(const std::string& proc);

}  // namespace oomwitness
