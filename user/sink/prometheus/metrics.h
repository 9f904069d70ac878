// SPDX-License-Identifier: BSD-2-Clause
// The page that Prometheus scrapes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sink/prometheus/kill_counts.h"

namespace oomwitness {

// How the agent itself is doing, as of a scrape. What is absent has no metric.
struct AgentFigures {
  struct ExporterFigures {
    std::string name;
    std::uint64_t sent = 0;
    std::uint64_t failed = 0;
    std::uint64_t rejected = 0;
    std::int64_t behind = 0;
  };
  std::string version;
  double start_unix_s = 0;
  // Since the boot: what the kernel counts (oom_kill of /proc/vmstat), and kernel kills described.
  Opt<std::uint64_t> kernel_kills;
  Opt<std::uint64_t> described_kills;
  Opt<std::uint64_t> lost_events;  // records the kernel had no room for, since the agent began
  Opt<std::uint64_t> store_bytes;
  Opt<std::uint64_t> store_incidents;
  std::vector<ExporterFigures> exporters;
};

// Prometheus' text format, version 0.0.4.
std::string metrics_page(const KillCounts& counts, const AgentFigures& figures);

}  // namespace oomwitness
