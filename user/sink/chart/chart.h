// SPDX-License-Identifier: BSD-2-Clause
// Charts as plain SVG: lines over time, one stacked bar, columns. Pure. Each has a title and a
// description that says in words what it shows; colours and sizes are the style sheet's, by class.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sink/chart/markup.h"
#include "sink/chart/ticks.h"

namespace oomwitness {

// What stands for the picture: for screen readers, and to name it.
struct Caption {
  std::string id;  // unique in the page: letters, digits, hyphens
  std::string title;
  std::string description;
};

struct Curve {
  std::string name;
  std::vector<std::pair<double, double>> points;  // time in seconds, bytes; in order
  std::size_t colour = 0;                         // as colour_class() takes it
};
// A limit: a horizontal line.
struct Level {
  std::string name;
  double bytes = 0;
};
// A moment: a vertical line.
struct Mark {
  std::string name;
  double at_s = 0;
};

struct LineChart {
  Caption caption;
  std::vector<Curve> curves;  // the first kMostCurves are drawn
  std::vector<Level> levels;
  std::vector<Mark> marks;
  std::vector<Tick> times;        // of the axis, in the curves' seconds
  std::size_t most_points = 240;  // of a curve; more are thinned, peaks are kept
};
inline constexpr std::size_t kMostCurves = 6;

struct Part {
  std::string name;
  std::uint64_t bytes = 0;
  std::size_t colour = 0;  // as colour_class() takes it
};
struct StackedBar {
  Caption caption;
  std::vector<Part> parts;
  std::uint64_t whole = 0;  // bytes; what the parts leave of it stays empty
};

struct Columns {
  Caption caption;
  std::vector<std::uint64_t> counts;
  std::vector<std::string> names;  // one for each count, as its tooltip
  std::vector<Tick> ticks;         // `at` in columns, from 0 to their number
};

void draw(Markup& out, const LineChart& chart);
void draw(Markup& out, const StackedBar& chart);
void draw(Markup& out, const Columns& chart);

// The class that colours the n-th curve or part, in the chart and in a legend.
std::string colour_class(std::size_t n);

// At most `most` (from 4 on) of the points, the first and the last among them; of each stretch its
// lowest and its highest.
std::vector<std::pair<double, double>> thinned(const std::vector<std::pair<double, double>>& points,
                                               std::size_t most);

}  // namespace oomwitness
