// SPDX-License-Identifier: BSD-2-Clause
#include "sink/chart/chart.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "support/text.h"

namespace oomwitness {
namespace {

constexpr double kWidth = 640;
constexpr double kAxis = 26;  // room for the labels of the axis below

// Tenths are enough on any screen; fewer digits, a smaller page.
std::string number(double value) {
  const double tenths = std::round(value * 10) / 10;
  return fmt::format("{:g}", tenths);
}

void open_svg(Markup& out, const Caption& caption, double height) {
  const std::string title = caption.id + "-t";
  const std::string description = caption.id + "-d";
  out.open("svg", {{"viewBox", fmt::format("0 0 {} {}", kWidth, height)},
                   {"role", "img"},
                   {"aria-labelledby", title + " " + description}});
  out.element("title", caption.title, {{"id", title}});
  out.element("desc", caption.description, {{"id", description}});
}

void line(Markup& out, Constant kind, double x1, double y1, double x2, double y2) {
  out.empty("line", {{"class", kind.view()},
                     {"x1", number(x1)},
                     {"y1", number(y1)},
                     {"x2", number(x2)},
                     {"y2", number(y2)}});
}

// Labels at the edges lean inwards.
const char* anchor(double x) {
  return x < kWidth * 0.06 ? "start" : x > kWidth * 0.94 ? "end" : "middle";
}

void label(Markup& out, double x, double y, const char* where, std::string_view words,
           std::string_view kind = "tick") {
  out.element("text", words,
              {{"class", kind}, {"x", number(x)}, {"y", number(y)}, {"text-anchor", where}});
}

// The plane of a chart with two axes.
struct Plane {
  double from = 0;
  double to = 1;
  double most = 1;
  double top = 18;
  double bottom = 230;

  double x(double at) const { return to > from ? kWidth * (at - from) / (to - from) : kWidth; }
  double y(double value) const {
    return bottom - (bottom - top) * std::clamp(value / most, 0.0, 1.0);
  }
};

Plane plane_of(const LineChart& chart) {
  Plane plane;
  double most = 1;
  bool any = false;
  for (const Curve& curve : chart.curves) {
    if (curve.points.empty()) continue;
    const double first = curve.points.front().first;
    const double last = curve.points.back().first;
    plane.from = any ? std::min(plane.from, first) : first;
    plane.to = any ? std::max(plane.to, last) : last;
    any = true;
    for (const auto& point : curve.points) most = std::max(most, point.second);
  }
  for (const Mark& mark : chart.marks) {
    plane.from = std::min(plane.from, mark.at_s);
    plane.to = std::max(plane.to, mark.at_s);
  }
  for (const Level& level : chart.levels) most = std::max(most, level.bytes);
  constexpr double kHeadroom = 1.06;
  plane.most = most * kHeadroom;
  return plane;
}

void draw_axes(Markup& out, const LineChart& chart, const Plane& plane) {
  constexpr std::size_t kByteTicks = 5;
  for (const Tick& tick : byte_ticks(plane.most, kByteTicks)) {
    line(out, "grid", 0, plane.y(tick.at), kWidth, plane.y(tick.at));
    if (tick.at > 0) label(out, 2, plane.y(tick.at) - 4, "start", tick.label);
  }
  for (const Tick& tick : chart.times) {
    const double x = plane.x(tick.at);
    if (x < -1 || x > kWidth + 1) continue;
    line(out, "grid", x, plane.bottom, x, plane.bottom + 5);
    label(out, x, plane.bottom + kAxis - 6, anchor(x), tick.label);
  }
}

// Relative moves with one decimal: a third of the size of absolute ones.
std::string path_of(const Curve& curve, const Plane& plane, std::size_t most_points) {
  std::string path;
  double at_x = 0;
  double at_y = 0;
  for (const auto& [time, bytes] : thinned(curve.points, most_points)) {
    const double x = std::round(plane.x(time) * 10) / 10;
    const double y = std::round(plane.y(bytes) * 10) / 10;
    if (path.empty())
      path = "M" + number(x) + " " + number(y);
    else
      path += "l" + number(x - at_x) + " " + number(y - at_y);
    at_x = x;
    at_y = y;
  }
  return path;
}

double height_of(const Plane& plane) {
  return plane.bottom + kAxis;
}

}  // namespace

std::string colour_class(std::size_t n) {
  return "c" + std::to_string(n % 8);
}

std::vector<std::pair<double, double>> thinned(const std::vector<std::pair<double, double>>& points,
                                               std::size_t most) {
  most = std::max<std::size_t>(most, 4);
  if (points.size() <= most) return points;
  std::vector<std::pair<double, double>> kept{points.front()};
  const std::size_t stretches = (most - 2) / 2;
  const std::size_t inner = points.size() - 2;
  for (std::size_t i = 0; i < stretches; ++i) {
    const auto begin = points.begin() + 1 + static_cast<std::ptrdiff_t>(inner * i / stretches);
    const auto end = points.begin() + 1 + static_cast<std::ptrdiff_t>(inner * (i + 1) / stretches);
    auto [low, high] = std::minmax_element(
        begin, end, [](const auto& a, const auto& b) { return a.second < b.second; });
    if (high < low) std::swap(low, high);
    kept.push_back(*low);
    if (high != low) kept.push_back(*high);
  }
  kept.push_back(points.back());
  return kept;
}

void draw(Markup& out, const LineChart& chart) {
  const Plane plane = plane_of(chart);
  open_svg(out, chart.caption, height_of(plane));
  draw_axes(out, chart, plane);
  for (std::size_t i = 0; i < std::min(chart.curves.size(), kMostCurves); ++i)
    out.empty("path", {{"class", "curve " + colour_class(chart.curves[i].colour)},
                       {"d", path_of(chart.curves[i], plane, chart.most_points)}});
  for (const Level& level : chart.levels) {
    line(out, "limit", 0, plane.y(level.bytes), kWidth, plane.y(level.bytes));
    label(out, kWidth - 4, plane.y(level.bytes) - 4, "end", level.name, "limit-name");
  }
  for (const Mark& mark : chart.marks) {
    const double x = std::clamp(plane.x(mark.at_s), 1.0, kWidth - 1);
    line(out, "kill", x, plane.top - 12, x, plane.bottom);
  }
  out.close();
}

void draw(Markup& out, const StackedBar& chart) {
  constexpr double kHeight = 34;
  double sum = 0;
  for (const Part& part : chart.parts) sum += static_cast<double>(part.bytes);
  const double whole = std::max({sum, static_cast<double>(chart.whole), 1.0});
  open_svg(out, chart.caption, kHeight);
  out.empty("rect", {{"class", "rest"},
                     {"x", "0"},
                     {"y", "0"},
                     {"width", number(kWidth)},
                     {"height", number(kHeight)}});
  double x = 0;
  for (const Part& part : chart.parts) {
    const double width = kWidth * static_cast<double>(part.bytes) / whole;
    if (width >= 0.05) {
      out.open("rect", {{"class", "part " + colour_class(part.colour)},
                        {"x", number(x)},
                        {"y", "0"},
                        {"width", number(width)},
                        {"height", number(kHeight)}});
      out.element("title", part.name + ": " + human_size(part.bytes));
      out.close();
    }
    x += width;
  }
  out.close();
}

void draw(Markup& out, const Columns& chart) {
  constexpr double kTop = 18;
  constexpr double kBottom = 130;
  open_svg(out, chart.caption, kBottom + kAxis);
  std::uint64_t most = 1;
  for (const std::uint64_t count : chart.counts) most = std::max(most, count);
  const auto y = [&](double count) {
    return kBottom - (kBottom - kTop) * count / static_cast<double>(most);
  };
  const std::vector<Tick> counts = count_ticks(static_cast<double>(most), 4);
  for (const Tick& tick : counts) line(out, "grid", 0, y(tick.at), kWidth, y(tick.at));
  const double step = kWidth / static_cast<double>(std::max<std::size_t>(chart.counts.size(), 1));
  for (std::size_t i = 0; i < chart.counts.size(); ++i) {
    if (chart.counts[i] == 0) continue;
    const double top = y(static_cast<double>(chart.counts[i]));
    // At least 2 wide, so that one kill in a year is seen.
    out.open("rect", {{"class", "column"},
                      {"x", number(static_cast<double>(i) * step + step * 0.08)},
                      {"y", number(top)},
                      {"width", number(std::max(step * 0.84, 2.0))},
                      {"height", number(kBottom - top)}});
    if (i < chart.names.size()) out.element("title", chart.names[i]);
    out.close();
  }
  for (const Tick& tick : counts)
    if (tick.at > 0) label(out, 2, y(tick.at) - 4, "start", tick.label);
  for (const Tick& tick : chart.ticks) {
    const double x = tick.at * step;
    line(out, "grid", x, kBottom, x, kBottom + 5);
    label(out, x, kBottom + kAxis - 6, anchor(x), tick.label);
  }
  out.close();
}

}  // namespace oomwitness
