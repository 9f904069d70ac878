// SPDX-License-Identifier: BSD-2-Clause
#include "agent/recorder/samples.h"

#include <algorithm>
#include <limits>

namespace oomwitness {
namespace {

constexpr std::uint64_t kUnit = 4096;

}  // namespace

Samples::Samples(Size size)
    : size_(size),
      times_(size.slow + size.fast),
      host_(size.slow + size.fast),
      cells_(size.series * (size.slow + size.fast)) {}

void Samples::begin(Pace pace, std::uint64_t monotonic_ns, const HostFigures& host) {
  if (pace == Pace::kSlow) {
    current_ = slow_next_;
    slow_next_ = (slow_next_ + 1) % size_.slow;
  } else {
    current_ = size_.slow + fast_next_;
    fast_next_ = (fast_next_ + 1) % size_.fast;
  }
  times_[current_] = monotonic_ns;
  host_[current_] = host;
  for (std::size_t series = 0; series < size_.series; ++series)
    cells_[series * moments() + current_] = 0;
}

void Samples::put(std::size_t series, std::uint64_t bytes) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max() - 1;
  cells_[series * moments() + current_] =
      static_cast<std::uint32_t>(1 + std::min(bytes / kUnit, kMost));
}

void Samples::clear(std::size_t series) {
  const auto begin = cells_.begin() + static_cast<std::ptrdiff_t>(series * moments());
  std::fill(begin, begin + static_cast<std::ptrdiff_t>(moments()), 0U);
}

std::vector<std::size_t> Samples::in_order() const {
  std::vector<std::size_t> order;
  for (std::size_t moment = 0; moment < times_.size(); ++moment)
    if (times_[moment] != 0) order.push_back(moment);
  std::sort(order.begin(), order.end(),
            [this](std::size_t a, std::size_t b) { return times_[a] < times_[b]; });
  return order;
}

std::optional<std::uint64_t> Samples::at(std::size_t series, std::size_t moment) const {
  const std::uint32_t cell = cells_[series * moments() + moment];
  if (cell == 0) return std::nullopt;
  return std::uint64_t{cell - 1} * kUnit;
}

}  // namespace oomwitness
