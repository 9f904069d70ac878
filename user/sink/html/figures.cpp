// SPDX-License-Identifier: BSD-2-Clause
// Memory over time, and where it was.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "diagnose/facts.h"
#include "diagnose/trend.h"
#include "diagnose/words.h"
#include "sink/history_chart.h"
#include "sink/html/sections.h"
#include "sink/memory_parts.h"
#include "support/text.h"

namespace oomwitness {
namespace {

void write_swatch(Markup& page, const LegendEntry& entry, bool line) {
  page.open("li");
  page.open("svg", {{"viewBox", "0 0 24 12"}, {"aria-hidden", "true"}});
  if (line)
    page.empty("path", {{"class", "curve " + colour_class(entry.colour)}, {"d", "M0 6h24"}});
  else
    page.empty(
        "rect",
        {{"class", "part " + colour_class(entry.colour)}, {"width", "24"}, {"height", "12"}});
  page.close();
  page.words(entry.name);
  page.close();
}

}  // namespace

void write_figure(Markup& page, const LineChart& chart) {
  page.open("figure");
  draw(page, chart);
  page.open("ul", {{"class", "legend"}});
  for (std::size_t i = 0; i < std::min(chart.curves.size(), kMostCurves); ++i)
    write_swatch(page, {chart.curves[i].name, chart.curves[i].colour}, true);
  page.close();
  page.close();
}

void write_figure(Markup& page, const StackedBar& chart, const std::vector<LegendEntry>& legend) {
  page.open("figure");
  draw(page, chart);
  page.open("ul", {{"class", "legend"}});
  for (const LegendEntry& entry : legend) write_swatch(page, entry, false);
  page.close();
  page.close();
}

void write_history(Markup& page, const Incident& incident, const std::string& id) {
  page.element("h3", "Memory before the kill");
  LineChart chart = history_chart(incident);
  if (chart.curves.empty()) {
    page.element("p",
                 "Nobody recorded it. oomwitness agent keeps a flight recorder of the minutes "
                 "before each kill; oomwitness run samples the command it runs.",
                 {{"class", "dim"}});
    return;
  }
  chart.caption.id = id;
  write_figure(page, chart);
  const Facts facts = gather(incident, {});
  for (const std::string& sentence : {trend_sentence(facts), grower_sentence(facts)})
    if (!sentence.empty()) page.element("p", sentence);
}

void write_parts(Markup& page, const Incident& incident, const std::string& id) {
  const MemoryParts parts = memory_parts(incident);
  if (parts.parts.empty()) return;
  page.open("h3");
  page.words("Where the memory was ");
  page.element("span", "in " + parts.of);
  page.close();
  StackedBar chart;
  chart.whole = parts.whole;
  chart.parts = parts.parts;
  std::vector<LegendEntry> legend;
  std::string words;
  for (const Part& part : parts.parts) {
    const auto share_of_it =
        parts.whole > 0 ? share(Opt<std::uint64_t>(part.bytes), Opt<std::uint64_t>(parts.whole))
                        : std::nullopt;
    std::string entry = part.name + " " + human_size(part.bytes);
    if (share_of_it) entry += fmt::format(" ({})", percent(*share_of_it));
    words += (words.empty() ? "" : ", ") + entry;
    legend.push_back({std::move(entry), part.colour});
  }
  chart.caption = {id, "Where the memory was in " + parts.of, words + "."};
  write_figure(page, chart, legend);
  if (!parts.note.empty()) page.element("p", parts.note, {{"class", "dim"}});
}

}  // namespace oomwitness
