// SPDX-License-Identifier: BSD-2-Clause
#include "sink/run_chart.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "sink/chart/text_plot.h"
#include "sink/layout.h"
#include "sink/run_text.h"
#include "support/text.h"

namespace oomwitness {
namespace {

constexpr std::size_t kTimeTicks = 5;

double seconds(std::uint64_t ms) {
  return static_cast<double>(ms) / 1'000;
}

std::string described(const RunRecord& record, const LineChart& chart) {
  const auto most =
      std::max_element(record.memory.begin(), record.memory.end(),
                       [](const auto& a, const auto& b) { return a.usage_bytes < b.usage_bytes; });
  std::string out =
      fmt::format("At most {} in {} samples over {}.", human_size(most->usage_bytes),
                  record.memory.size(), human_duration(record.memory.back().ms * 1'000'000));
  for (const Level& level : chart.levels) out += " " + level.name + ".";
  if (!chart.marks.empty()) out += fmt::format(" {} killed.", chart.marks.size());
  return out;
}

}  // namespace

LineChart run_chart(const RunRecord& record) {
  LineChart chart;
  if (record.memory.empty()) return chart;
  constexpr std::size_t kMemoryColour = 1;  // as what runs out has it in a history
  constexpr std::size_t kSwapColour = 2;
  Curve memory{"memory of the run", {}, kMemoryColour};
  Curve swap{"swap", {}, kSwapColour};
  bool any_swap = false;
  for (const MemorySample& sample : record.memory) {
    memory.points.emplace_back(seconds(sample.ms), static_cast<double>(sample.usage_bytes));
    if (!sample.swap_bytes) continue;
    any_swap = any_swap || *sample.swap_bytes > 0;
    swap.points.emplace_back(seconds(sample.ms), static_cast<double>(*sample.swap_bytes));
  }
  chart.curves.push_back(std::move(memory));
  if (any_swap) chart.curves.push_back(std::move(swap));
  if (record.limits.effective_bytes)
    chart.levels.push_back({"limit " + human_size(*record.limits.effective_bytes),
                            static_cast<double>(*record.limits.effective_bytes)});
  for (const RunKill& kill : record.kills)
    if (kill.ms) chart.marks.push_back({killed_name(kill), seconds(*kill.ms)});
  chart.times = elapsed_ticks(seconds(record.memory.back().ms), kTimeTicks);
  chart.times.front().at = seconds(record.memory.front().ms);  // "start" stands at the first sample
  chart.caption.title = "Memory of the run";
  chart.caption.description = described(record, chart);
  return chart;
}

std::string render_run_plot(const RunRecord& record, const ReportOptions& options) {
  Page page(options);
  page.headline(run_headline(record, options.utf8 ? Charset::kUtf8 : Charset::kAscii));
  const LineChart chart = run_chart(record);
  if (!chart.curves.empty()) {
    const std::string level = chart.levels.empty() ? "" : chart.levels.front().name;
    page.heading("Memory of the run", level);
    page.drawing(render({.points = chart.curves.front().points,
                         .limit_bytes = chart.levels.empty() ? 0 : chart.levels.front().bytes,
                         .times = chart.times,
                         .utf8 = options.utf8}));
  }
  return std::move(page).take();
}

}  // namespace oomwitness
