// SPDX-License-Identifier: BSD-2-Clause
#include "statistics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <ctime>

namespace oomwitness::bench {

std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

double percentile(std::vector<double> samples, double percent) {
  if (samples.empty()) return 0;
  std::sort(samples.begin(), samples.end());
  const double rank = std::ceil(percent / 100 * static_cast<double>(samples.size()));
  const auto index = static_cast<std::size_t>(std::max(rank, 1.0)) - 1;
  return samples[std::min(index, samples.size() - 1)];
}

double median(const std::vector<double>& samples) {
  std::vector<double> sorted = samples;
  std::sort(sorted.begin(), sorted.end());
  const std::size_t half = sorted.size() / 2;
  if (sorted.empty()) return 0;
  return sorted.size() % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

nlohmann::json summary(const std::vector<double>& samples, bool all) {
  nlohmann::json out = {{"n", samples.size()},
                        {"min", percentile(samples, 0)},
                        {"p50", median(samples)},
                        {"p99", percentile(samples, 99)},
                        {"max", percentile(samples, 100)}};
  if (all) out["samples"] = samples;
  return out;
}

double median_ratio(const std::vector<double>& with, const std::vector<double>& without) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < std::min(with.size(), without.size()); ++i)
    ratios.push_back(with[i] / without[i]);
  return median(ratios);
}

}  // namespace oomwitness::bench
