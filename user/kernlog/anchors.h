// SPDX-License-Identifier: BSD-2-Clause
// What a prefilter looks for in a log too large to read line by line.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace oomwitness {

// Each line that tells a LogReader of a kill holds one of these: "X invoked oom-killer: ",
// "oom-kill:constraint=", "Out of memory: Killed process 1 (x)", "Memory cgroup out of memory:
// ...", "Out of Memory: Kill process 1" (before 2.6.18), "Killed process 1 (x)", "Task in /a killed
// as a result of limit of /b", "Tasks in /a are going to be killed due to memory.oom.group set",
// "Out of memory and no killable processes", "Kernel panic - not syncing: Out of memory". Each
// line that can add to a report which has its outcome holds one too: "oom_reaper: reaped process".
inline constexpr std::array<std::string_view, 11> kAnchors = {
    "oom-kill", "ut of memory", "ut of Memory", "illed process ", "memory.oom.group",
    "as a result of limit of", "oom_reaper",
    // the user-space killers, by their names: "systemd-oomd", "oomd kill: "
    "oomd", "earlyoom", "nohang", "lowmemorykiller"};

// Bytes before an anchor's line that a report without its head may need: the end of its table and
// of its statistics. With less, only those are less complete.
inline constexpr std::size_t kAnchorContextBytes = 16384;

}  // namespace oomwitness
