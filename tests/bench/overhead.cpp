// SPDX-License-Identifier: BSD-2-Clause
#include "idle.h"
#include "kills.h"
#include "measures.h"
#include "statistics.h"

namespace oomwitness::bench {
namespace {

using nlohmann::json;

double time_kills(const Cgroup& cgroup, int kills) {
  const std::int64_t began = now_ns();
  for (int i = 0; i < kills; ++i) kill_one(cgroup, i);
  return static_cast<double>(now_ns() - began) / 1e6;
}

}  // namespace

json measure_overhead(const Tools& tools, int rounds, int kills) {
  const Cgroup cgroup("bench-overhead");
  cgroup.limit(8 * kMiB);
  std::vector<double> with;
  std::vector<double> without;
  std::vector<double> tracer_cpu;
  time_kills(cgroup, kills / 4);
  for (int round = 0; round < rounds; ++round) {
    without.push_back(time_kills(cgroup, kills));
    Tracing tracing(tools);
    LineReader reader(tracing.child().out());
    const std::int64_t at_rest = cpu_ns(tracing.child().pid());
    with.push_back(time_kills(cgroup, kills));
    tracer_cpu.push_back(static_cast<double>(cpu_ns(tracing.child().pid()) - at_rest) / 1e6);
    tracing.child().stop();
  }
  return {{"kills", kills},
          {"with_ms", summary(with, true)},
          {"without_ms", summary(without, true)},
          {"tracer_cpu_ms", summary(tracer_cpu)},
          {"ratio_of_medians", median(with) / median(without)},
          {"median_ratio", median_ratio(with, without)}};
}

}  // namespace oomwitness::bench
