// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>

#include <fmt/format.h>

#include "sink/report_parts.h"
#include "support/text.h"

namespace oomwitness {
namespace {

struct Moment {
  std::uint64_t at_ns;
  std::string_view what;
};

std::string since(std::uint64_t at_ns, std::uint64_t start_ns) {
  return at_ns >= start_ns ? "+" + human_duration(at_ns - start_ns)
                           : "-" + human_duration(start_ns - at_ns);
}

std::vector<Moment> moments_of(const Timeline& t) {
  std::vector<Moment> moments;
  const auto add = [&moments](const Opt<std::uint64_t>& at, std::string_view what) {
    if (at) moments.push_back({*at, what});
  };
  add(t.marked_ns, "marked as OOM victim, SIGKILL sent");
  add(t.signalled_ns, "took SIGKILL");
  add(t.reap_started_ns, "the kernel's reaper began to take its memory");
  add(t.reaped_ns, "the reaper was done");
  add(t.exited_ns, "exited, its memory is back");
  std::stable_sort(moments.begin(), moments.end(),
                   [](const Moment& a, const Moment& b) { return a.at_ns < b.at_ns; });
  return moments;
}

bool is_known(const Timeline& t) {
  return t != Timeline{};
}

std::string cell(const Opt<std::uint64_t>& at_ns, std::uint64_t start_ns) {
  return at_ns ? since(*at_ns, start_ns) : "-";
}

void write_one(Page& page, const Incident& incident) {
  const Timeline& timeline = incident.victims.front().timeline;
  std::vector<Row> rows;
  for (const Moment& moment : moments_of(timeline))
    rows.push_back({{since(moment.at_ns, incident.monotonic_ns), std::string(moment.what)}});
  if (timeline.reap_skipped.value_or(false))
    rows.push_back({{"-", "the reaper found nothing it could take"}});
  if (!timeline.exited_ns) rows.push_back({{"-", "its exit was not seen before this was written"}});
  page.table({{"", Align::kRight}, {"", Align::kLeft}}, rows);
}

void write_many(Page& page, const Incident& incident) {
  std::vector<Row> rows;
  for (const Victim& v : incident.victims) {
    const Timeline& t = v.timeline;
    const std::uint64_t start = incident.monotonic_ns;
    rows.push_back(
        {{v.pid ? fmt::format("{}", *v.pid) : "-", cell(t.marked_ns, start),
          cell(t.signalled_ns, start), cell(t.reaped_ns, start), cell(t.exited_ns, start)}});
  }
  page.table({{"pid"}, {"marked"}, {"took SIGKILL"}, {"reaped"}, {"exited"}}, rows);
}

}  // namespace

void write_timeline(Page& page, const Incident& incident) {
  const bool known = std::any_of(incident.victims.begin(), incident.victims.end(),
                                 [](const Victim& v) { return is_known(v.timeline); });
  if (!known || incident.monotonic_ns == 0) return;
  page.heading("Timeline", incident.time_unix_ns == 0
                               ? "from the decision"
                               : "from the decision at " + rfc3339_utc(incident.time_unix_ns));
  if (incident.victims.size() == 1)
    write_one(page, incident);
  else
    write_many(page, incident);
}

}  // namespace oomwitness
