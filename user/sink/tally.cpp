// SPDX-License-Identifier: BSD-2-Clause
#include "sink/tally.h"

#include <algorithm>

#include "sink/table_line.h"

namespace oomwitness {
namespace {

constexpr std::size_t kMostNames = 10'000;  // of each kind; hostile names must not fill the memory
const char* const kOtherNames = "(other names)";

}  // namespace

void Tally::count(Counts& counts, const std::string& name) {
  const bool room = counts.size() < kMostNames || counts.contains(name);
  ++counts[room ? name : kOtherNames];
}

void Tally::add(const Incident& incident) {
  ++incidents_;
  for (const Victim& victim : incident.victims) {
    if (victim.role == Role::kAlreadyExiting) continue;
    ++killed_;
    if (victim.comm) count(names_, *victim.comm);
  }
  if (incident.time_unix_ns != 0) times_.push_back(incident.time_unix_ns);
  if (incident.diagnosis) count(causes_, incident.diagnosis->cause);
  if (const auto place = place_of(incident)) count(places_, *place);
  if (!incident.host.name.empty()) count(hosts_, incident.host.name);
}

Tally::Ranked Tally::ranked(const Counts& counts, std::size_t most) {
  Ranked ranked;
  ranked.names = counts.size();
  ranked.top.assign(counts.begin(), counts.end());
  std::stable_sort(ranked.top.begin(), ranked.top.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  for (std::size_t i = most; i < ranked.top.size(); ++i) ranked.beyond += ranked.top[i].second;
  if (ranked.top.size() > most) ranked.top.resize(most);
  return ranked;
}

Opt<std::string> place_of(const Incident& incident) {
  const Victim* const victim = first_victim(incident);
  if (victim != nullptr && victim->unit) return victim->unit;
  if (victim != nullptr && victim->cgroup) return victim->cgroup;
  if (incident.scope.memcg && !incident.scope.memcg->self.path.empty())
    return incident.scope.memcg->self.path;
  return std::nullopt;
}

Histogram histogram_of(const std::vector<std::int64_t>& times, std::size_t stretches) {
  if (times.empty() || stretches == 0) return {};
  const auto [first, last] = std::minmax_element(times.begin(), times.end());
  constexpr std::int64_t kHalfMinute = 30'000'000'000;
  Histogram out{*first, *last, std::vector<std::uint64_t>(stretches, 0)};
  if (*first == *last) {
    out.from_unix_ns -= kHalfMinute;
    out.to_unix_ns += kHalfMinute;
  }
  const double whole = static_cast<double>(out.to_unix_ns) - static_cast<double>(out.from_unix_ns);
  for (const std::int64_t time : times) {
    const double share =
        (static_cast<double>(time) - static_cast<double>(out.from_unix_ns)) / whole;
    const auto at = static_cast<std::size_t>(share * static_cast<double>(stretches));
    ++out.counts[std::min(at, stretches - 1)];
  }
  return out;
}

}  // namespace oomwitness
