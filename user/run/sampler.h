// SPDX-License-Identifier: BSD-2-Clause
// Which moments of a run are looked at, and what is kept of them. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "run/memory_counters.h"
#include "run/run_record.h"

namespace oomwitness {

class Sampler {
 public:
  // Of a run that goes on and on, two samples become one, the higher, when there are so many; from
  // then on the next one comes after twice the time.
  static constexpr std::size_t kMaxSamples = 1200;

  // When to look next, ms since the start: after 20 ms, every 50 ms in the first second, then every
  // 100 ms.
  std::uint64_t next_ms() const { return next_ms_; }
  void add(std::uint64_t ms, const MemoryReading& reading);

  const std::vector<MemorySample>& samples() const { return samples_; }
  std::uint64_t highest_bytes() const { return highest_bytes_; }
  Opt<std::uint64_t> highest_swap_bytes() const { return highest_swap_bytes_; }

 private:
  void halve();

  std::vector<MemorySample> samples_;
  std::uint64_t stretch_ = 1;
  std::uint64_t next_ms_ = 20;
  std::uint64_t highest_bytes_ = 0;
  Opt<std::uint64_t> highest_swap_bytes_;
};

}  // namespace oomwitness
