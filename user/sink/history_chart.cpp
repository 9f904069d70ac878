// SPDX-License-Identifier: BSD-2-Clause
#include "sink/history_chart.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "diagnose/facts.h"
#include "diagnose/trend.h"
#include "diagnose/words.h"
#include "support/text.h"

namespace oomwitness {
namespace {

constexpr std::size_t kTimeTicks = 4;

// The decision; where it has no time, the end of the record.
std::uint64_t kill_ns(const Incident& incident) {
  if (incident.monotonic_ns != 0) return incident.monotonic_ns;
  return incident.history.samples.empty() ? 0 : incident.history.samples.back().monotonic_ns;
}

// As the parts of the memory are coloured: the victim in the first colour, others behind.
constexpr std::size_t kVictimColour = 0;
constexpr std::size_t kWholeColour = 1;

void add_curve(LineChart& chart, std::string name, const Series& series, std::uint64_t kill,
               std::size_t colour) {
  if (series.size() < 2) return;
  Curve curve{std::move(name), {}, colour};
  for (const Reading& reading : series) {
    const double before_s =
        (static_cast<double>(kill) - static_cast<double>(reading.monotonic_ns)) / 1e9;
    curve.points.emplace_back(-before_s, static_cast<double>(reading.bytes));
  }
  chart.curves.push_back(std::move(curve));
}

std::string tracked_name(const Tracked& tracked) {
  if (tracked.cgroup) return safe_name(*tracked.cgroup);
  return task_text(tracked.comm, tracked.pid);
}

// Who was largest at the end, the victim aside; cgroups only where the host ran out.
void add_tracked(LineChart& chart, const Facts& facts, std::uint64_t kill) {
  const Incident& incident = *facts.incident;
  std::vector<std::pair<Series, const Tracked*>> others;
  for (const Tracked& tracked : incident.history.tracked) {
    if (tracked.cgroup && facts.shortage == Shortage::kCgroup) continue;
    if (tracked.pid && facts.victim != nullptr && facts.victim->pid == tracked.pid) continue;
    Series series =
        series_of(incident, tracked.name + (tracked.cgroup ? "_usage_bytes" : "_rss_bytes"));
    if (series.size() > 1) others.emplace_back(std::move(series), &tracked);
  }
  std::stable_sort(others.begin(), others.end(), [](const auto& a, const auto& b) {
    return a.first.back().bytes > b.first.back().bytes;
  });
  std::size_t colour = kWholeColour + 1;
  for (const auto& [series, tracked] : others) {
    if (chart.curves.size() == kMostCurves) return;
    add_curve(chart, tracked_name(*tracked), series, kill, colour++);
  }
}

std::string described(const LineChart& chart) {
  std::string out;
  for (const Curve& curve : chart.curves) {
    const auto& first = curve.points.front();
    const auto& last = curve.points.back();
    out += fmt::format(
        "{}: {} to {} over {}. ", curve.name, human_size(static_cast<std::uint64_t>(first.second)),
        human_size(static_cast<std::uint64_t>(last.second)),
        human_duration(static_cast<std::uint64_t>((last.first - first.first) * 1e9)));
  }
  for (const Level& level : chart.levels) out += level.name + ". ";
  if (!out.empty()) out.pop_back();
  return out;
}

}  // namespace

LineChart history_chart(const Incident& incident) {
  LineChart chart;
  const Facts facts = gather(incident, {});
  const std::uint64_t kill = kill_ns(incident);
  const bool limit = facts.shortage == Shortage::kCgroup;
  const Series usage = series_of(incident, "limit_usage_bytes");
  const bool limit_shown = limit && usage.size() > 1;
  if (limit_shown)
    add_curve(chart, limit_name(facts), usage, kill, kWholeColour);
  else
    add_curve(chart, "the host, in use", host_used(incident), kill, kWholeColour);
  if (facts.victim != nullptr)
    add_curve(chart, "killed: " + task_text(*facts.victim), series_of(incident, "victim_rss_bytes"),
              kill, kVictimColour);
  add_tracked(chart, facts, kill);
  if (chart.curves.empty()) return chart;
  const auto& level = limit_shown ? facts.limit_bytes : facts.host.total;
  if (level)
    chart.levels.push_back(
        {(limit_shown ? "limit " : "RAM ") + human_size(*level), static_cast<double>(*level)});
  chart.marks.push_back({"kill", 0});
  double from = 0;
  for (const Curve& curve : chart.curves) from = std::min(from, curve.points.front().first);
  chart.times = before_ticks(from, kTimeTicks);
  chart.caption.title = "Memory before the kill";
  chart.caption.description = described(chart);
  return chart;
}

}  // namespace oomwitness
