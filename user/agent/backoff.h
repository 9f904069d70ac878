// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>

namespace oomwitness {

struct BackoffLimits {
  std::chrono::nanoseconds first = std::chrono::seconds(1);
  std::chrono::nanoseconds longest = std::chrono::minutes(5);

  bool operator==(const BackoffLimits&) const = default;
};

// How long to wait after each failure in a row: twice as long every time, up to a limit, less a
// random part of up to half, so that a fleet does not come back as one.
class Backoff {
 public:
  // `random`: uniform in [0, 1).
  Backoff(BackoffLimits limits, std::function<double()> random)
      : limits_(limits), random_(std::move(random)), next_(limits.first) {}

  std::chrono::nanoseconds after_failure() {
    const std::chrono::nanoseconds whole = next_;
    next_ = std::min(next_ * 2, limits_.longest);
    const double kept = 1.0 - random_() / 2;
    return std::chrono::nanoseconds(
        static_cast<std::chrono::nanoseconds::rep>(static_cast<double>(whole.count()) * kept));
  }
  void after_success() { next_ = limits_.first; }

 private:
  BackoffLimits limits_;
  std::function<double()> random_;
  std::chrono::nanoseconds next_;
};

}  // namespace oomwitness
