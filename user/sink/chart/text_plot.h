// SPDX-License-Identifier: BSD-2-Clause
// Small plots for a terminal: block characters, or '#' where only ASCII is shown. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sink/chart/ticks.h"

namespace oomwitness {

struct TextPlot {
  std::vector<std::pair<double, double>> points;  // time in seconds, bytes; in order
  double limit_bytes = 0;                         // 0: none
  std::vector<Tick> times;
  std::size_t width = 64;  // columns of the plot, without the axis
  std::size_t height = 8;  // lines
  bool utf8 = true;
};

// Lines with a scale at the left and the times below, each ended by a newline; empty without
// points. Between points the last value stands.
std::string render(const TextPlot& plot);

// One line: a column for each count, the highest full.
std::string sparkline(const std::vector<std::uint64_t>& counts, bool utf8);

// "#####..   " of `width` columns for a share from 0 to 1.
std::string bar(double share, std::size_t width, bool utf8);

}  // namespace oomwitness
