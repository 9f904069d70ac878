// SPDX-License-Identifier: BSD-2-Clause
// Where an axis is marked, and how. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace oomwitness {

struct Tick {
  double at = 0;
  std::string label;
};

// From 0 to at most `most`, in steps of a power of two: memory is sized in these.
std::vector<Tick> byte_ticks(double most, std::size_t at_most);
// The same for counts, in steps of 1, 2 or 5.
std::vector<Tick> count_ticks(double most, std::size_t at_most);
// Seconds before a kill, which is at 0: from `from_s` (negative) on, "-2 min".
std::vector<Tick> before_ticks(double from_s, std::size_t at_most);
// Seconds since a start, from 0 on: "30 s", "5 min".
std::vector<Tick> elapsed_ticks(double to_s, std::size_t at_most);
// Wall-clock times in UTC between two of them, in nanoseconds since 1970: `at` is seconds after
// `from_unix_ns`. Labels have as much of the date as the range needs.
std::vector<Tick> wall_ticks(std::int64_t from_unix_ns, std::int64_t to_unix_ns,
                             std::size_t at_most);

}  // namespace oomwitness
