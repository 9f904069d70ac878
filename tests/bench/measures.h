// SPDX-License-Identifier: BSD-2-Clause
// The measures that take one call each. docs/benchmarks.md says what they mean.
#pragma once

#include <nlohmann/json.hpp>

#include "child.h"

namespace oomwitness::bench {

// From exec to the line that says that all hooks are attached, in turn with the peer.
nlohmann::json measure_startup(const Tools& tools, int rounds);

// Kills as fast as they go: is every one an incident with argv and cgroup, and none lost?
nlohmann::json measure_storm(const Tools& tools, int kills);

// One kill of a cgroup with memory.oom.group; version 2 only.
nlohmann::json measure_group(const Tools& tools, int members);

// The wall time of `kills` kills with and without the tracer, in turn.
nlohmann::json measure_overhead(const Tools& tools, int rounds, int kills);

// From the exit of an incident's last victim to its JSON line, one kill at a time.
nlohmann::json measure_latency(const Tools& tools, int kills);

// One kill among `processes` idle ones, with and without the tracer, in turn.
nlohmann::json measure_candidates(const Tools& tools, int processes, int rounds);

}  // namespace oomwitness::bench
