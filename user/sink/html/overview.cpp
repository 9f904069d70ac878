// SPDX-License-Identifier: BSD-2-Clause
// The head of the report: counts, the timeline of kills, the list of incidents.
#include <algorithm>

#include <fmt/format.h>

#include "diagnose/facts.h"
#include "sink/html/sections.h"
#include "sink/report_parts.h"
#include "sink/table_line.h"
#include "support/text.h"

namespace oomwitness {
namespace {

void write_ranking(Markup& page, std::string_view title, const Tally::Ranked& ranked) {
  if (ranked.top.empty()) return;
  page.open("div");
  page.element("h3", title);
  page.open("table", {{"class", "rank"}});
  page.open("tbody");
  for (const auto& [name, count] : ranked.top) {
    page.open("tr");
    page.element("td", thousands(count), {{"class", "n"}});
    page.open("td");
    page.bytes(name);
    page.close();
    page.close();
  }
  if (ranked.beyond > 0) {
    page.open("tr");
    page.element("td", thousands(ranked.beyond), {{"class", "n"}});
    page.element("td", fmt::format("{} others", thousands(ranked.names - ranked.top.size())),
                 {{"class", "dim"}});
    page.close();
  }
  page.close();
  page.close();
  page.close();
}

std::string counted(std::uint64_t n, const char* one, const char* many) {
  return thousands(n) + " " + (n == 1 ? one : many);
}

std::string minute_text(std::int64_t unix_ns) {
  std::string text = rfc3339_utc(unix_ns, 0);
  std::replace(text.begin(), text.end(), 'T', ' ');
  return text.substr(0, 19);
}

void write_lead(Markup& page, const Tally& tally) {
  std::string lead = counted(tally.incidents(), "incident", "incidents") + ", " +
                     counted(tally.killed(), "process killed", "processes killed");
  const auto& times = tally.times();
  if (!times.empty()) {
    const auto [first, last] = std::minmax_element(times.begin(), times.end());
    lead += *first == *last ? ", at " + minute_text(*first)
                            : ", from " + minute_text(*first) + " to " + minute_text(*last);
    lead += " UTC";
  }
  page.open("p", {{"class", "lead"}});
  page.words(lead);
  if (tally.hosts().size() == 1) {
    page.words(", on ");
    page.bytes(tally.hosts().begin()->first);
  } else if (tally.hosts().size() > 1) {
    page.words(fmt::format(", on {} hosts", thousands(tally.hosts().size())));
  }
  page.words(".");
  page.close();
}

void write_timeline_of_kills(Markup& page, const Tally& tally) {
  constexpr std::size_t kStretches = 64;
  constexpr std::size_t kTimeTicks = 4;
  if (tally.incidents() < 2) return;
  page.element("h2", "Timeline of kills");
  const auto without = tally.incidents() - tally.times().size();
  const Histogram histogram = histogram_of(tally.times(), kStretches);
  if (histogram.counts.empty()) {
    page.element("p", "The source has no wall clock: the incidents below are in its order.");
    return;
  }
  Columns chart;
  const double span_s =
      (static_cast<double>(histogram.to_unix_ns) - static_cast<double>(histogram.from_unix_ns)) /
      1e9;
  const double each_s = span_s / static_cast<double>(kStretches);
  chart.counts = histogram.counts;
  for (std::size_t i = 0; i < kStretches; ++i) {
    const auto from =
        histogram.from_unix_ns + static_cast<std::int64_t>(each_s * 1e9 * static_cast<double>(i));
    chart.names.push_back(counted(histogram.counts[i], "incident", "incidents") + " from " +
                          minute_text(from));
  }
  for (Tick& tick : wall_ticks(histogram.from_unix_ns, histogram.to_unix_ns, kTimeTicks))
    chart.ticks.push_back({tick.at / each_s, std::move(tick.label)});
  const std::uint64_t most = *std::max_element(chart.counts.begin(), chart.counts.end());
  chart.caption = {
      "timeline", "Timeline of kills",
      fmt::format("{} from {} to {} UTC; at most {} in {}.",
                  counted(tally.times().size(), "incident", "incidents"),
                  minute_text(histogram.from_unix_ns), minute_text(histogram.to_unix_ns),
                  thousands(most), human_duration(static_cast<std::uint64_t>(each_s * 1e9)))};
  page.open("figure");
  draw(page, chart);
  page.element("figcaption",
               fmt::format("Incidents in each {}, UTC",
                           human_duration(static_cast<std::uint64_t>(each_s * 1e9))),
               {{"class", "dim"}});
  page.close();
  if (without > 0)
    page.element(
        "p", counted(without, "incident has", "incidents have") + " no date and no place in it.",
        {{"class", "dim"}});
}

std::string limit_of(const Incident& incident) {
  return incident.scope.memcg ? Page::size(incident.scope.memcg->self.limit_bytes) : "-";
}

Opt<std::uint64_t> held_by_victims(const Incident& incident) {
  Opt<std::uint64_t> sum;
  for (const Victim& victim : incident.victims)
    if (victim.role != Role::kSharedMm) sum = plus(sum, resident_bytes(victim.memory));
  return sum;
}

void write_row(Markup& page, const Incident& incident, std::size_t n) {
  const Victim* const victim = first_victim(incident);
  page.open("tr");
  page.open("td", {{"class", "w"}});
  page.element("a",
               incident.time_unix_ns != 0 ? minute_text(incident.time_unix_ns)
                                          : fmt::format("no. {}", n + 1),
               {{"href", "#" + anchor_of(n)}});
  page.close();
  page.open("td");
  if (victim == nullptr)
    page.words("nobody");
  else if (victim->comm)
    page.bytes(*victim->comm);
  else
    page.words("-");
  if (incident.victims.size() > 1) page.words(fmt::format(" +{}", incident.victims.size() - 1));
  page.close();
  page.element("td", Page::size(held_by_victims(incident)), {{"class", "n"}});
  page.element("td", limit_of(incident), {{"class", "n"}});
  page.open("td");
  if (incident.diagnosis) page.bytes(incident.diagnosis->cause);
  page.close();
  page.open("td");
  if (const auto place = place_of(incident)) page.bytes(*place);
  page.close();
  page.close();
}

}  // namespace

std::string anchor_of(std::size_t n) {
  return fmt::format("i{}", n + 1);
}

void write_overview(Markup& page, const Tally& tally) {
  constexpr std::size_t kRows = 8;
  write_lead(page, tally);
  if (tally.incidents() > 1) {
    page.open("div", {{"class", "cards"}});
    write_ranking(page, "By cause", tally.by_cause(kRows));
    write_ranking(page, "By name", tally.by_name(kRows));
    write_ranking(page, "By unit or cgroup", tally.by_place(kRows));
    page.close();
  }
  write_timeline_of_kills(page, tally);
}

void write_list(Markup& page, const std::vector<Incident>& incidents) {
  if (incidents.size() < 2) return;
  page.element("h2", "Incidents");
  page.open("div", {{"class", "scroll"}});
  page.open("table", {{"class", "list"}});
  page.open("thead");
  page.open("tr");
  page.element("th", "time (UTC)");
  page.element("th", "killed");
  page.element("th", "resident", {{"class", "n"}});
  page.element("th", "limit", {{"class", "n"}});
  page.element("th", "cause");
  page.element("th", "unit or cgroup");
  page.close();
  page.close();
  page.open("tbody");
  for (std::size_t i = 0; i < incidents.size(); ++i) write_row(page, incidents[i], i);
  page.close();
  page.close();
  page.close();
}

}  // namespace oomwitness
