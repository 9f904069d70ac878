// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>

#include "kills.h"
#include "measures.h"
#include "statistics.h"

namespace oomwitness::bench {
namespace {

using nlohmann::json;

struct Samples {
  std::vector<double> exit_to_line_ms;
  std::vector<double> mark_to_exit_ms;
  std::int64_t without_times = 0;
};

void add(Samples& samples, const Line& line) {
  const json incident = json::parse(line.text, nullptr, false);
  if (incident.is_discarded() || incident.value("revision", 0) > 0) return;
  std::int64_t exited = 0;
  std::int64_t marked = 0;
  for (const json& victim : incident.at("victims")) {
    const json timeline = victim.value("timeline", json::object());
    exited = std::max(exited, timeline.value("exited_ns", std::int64_t{0}));
    marked = std::max(marked, timeline.value("marked_ns", std::int64_t{0}));
  }
  if (exited == 0 || marked == 0) {
    ++samples.without_times;
    return;
  }
  samples.exit_to_line_ms.push_back(static_cast<double>(line.arrived_ns - exited) / 1e6);
  samples.mark_to_exit_ms.push_back(static_cast<double>(exited - marked) / 1e6);
}

}  // namespace

json measure_latency(const Tools& tools, int kills) {
  const Cgroup cgroup("bench-latency");
  cgroup.limit(8 * kMiB);
  Tracing tracing(tools, cgroup.path());
  LineReader reader(tracing.child().out());
  for (int i = 0; i < kills; ++i) {
    kill_one(cgroup, i);
    if (!reader.wait_for(static_cast<std::size_t>(i) + 1, 30)) break;
  }
  tracing.child().stop();
  Samples samples;
  for (const Line& line : reader.rest()) add(samples, line);
  return {{"kills", kills},
          {"without_times", samples.without_times},
          {"exit_to_line_ms", summary(samples.exit_to_line_ms)},
          {"mark_to_exit_ms", summary(samples.mark_to_exit_ms)}};
}

}  // namespace oomwitness::bench
