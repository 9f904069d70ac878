// SPDX-License-Identifier: BSD-2-Clause
#include "sink/summary.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "sink/table_line.h"
#include "support/text.h"

namespace oomwitness {
namespace {

constexpr std::size_t kMostNames = 10'000;
constexpr std::size_t kTopRows = 10;

std::vector<Cell> row(std::array<std::string, 8> texts) {
  return {{std::move(texts[0]), 20},      {std::move(texts[1]), 20},
          {std::move(texts[2]), 7, true}, {std::move(texts[3]), 9, true},
          {std::move(texts[4]), 9, true}, {std::move(texts[5]), 12},
          {std::move(texts[6]), 20},      {std::move(texts[7]), 0}};
}

// Whose limit it was; on the whole host, whom it hit.
Opt<std::string> place(const Incident& incident, const Victim* victim) {
  if (incident.scope.memcg) return incident.scope.memcg->self.path;
  return victim != nullptr ? victim->cgroup : std::nullopt;
}

std::string top(std::string_view title, const std::map<std::string, std::uint64_t>& counts) {
  if (counts.empty()) return "";
  std::vector<std::pair<std::string, std::uint64_t>> most(counts.begin(), counts.end());
  std::stable_sort(most.begin(), most.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string out = fmt::format("\n{:>7}  {}\n", "kills", title);
  for (std::size_t i = 0; i < std::min(most.size(), kTopRows); ++i) {
    out += fmt::format("{:>7}  {}\n", thousands(most[i].second), most[i].first);
  }
  if (most.size() > kTopRows) {
    out += fmt::format("{:>7}  and {} more\n", "", thousands(most.size() - kTopRows));
  }
  return out;
}

}  // namespace

std::string Summary::text(const Opt<std::string>& bytes) const {
  if (!bytes) return "-";
  return escape_for_terminal(*bytes, utf8_ ? Charset::kUtf8 : Charset::kAscii);
}

void Summary::count(Counts& counts, const Opt<std::string>& name) {
  if (!name) return;
  if (counts.size() >= kMostNames && !counts.contains(text(name))) {
    ++uncounted_;
    return;
  }
  ++counts[text(name)];
}

std::string Summary::add(const Incident& incident) {
  std::string out;
  if (incidents_ == 0) {
    out = line_of(row({"time", "killed", "pid", "resident", "limit", "killer", "cause", "cgroup"}));
  }
  ++incidents_;
  victims_ += incident.victims.size();
  if (incident.time_unix_ns != 0) {
    if (first_unix_ns_ == 0) first_unix_ns_ = last_unix_ns_ = incident.time_unix_ns;
    first_unix_ns_ = std::min(first_unix_ns_, incident.time_unix_ns);
    last_unix_ns_ = std::max(last_unix_ns_, incident.time_unix_ns);
  }
  for (const Victim& victim : incident.victims) count(by_comm_, victim.comm);
  const Victim* victim = first_victim(incident);
  const Opt<std::string> where = place(incident, victim);
  count(by_cgroup_, where);
  std::string who = victim == nullptr ? "nobody" : text(victim->comm);
  if (incident.victims.size() > 1) who += fmt::format(" +{}", incident.victims.size() - 1);
  const Opt<std::uint64_t> limit =
      incident.scope.memcg ? incident.scope.memcg->self.limit_bytes : std::nullopt;
  out += line_of(row({time_of(incident), who,
                      victim != nullptr && victim->pid ? std::to_string(*victim->pid) : "-",
                      size_or_dash(resident(incident)), size_or_dash(limit), text(incident.killer),
                      incident.diagnosis ? text(incident.diagnosis->cause) : "-", text(where)}));
  return out;
}

std::string Summary::totals() const {
  if (incidents_ == 0) return "";
  std::string out =
      fmt::format("\n{} incident{}, {} process{} killed", thousands(incidents_),
                  incidents_ == 1 ? "" : "s", thousands(victims_), victims_ == 1 ? "" : "es");
  if (first_unix_ns_ != 0) {
    out += fmt::format(", {} to {}", rfc3339_utc(first_unix_ns_, 0), rfc3339_utc(last_unix_ns_, 0));
  }
  out += "\n" + top("by name", by_comm_) + top("by cgroup", by_cgroup_);
  if (uncounted_ > 0) {
    out += fmt::format("{:>7}  with names beyond the first {}\n", thousands(uncounted_),
                       thousands(kMostNames));
  }
  return out;
}

}  // namespace oomwitness
