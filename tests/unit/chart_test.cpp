// SPDX-License-Identifier: BSD-2-Clause
#include "sink/chart/chart.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "golden.h"
#include "sink/chart/text_plot.h"

namespace oomwitness {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr double kMib = 1024.0 * 1024;

std::vector<std::string> labels(const std::vector<Tick>& ticks) {
  std::vector<std::string> out;
  for (const Tick& tick : ticks) out.push_back(tick.label);
  return out;
}

std::string written(const auto& chart) {
  Markup page;
  draw(page, chart);
  return std::move(page).take();
}

TEST(Markup, EscapesTextAndAttributes) {
  Markup page;
  page.open("a", {{"title", "\"><script>alert('x')</script>&"}});
  page.words("<b onerror=x>&amp;");
  page.close();
  EXPECT_EQ(std::move(page).take(),
            "<a title=\"&quot;&gt;&lt;script&gt;alert('x')&lt;/script&gt;&amp;\">"
            "&lt;b onerror=x&gt;&amp;amp;</a>");
}

// NOLINTBEGIN(misc-misleading-bidirectional): it is what markup must not pass on.
TEST(Markup, ShowsBytesThatABrowserWouldObey) {
  Markup page;
  page.bytes(
      "a\x01\xe2\x80\xae"
      "b\xff<");  // a control, right-to-left override, no UTF-8
  EXPECT_EQ(std::move(page).take(), "a\\x01\\xe2\\x80\\xaeb\\xff&lt;");
}
// NOLINTEND(misc-misleading-bidirectional)

TEST(Markup, LetsNoControlByteThroughAsWords) {
  Markup page;
  page.words(std::string_view("a\0\x1b[m", 5));
  EXPECT_EQ(std::move(page).take(), "a\\x00\\x1b[m");
}

TEST(Markup, ClosesWhatIsOpen) {
  Markup page;
  page.open("p");
  page.open("b");
  EXPECT_EQ(std::move(page).take(), "<p><b></b></p>");
}

TEST(Ticks, OfBytesGoInPowersOfTwo) {
  EXPECT_THAT(labels(byte_ticks(512 * kMib, 4)),
              ElementsAre("0", "128 MiB", "256 MiB", "384 MiB", "512 MiB"));
  EXPECT_THAT(labels(byte_ticks(513 * kMib, 4)), ElementsAre("0", "256 MiB", "512 MiB"));
  EXPECT_THAT(labels(byte_ticks(0, 4)), ElementsAre("0"));
  EXPECT_THAT(byte_ticks(1.9e19, 4), Not(IsEmpty()));  // beyond 64 bits
}

TEST(Ticks, OfTimesGoInStepsOfAClock) {
  EXPECT_THAT(labels(before_ticks(-180, 4)), ElementsAre("-3 min", "-2 min", "-1 min", "kill"));
  EXPECT_THAT(labels(before_ticks(-95, 4)), ElementsAre("-1.5 min", "-1 min", "-30 s", "kill"));
  EXPECT_THAT(labels(before_ticks(-0.4, 4)),
              ElementsAre("-0.4 s", "-0.3 s", "-0.2 s", "-0.1 s", "kill"));
  EXPECT_THAT(labels(before_ticks(0, 4)), ElementsAre("kill"));
  EXPECT_THAT(labels(elapsed_ticks(70, 4)), ElementsAre("start", "30 s", "1 min"));
}

TEST(Ticks, OfCountsAreWhole) {
  EXPECT_THAT(labels(count_ticks(3, 4)), ElementsAre("0", "1", "2", "3"));
  EXPECT_THAT(labels(count_ticks(1'999, 4)), ElementsAre("0", "500", "1,000", "1,500"));
}

TEST(Ticks, OfWallClocksNameWhatTheRangeNeeds) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  constexpr std::int64_t kNoon = 1'795'435'200 * kSecond;  // 2026-11-23T12:00:00Z
  EXPECT_THAT(labels(wall_ticks(kNoon, kNoon + 60 * kSecond, 4)),
              ElementsAre("12:00:00", "12:00:15", "12:00:30", "12:00:45", "12:01:00"));
  EXPECT_THAT(labels(wall_ticks(kNoon, kNoon + 3 * 86'400 * kSecond, 4)),
              ElementsAre("2026-11-24", "2026-11-25", "2026-11-26"));
  EXPECT_THAT(labels(wall_ticks(kNoon, kNoon + 90'000 * kSecond, 4)),
              ElementsAre("11-23 12:00", "11-24 00:00", "11-24 12:00"));
  EXPECT_THAT(wall_ticks(kNoon, kNoon - 1, 4), IsEmpty());
}

TEST(Ticks, TakeTheWholeRangeOf64Bits) {
  const auto ticks = wall_ticks(-9'214'646'400'000'000'000, 9'214'646'400'000'000'000, 4);
  EXPECT_TRUE(std::is_sorted(ticks.begin(), ticks.end(),
                             [](const Tick& a, const Tick& b) { return a.at < b.at; }));
}

TEST(Thinned, KeepsEndsAndPeaks) {
  std::vector<std::pair<double, double>> points;
  for (int i = 0; i < 1'000; ++i) points.emplace_back(i, i == 500 ? 1e6 : i);
  const auto few = thinned(points, 20);
  EXPECT_LE(few.size(), 20U);
  EXPECT_EQ(few.front(), points.front());
  EXPECT_EQ(few.back(), points.back());
  EXPECT_THAT(few, testing::Contains(std::pair<double, double>(500, 1e6)));
  EXPECT_TRUE(std::is_sorted(few.begin(), few.end()));
  EXPECT_THAT(thinned(points, 2'000), SizeIs(1'000));
}

LineChart leak() {
  LineChart chart;
  chart.caption = {"x", "Memory <before> the kill", "from 10 MiB to 90 MiB"};
  chart.curves = {{"/a", {{-60, 10 * kMib}, {-30, 50 * kMib}, {0, 90 * kMib}}}};
  chart.levels = {{"limit \"96 MiB\"", 96 * kMib}};
  chart.marks = {{"kill", 0}};
  chart.times = before_ticks(-60, 4);
  return chart;
}

TEST(LineChart, IsDrawnAsRecorded) {
  expect_golden("chart/line.svg", written(leak()) + "\n");
}

TEST(LineChart, HasATitleAndADescription) {
  const std::string svg = written(leak());
  EXPECT_THAT(svg, HasSubstr("role=\"img\" aria-labelledby=\"x-t x-d\""));
  EXPECT_THAT(svg, HasSubstr("<title id=\"x-t\">Memory &lt;before&gt; the kill</title>"));
  EXPECT_THAT(svg, HasSubstr("<desc id=\"x-d\">from 10 MiB to 90 MiB</desc>"));
}

TEST(StackedBar, IsDrawnAsRecorded) {
  StackedBar bar;
  bar.caption = {"b", "Where", "half and a quarter"};
  bar.parts = {{"anon", 512, 0}, {"cache", 256, 3}, {"nothing to see", 0, 1}};
  bar.whole = 1'024;
  expect_golden("chart/bar.svg", written(bar) + "\n");
}

TEST(StackedBar, OfMoreThanTheWholeStaysInside) {
  StackedBar bar;
  bar.parts = {{"a", 3'000, 0}, {"b", 1'000, 1}};
  bar.whole = 1'000;
  EXPECT_THAT(written(bar), HasSubstr("x=\"480\" y=\"0\" width=\"160\""));
}

TEST(ColumnsChart, IsDrawnAsRecorded) {
  Columns chart;
  chart.caption = {"t", "Timeline", "2 incidents"};
  chart.counts = {2, 0, 1};
  chart.names = {"2 at noon", "", "1 <later>"};
  chart.ticks = {{0, "12:00"}, {2, "14:00"}};
  expect_golden("chart/columns.svg", written(chart) + "\n");
}

TEST(TextPlot, RisesToItsLimit) {
  TextPlot plot{.points = {{-60, 0}, {-30, 50 * kMib}, {0, 100 * kMib}},
                .limit_bytes = 100 * kMib,
                .times = before_ticks(-60, 4),
                .width = 24,
                .height = 4};
  expect_golden("chart/plot.txt", render(plot));
  plot.utf8 = false;
  const std::string ascii = render(plot);
  EXPECT_TRUE(std::all_of(ascii.begin(), ascii.end(),
                          [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); }));
}

TEST(TextPlot, OfNothingIsNothing) {
  EXPECT_THAT(render({}), IsEmpty());
  EXPECT_THAT(render({.points = {{0, 1}}}), Not(IsEmpty()));
}

TEST(Sparkline, ShowsThatSomethingIsThere) {
  EXPECT_EQ(sparkline({0, 1, 1'000}, false), " .%");
  EXPECT_EQ(sparkline({0, 8, 4}, true), " █▄");
}

TEST(Bar, IsFilledByItsShare) {
  EXPECT_EQ(bar(0.5, 4, false), "##..");
  EXPECT_EQ(bar(7, 4, false), "####");
}

}  // namespace
}  // namespace oomwitness
