// SPDX-License-Identifier: BSD-2-Clause
#include "run/sampler.h"

#include <algorithm>

namespace oomwitness {

void Sampler::add(std::uint64_t ms, const MemoryReading& reading) {
  constexpr std::uint64_t kSoon = 1000;
  constexpr std::uint64_t kShort = 50;
  constexpr std::uint64_t kLong = 100;
  next_ms_ = ms + (ms < kSoon ? kShort : kLong) * stretch_;
  if (!reading.usage_bytes) return;
  highest_bytes_ = std::max(highest_bytes_, *reading.usage_bytes);
  if (reading.swap_bytes)
    highest_swap_bytes_ = std::max(highest_swap_bytes_.value_or(0), *reading.swap_bytes);
  samples_.push_back(
      {.ms = ms, .usage_bytes = *reading.usage_bytes, .swap_bytes = reading.swap_bytes});
  if (samples_.size() >= kMaxSamples) halve();
}

void Sampler::halve() {
  std::vector<MemorySample> half;
  for (std::size_t at = 0; at + 1 < samples_.size(); at += 2) {
    const MemorySample& one = samples_[at];
    const MemorySample& two = samples_[at + 1];
    half.push_back(one.usage_bytes > two.usage_bytes ? one : two);
  }
  if (samples_.size() % 2 == 1) half.push_back(samples_.back());
  samples_ = std::move(half);
  stretch_ *= 2;
}

}  // namespace oomwitness
