// SPDX-License-Identifier: BSD-2-Clause
// What a process does and holds while nothing happens, from /proc.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include <nlohmann/json.hpp>

#include "child.h"

namespace oomwitness::bench {

// Summed over the threads that are there.
struct Activity {
  std::int64_t threads = 0;
  std::int64_t voluntary_switches = 0;
  std::int64_t involuntary_switches = 0;
  std::int64_t ticks = 0;  // utime + stime, of _SC_CLK_TCK a second
  bool operator==(const Activity&) const = default;
};
Activity activity_of(pid_t pid);

// What its threads have run, by the scheduler's own clock (/proc/PID/task/TID/schedstat).
std::int64_t cpu_ns(pid_t pid);

// Memory of both tracers at rest, then what they do in `seconds` of nothing.
nlohmann::json measure_idle(const Tools& tools, int seconds);

}  // namespace oomwitness::bench
