// SPDX-License-Identifier: BSD-2-Clause
// The page that Prometheus scrapes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sink/prometheus/kill_counts.h"

namespace oomwitness {

// How the agent itself is doing, as of a scrape. What is absent has no metric.
struct MetricsFigures {
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
  // Since the agent started.
  Opt<std::uint64_t> cgroup_undescribed;  // counted by cgroups of described kills
  Opt<std::uint64_t> lost_events;         // records lost between the kernel and us
  Opt<std::uint64_t> log_lost;            // messages of the kernel's log overwritten unread
  Opt<std::uint64_t> log_only;            // kills that the hooks missed and the log told of
  Opt<std::uint64_t> earlier_boots;       // kills of earlier boots that the journal told of
  Opt<std::uint64_t> stored;              // writes
  Opt<std::uint64_t> write_failures;
  Opt<std::uint64_t> given_up;  // incidents that could not be written and had to go
  Opt<std::uint64_t> removed;   // by age or size
  Opt<std::uint64_t> removed_unsent;
  Opt<std::uint64_t> waiting;  // incidents in memory, to be written
  Opt<std::uint64_t> store_bytes;
  std::vector<ExporterFigures> exporters;
};

// Prometheus' text format, version 0.0.4.
std::string metrics_page(const KillCounts& counts, const MetricsFigures& figures);

}  // namespace oomwitness
