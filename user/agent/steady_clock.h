// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <optional>

namespace oomwitness {

// The wall clock, once it can be trusted to say what is old: a host may start with a clock that is
// years off, and whoever sets it forward must not empty the store. Pure.
class SteadyClock {
 public:
  // The time, ns since 1970, after the two clocks have agreed for an hour; absent until then, and
  // again after each jump of the wall clock by more than a minute.
  std::optional<std::int64_t> look(std::int64_t unix_ns, std::uint64_t boottime_ns) {
    constexpr std::int64_t kJump = 60'000'000'000;
    constexpr std::uint64_t kHour = 3'600'000'000'000;
    const std::int64_t difference = unix_ns - static_cast<std::int64_t>(boottime_ns);
    const bool jumped =
        !since_ || difference - difference_ > kJump || difference_ - difference > kJump;
    if (jumped) since_ = boottime_ns;
    difference_ = difference;
    if (boottime_ns - *since_ < kHour) return std::nullopt;
    return unix_ns;
  }

 private:
  std::optional<std::uint64_t> since_;
  std::int64_t difference_ = 0;
};

}  // namespace oomwitness
