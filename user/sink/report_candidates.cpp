// SPDX-License-Identifier: BSD-2-Clause
// "Why this one": the kernel's own arithmetic, row by row.
#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "sink/report_parts.h"
#include "support/text.h"

namespace oomwitness {
namespace {

// oom_badness gives LONG_MIN to a task that may not be killed (mm/oom_kill.c).
constexpr std::int64_t kUnkillable = std::numeric_limits<std::int64_t>::min();

// The arithmetic of one kill. Points are pages: memory + oom_score_adj x (total_pages / 1000), with
// the division first (oom_badness in mm/oom_kill.c).
class Arithmetic {
 public:
  explicit Arithmetic(const Incident& incident) : page_size_(incident.host.page_size_bytes) {
    if (incident.candidates.total_pages.value_or(0) <= kMostPages)
      total_pages_ = incident.candidates.total_pages;
  }

  Opt<std::int64_t> adj_pages(const Candidate& c) const {
    if (!c.oom_score_adj) return std::nullopt;
    const std::int32_t adj = *c.oom_score_adj;
    if (adj == 0) return 0;
    if (!total_pages_ || adj < -1000 || adj > 1000) return std::nullopt;
    return static_cast<std::int64_t>(*total_pages_ / 1000) * adj;
  }
  // What it holds, in pages, as the kernel counted it.
  Opt<std::int64_t> memory_pages(const Candidate& c) const {
    const Opt<std::int64_t> adj = adj_pages(c);
    const auto most = static_cast<std::int64_t>(kMostPages);
    if (!adj || !c.points || *c.points < -most || *c.points > most) return std::nullopt;
    return *c.points - *adj;
  }
  std::string size(const Opt<std::int64_t>& pages) const {
    if (!pages) return "-";
    if (page_size_ == 0) return thousands(*pages) + " pages";
    const auto magnitude = static_cast<std::uint64_t>(*pages < 0 ? -*pages : *pages);
    return (*pages < 0 ? "-" : "") + human_size(magnitude * page_size_);
  }
  std::string share(const Opt<std::int64_t>& points) const {
    if (!points || !total_pages_ || *total_pages_ == 0) return "-";
    return fmt::format("{:.1f}%",
                       100.0 * static_cast<double>(*points) / static_cast<double>(*total_pages_));
  }
  const Opt<std::uint64_t>& total_pages() const { return total_pages_; }

 private:
  // Far beyond any machine; more can only be a broken record, whose sums would overflow.
  static constexpr std::uint64_t kMostPages = 1ULL << 48;

  std::uint64_t page_size_;
  Opt<std::uint64_t> total_pages_;
};

// The row the choice fell on: what the kernel named, else the first victim.
const Candidate* chosen_row(const Incident& incident) {
  Opt<std::uint32_t> pid =
      incident.selected ? Opt<std::uint32_t>(incident.selected->pid) : std::nullopt;
  if (!pid && !incident.victims.empty()) pid = incident.victims.front().pid;
  const auto& top = incident.candidates.top;
  const auto row =
      std::find_if(top.begin(), top.end(), [pid](const Candidate& c) { return c.pid == pid; });
  return row == top.end() ? nullptr : &*row;
}

bool is_killed(const Incident& incident, std::uint32_t pid) {
  return std::any_of(incident.victims.begin(), incident.victims.end(), [pid](const Victim& v) {
    return v.pid == pid && v.role != Role::kAlreadyExiting;
  });
}

std::string named(const Page& page, const Candidate& c) {
  return process_name(page, c.comm, c.pid);
}

// What an oom_score_adj did to a candidate, in words.
std::string adj_effect(const Arithmetic& sums, const Candidate& c) {
  const Opt<std::int64_t> pages = sums.adj_pages(c);
  if (!pages || *pages == 0) return "";
  const std::int32_t adj = c.oom_score_adj.value_or(0);
  return fmt::format("its oom_score_adj of {} {} {}", adj, adj < 0 ? "takes off" : "adds",
                     sums.size(*pages < 0 ? -*pages : *pages));
}

// Of a chosen one that had the most points: whether it held the most memory, and if not, why it
// led.
std::string size_verdict(const Page& page, const Incident& incident, const Arithmetic& sums,
                         const Candidate& chosen) {
  const Opt<std::int64_t> held = sums.memory_pages(chosen);
  std::string out = named(page, chosen) + " had the most points";
  if (!held) return out + ".";
  const Candidate* largest = &chosen;
  for (const Candidate& c : incident.candidates.top) {
    const Opt<std::int64_t> pages = sums.memory_pages(c);
    if (pages && *pages > *sums.memory_pages(*largest)) largest = &c;
  }
  const std::string own = adj_effect(sums, chosen);
  if (largest == &chosen) {
    const char* const link = chosen.oom_score_adj.value_or(0) < 0 ? ", although " : ", and ";
    return out + " and held the most memory" + (own.empty() ? "" : link + own) + ".";
  }
  out += fmt::format(" but was not the largest: {} held {} more", named(page, *largest),
                     sums.size(*sums.memory_pages(*largest) - *held));
  std::string effects = adj_effect(sums, *largest);
  if (!own.empty()) add_part(effects, named(page, chosen) + ": " + own);
  return out + (effects.empty() ? "." : "; " + effects + ".");
}

std::string verdict(const Page& page, const Incident& incident, const Arithmetic& sums) {
  if (incident.scope.kill_allocating_task.value_or(false))
    return "vm.oom_kill_allocating_task is set: the invoker is killed, nothing is weighed.";
  const Candidate* const chosen = chosen_row(incident);
  if (chosen == nullptr) return "";
  const Candidates& all = incident.candidates;
  if (all.considered && *all.considered == 1 + all.unkillable.value_or(0))
    return named(page, *chosen) + " was the only task that could be killed.";
  const auto most_points =
      std::max_element(all.top.begin(), all.top.end(),
                       [](const Candidate& a, const Candidate& b) { return a.points < b.points; });
  if (most_points->points > chosen->points)
    return named(page, *chosen) + " did not have the most points: " + named(page, *most_points) +
           " had more. This record does not say why it was passed over.";
  return size_verdict(page, incident, sums, *chosen);
}

std::string counted_text(const Candidates& c) {
  if (!c.considered)
    return c.listed ? thousands(*c.listed) + " tasks in the kernel log's table" : "";
  std::string out =
      thousands(*c.considered) + (*c.considered == 1 ? " task" : " tasks") + " weighed";
  if (c.unkillable) out += ", " + thousands(*c.unkillable) + " of them unkillable";
  return out;
}

Row row_of(const Page& page, const Incident& incident, const Arithmetic& sums, const Candidate& c) {
  const Candidate* const chosen = chosen_row(incident);
  const char* const mark = &c == chosen
                               ? (is_killed(incident, c.pid) ? "<- chosen, killed" : "<- chosen")
                           : is_killed(incident, c.pid) ? "<- killed with it"
                                                        : "";
  const bool unkillable = c.points == kUnkillable;
  const std::string points = c.points ? thousands(*c.points) : "-";
  return {
      {unkillable ? "unkillable" : points, unkillable ? "-" : sums.share(c.points),
       unkillable ? "-" : sums.size(sums.memory_pages(c)),
       unkillable ? "-" : sums.size(sums.adj_pages(c)),
       c.oom_score_adj ? fmt::format("{}", *c.oom_score_adj) : "-", Page::size(c.memory.swap_bytes),
       fmt::format("{}", c.pid), c.comm.empty() ? "-" : page.name(c.comm), mark},
      &c == chosen};
}

void write_rows(Page& page, const Incident& incident, const Arithmetic& sums) {
  const auto& top = incident.candidates.top;
  std::vector<Row> rows;
  for (std::size_t i = 0; i < top.size(); ++i)
    if (i < page.options().candidates || &top[i] == chosen_row(incident))
      rows.push_back(row_of(page, incident, sums, top[i]));
  page.table({{"points"},
              {"share"},
              {"= memory"},
              {"+ adj part"},
              {"adj"},
              {"in swap"},
              {"pid"},
              {"name", Align::kLeft},
              {"", Align::kLeft}},
             rows);
  const std::uint64_t all =
      incident.candidates.considered.value_or(incident.candidates.listed.value_or(top.size()));
  const std::uint64_t unkillable = incident.candidates.unkillable.value_or(0);
  if (all > rows.size() + unkillable)
    page.line("", fmt::format("... and {} more with fewer points",
                              thousands(all - rows.size() - unkillable)));
}

}  // namespace

void write_candidates(Page& page, const Incident& incident) {
  const Candidates& candidates = incident.candidates;
  const Arithmetic sums(incident);
  const std::string why = verdict(page, incident, sums);
  if (candidates.top.empty() && why.empty()) {
    if (incident.scope.reason)
      return page.heading("Why this one", "by the rules of " + page.name(incident.killer));
    const auto& missing = incident.provenance.missing;
    const auto reason = missing.find("candidates");
    page.heading("Why this one",
                 "not known" + (reason == missing.end() ? "" : ": " + page.text(reason->second)));
    return;
  }
  page.heading("Why this one", counted_text(candidates));
  page.line("verdict", why);
  if (candidates.top.empty()) return;
  if (sums.total_pages())
    page.line("points",
              fmt::format("pages of memory (resident + swap + page tables) + oom_score_adj x {} "
                          "pages; share is of {} pages ({}, {})",
                          thousands(*sums.total_pages() / 1000), thousands(*sums.total_pages()),
                          Page::size(allowance_bytes(incident)), allowance_name(incident)));
  write_rows(page, incident, sums);
}

}  // namespace oomwitness
