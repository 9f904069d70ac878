// SPDX-License-Identifier: BSD-2-Clause
// From the command's start to its end: signals passed on, memory sampled, the time limit kept.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "run/box.h"
#include "run/child.h"
#include "run/passed_signals.h"
#include "run/sampler.h"

namespace oomwitness {

struct TimeLimit {
  std::chrono::nanoseconds after{};
  // What SIGTERM does not end in this time, SIGKILL ends.
  std::chrono::nanoseconds grace = std::chrono::seconds(10);
};

struct Course {
  int wait_status = 0;
  std::uint64_t wall_ns = 0;
  std::uint64_t user_ns = 0;
  std::uint64_t system_ns = 0;
  bool timed_out = false;
  std::optional<int> passed_signal;  // the last that asks to end
  Sampler sampler;
  // When the counter of kills was seen to rise, ms since the start, and to how many.
  struct Rise {
    std::uint64_t ms = 0;
    std::uint64_t kills = 0;
  };
  std::vector<Rise> rises;
};

// `box`: null where no memory cgroup is to be seen. `kills_before`: the counter at the start.
// Reaps every child that ends meanwhile. The command runs already.
// `began_ns`: CLOCK_MONOTONIC, when it was told to run.
Course supervise(const Child& child, Box* box, std::uint64_t began_ns, std::uint64_t kills_before,
                 const PassedSignals& signals, bool own_group,
                 const std::optional<TimeLimit>& time_limit);

}  // namespace oomwitness
