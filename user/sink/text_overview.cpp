// SPDX-License-Identifier: BSD-2-Clause
#include "sink/text_overview.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "sink/chart/text_plot.h"
#include "sink/history_chart.h"
#include "sink/layout.h"
#include "sink/memory_parts.h"
#include "sink/report_parts.h"
#include "support/text.h"

namespace oomwitness {
namespace {

constexpr std::size_t kBar = 24;

void write_ranking(Page& page, std::string_view title, const Tally::Ranked& ranked) {
  if (ranked.top.empty()) return;
  page.heading(title);
  std::vector<Row> rows;
  const auto most = static_cast<double>(ranked.top.front().second);
  for (const auto& [name, count] : ranked.top)
    rows.push_back(
        {{thousands(count), bar(static_cast<double>(count) / most, kBar, page.options().utf8),
          page.name(name)}});
  page.table({{"", Align::kRight}, {"", Align::kLeft}, {"", Align::kLeft}}, rows);
  if (ranked.beyond > 0)
    page.line("", fmt::format("and {} more of {} others", thousands(ranked.beyond),
                              thousands(ranked.names - ranked.top.size())));
}

void write_timeline_of_kills(Page& page, const Tally& tally) {
  constexpr std::size_t kColumns = 64;
  const Histogram histogram = histogram_of(tally.times(), kColumns);
  if (histogram.counts.empty()) return;
  const std::uint64_t most = *std::max_element(histogram.counts.begin(), histogram.counts.end());
  const double span_ns =
      static_cast<double>(histogram.to_unix_ns) - static_cast<double>(histogram.from_unix_ns);
  page.heading("Timeline of kills",
               fmt::format("at most {} in {}", thousands(most),
                           human_duration(static_cast<std::uint64_t>(span_ns / kColumns))));
  page.plain("  " + sparkline(histogram.counts, page.options().utf8));
  const std::string first = rfc3339_utc(histogram.from_unix_ns, 0);
  const std::string last = rfc3339_utc(histogram.to_unix_ns, 0);
  page.plain("  " + first + std::string(kColumns - first.size() - last.size(), ' ') + last);
}

void write_memory_plot(Page& page, const Incident& incident) {
  const LineChart chart = history_chart(incident);
  if (chart.curves.empty()) return;
  const Curve& curve = chart.curves.front();
  const std::string level = chart.levels.empty() ? "" : ", " + chart.levels.front().name;
  page.heading("Memory before the kill", curve.name + level);
  page.drawing(render({.points = curve.points,
                       .limit_bytes = chart.levels.empty() ? 0 : chart.levels.front().bytes,
                       .times = chart.times,
                       .utf8 = page.options().utf8}));
}

void write_parts_plot(Page& page, const Incident& incident) {
  const MemoryParts parts = memory_parts(incident);
  if (parts.parts.empty()) return;
  std::uint64_t whole = parts.whole;
  for (const Part& part : parts.parts) whole = std::max(whole, part.bytes);
  page.heading("Where the memory was", "in " + parts.of);
  std::vector<Row> rows;
  for (const Part& part : parts.parts)
    rows.push_back({{human_size(part.bytes),
                     bar(static_cast<double>(part.bytes) / static_cast<double>(whole), kBar,
                         page.options().utf8),
                     part.name}});
  page.table({{"", Align::kRight}, {"", Align::kLeft}, {"", Align::kLeft}}, rows);
  page.line("note", parts.note);
}

}  // namespace

std::string render_overview(const Tally& tally, const ReportOptions& options) {
  constexpr std::size_t kRows = 5;
  if (tally.incidents() == 0) return "";
  Page page(options);
  page.headline(fmt::format("{} incident{}, {} process{} killed", thousands(tally.incidents()),
                            tally.incidents() == 1 ? "" : "s", thousands(tally.killed()),
                            tally.killed() == 1 ? "" : "es"));
  if (tally.incidents() > 1) {
    write_ranking(page, "By cause", tally.by_cause(kRows));
    write_ranking(page, "By name", tally.by_name(kRows));
    write_ranking(page, "By unit or cgroup", tally.by_place(kRows));
    write_timeline_of_kills(page, tally);
  }
  return std::move(page).take();
}

std::string render_plots(const Incident& incident, const ReportOptions& options) {
  Page page(options);
  write_headline(page, incident);
  if (incident.diagnosis) page.line("cause", safe_sentence(incident.diagnosis->summary));
  write_memory_plot(page, incident);
  write_parts_plot(page, incident);
  return std::move(page).take();
}

}  // namespace oomwitness
