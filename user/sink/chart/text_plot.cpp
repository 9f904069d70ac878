// SPDX-License-Identifier: BSD-2-Clause
#include "sink/chart/text_plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

#include "support/text.h"

namespace oomwitness {
namespace {

constexpr std::array<std::string_view, 9> kEighths{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

// A cell filled from below by a share from 0 to 1.
std::string_view cell(double filled, bool utf8) {
  if (!utf8) return filled >= 0.5 ? "#" : " ";
  return kEighths.at(static_cast<std::size_t>(std::lround(std::clamp(filled, 0.0, 1.0) * 8)));
}

// The highest value of each column's stretch of time.
std::vector<double> columns_of(const TextPlot& plot, double from, double to) {
  std::vector<double> columns(plot.width, 0);
  std::size_t next = 0;
  double last = plot.points.front().second;
  for (std::size_t i = 0; i < plot.width; ++i) {
    const double end = i + 1 == plot.width ? to
                                           : from + (to - from) * static_cast<double>(i + 1) /
                                                        static_cast<double>(plot.width);
    double most = last;
    for (; next < plot.points.size() && plot.points[next].first <= end; ++next) {
      last = plot.points[next].second;
      most = std::max(most, last);
    }
    columns[i] = most;
  }
  return columns;
}

std::string axis_of(const TextPlot& plot, double from, double to, std::size_t margin) {
  std::string axis(margin + plot.width + 1, ' ');
  for (const Tick& tick : plot.times) {
    if (tick.at < from || tick.at > to || tick.label.size() >= axis.size()) continue;
    const double share = to > from ? (tick.at - from) / (to - from) : 1;
    auto at =
        margin + static_cast<std::size_t>(std::lround(share * static_cast<double>(plot.width - 1)));
    at = std::min(at, axis.size() - tick.label.size());
    if (at > 0 && axis[at - 1] != ' ') continue;  // no room: the one before it stands
    if (axis.substr(at, tick.label.size()).find_first_not_of(' ') != std::string::npos) continue;
    axis.replace(at, tick.label.size(), tick.label);
  }
  axis.erase(axis.find_last_not_of(' ') + 1);
  return axis + "\n";
}

}  // namespace

std::string render(const TextPlot& plot) {
  if (plot.points.empty() || plot.width < 8 || plot.height < 2) return "";
  const double from = plot.points.front().first;
  const double to = plot.points.back().first;
  const std::vector<double> columns = columns_of(plot, from, to);
  constexpr double kMost = 9e18;  // whole bytes in 64 bits
  const double most = std::min(
      kMost, std::max({*std::max_element(columns.begin(), columns.end()), plot.limit_bytes, 1.0}));
  constexpr std::size_t kMargin = 11;
  std::string out;
  for (std::size_t row = plot.height; row-- > 0;) {
    const double low = most * static_cast<double>(row) / static_cast<double>(plot.height);
    const double high = most * static_cast<double>(row + 1) / static_cast<double>(plot.height);
    const bool named = row + 1 == plot.height || row + 1 == plot.height / 2;
    const std::string scale = named ? human_size(static_cast<std::uint64_t>(high)) : "";
    out += fmt::format("{:>{}} {}", scale, kMargin - 2, plot.utf8 ? "│" : "|");
    std::string line;
    for (const double value : columns) line += cell((value - low) / (high - low), plot.utf8);
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out + axis_of(plot, from, to, kMargin);
}

std::string sparkline(const std::vector<std::uint64_t>& counts, bool utf8) {
  std::uint64_t most = 1;
  for (const std::uint64_t count : counts) most = std::max(most, count);
  std::string out;
  constexpr std::string_view kAscii = " .:-=+*#%";
  for (const std::uint64_t count : counts) {
    const double share = static_cast<double>(count) / static_cast<double>(most);
    // What is there is never drawn as nothing.
    const auto level =
        count == 0 ? std::size_t{0}
                   : std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(share * 8)));
    if (utf8)
      out += kEighths.at(level);
    else
      out += kAscii[level];
  }
  return out;
}

std::string bar(double share, std::size_t width, bool utf8) {
  const auto full = static_cast<std::size_t>(
      std::lround(std::clamp(share, 0.0, 1.0) * static_cast<double>(width)));
  std::string out;
  for (std::size_t i = 0; i < width; ++i) out += i < full ? (utf8 ? "█" : "#") : (utf8 ? "░" : ".");
  return out;
}

}  // namespace oomwitness
