// SPDX-License-Identifier: BSD-2-Clause
#include "sink/html/report_html.h"

#include <algorithm>

#include <fmt/format.h>

#include "sink/html/packed_records.h"
#include "sink/html/sections.h"
#include "sink/html/style.h"
#include "support/text.h"

namespace oomwitness {
namespace {

struct Sections {
  std::vector<Markup> of;  // one for each incident that is shown
  std::size_t brief = 0;   // of these
  bool all_full() const { return brief == 0; }
};

// All in brief, then the newest in full while they fit.
Sections sections_of(const HtmlReport& report) {
  Sections sections;
  const auto& incidents = report.incidents;
  const std::size_t count = incidents.size();
  std::size_t size = 0;
  for (std::size_t i = 0; i < count; ++i) {
    sections.of.emplace_back();
    write_incident(sections.of.back(), incidents[i], i, Detail::kBrief, false);
    size += sections.of.back().size();
  }
  sections.brief = count;
  for (std::size_t i = count; i-- > 0;) {
    Markup full;
    write_incident(full, incidents[i], i, Detail::kFull, count == 1);
    const std::size_t grown = size - sections.of[i].size() + full.size();
    // One alone is shown in full whatever its size.
    if (grown > report.budget_bytes && count > 1) break;
    size = grown;
    sections.of[i] = std::move(full);
    --sections.brief;
  }
  return sections;
}

void write_head(Markup& page) {
  page.open("head");
  page.empty("meta", {{"charset", "utf-8"}});
  page.empty("meta", {{"http-equiv", "Content-Security-Policy"}, {"content", kContentPolicy}});
  page.empty("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}});
  page.empty("meta", {{"name", "referrer"}, {"content", "no-referrer"}});
  page.empty("meta", {{"name", "color-scheme"}, {"content", "light dark"}});
  // Browsers ask the server for an icon otherwise.
  page.empty("link", {{"rel", "icon"}, {"href", "data:,"}});
  page.element("title", "Out-of-memory report");
  page.open("style");
  page.constant(kStyle);
  page.close();
  page.close();
}

void write_sources(Markup& page, const HtmlReport& report) {
  constexpr std::size_t kMost = 20;
  page.open("p", {{"class", "dim"}});
  page.words("oomwitness " + report.version);
  if (report.made_unix_ns != 0) page.words(", " + rfc3339_utc(report.made_unix_ns, 0));
  for (std::size_t i = 0; i < std::min(report.sources.size(), kMost); ++i) {
    page.words(i == 0 ? ", from " : ", ");
    page.bytes(report.sources[i]);
  }
  if (report.sources.size() > kMost)
    page.words(fmt::format(" and {} more", report.sources.size() - kMost));
  page.close();
}

// What the page does not show, and where it is.
void write_left_out(Markup& page, const HtmlReport& report, const Sections& sections) {
  const std::uint64_t shown = report.incidents.size();
  if (report.tally.incidents() > shown)
    page.element("p", fmt::format("The newest {} incidents are listed; {} older ones are only in "
                                  "the counts above (--max lists more).",
                                  thousands(shown), thousands(report.tally.incidents() - shown)));
  if (sections.all_full()) return;
  page.element("p",
               fmt::format("To keep this file small, the newest {} are shown in full and {} in "
                           "brief: without charts, candidates, stacks and raw record.",
                           thousands(shown - sections.brief), thousands(sections.brief)));
  page.open("p");
  page.element(
      "a", "Every raw record (JSON lines, gzip)",
      {{"href", packed_records(report.incidents)}, {"download", "oomwitness-incidents.json.gz"}});
  page.close();
}

}  // namespace

std::string render_html(const HtmlReport& report) {
  const Sections sections = sections_of(report);
  Markup page;
  page.constant("<!DOCTYPE html>\n");
  page.open("html", {{"lang", "en"}});
  write_head(page);
  page.open("body");
  page.element("h1", "Out-of-memory report");
  write_sources(page, report);
  for (std::size_t i = 0; i < report.runs.size(); ++i) write_run(page, report.runs[i], i);
  if (report.tally.incidents() > 0 || report.runs.empty()) write_overview(page, report.tally);
  write_list(page, report.incidents);
  if (!report.incidents.empty())
    page.element("h2", report.incidents.size() == 1 ? "The incident" : "One by one");
  write_left_out(page, report, sections);
  for (const Markup& section : sections.of) page.append(section);
  return std::move(page).take() + "\n";
}

}  // namespace oomwitness
