// SPDX-License-Identifier: BSD-2-Clause
// Numbers out of samples, and the clock they are taken with.
#pragma once

#include <cstdint>
#include <vector>

#include <nlohmann/json.hpp>

namespace oomwitness::bench {

// CLOCK_MONOTONIC, the clock of the tracer's own times.
std::int64_t now_ns();

// The smallest sample that at least `percent` of all are not above (nearest rank); 0 of none.
double percentile(std::vector<double> samples, double percent);
double median(const std::vector<double>& samples);

// {"n", "min", "p50", "p99", "max"} and, when `all`, the samples in the order they were taken.
nlohmann::json summary(const std::vector<double>& samples, bool all = false);

// The median over rounds of with[i] / without[i].
double median_ratio(const std::vector<double>& with, const std::vector<double>& without);

}  // namespace oomwitness::bench
