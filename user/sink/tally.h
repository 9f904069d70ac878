// SPDX-License-Identifier: BSD-2-Clause
// Many incidents as counts, for the head of a report. Pure. The memory it needs is bounded but for
// eight bytes an incident.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "incident/incident.h"

namespace oomwitness {

class Tally {
 public:
  using Counts = std::map<std::string, std::uint64_t>;  // names are bytes, as the incident has them
  struct Ranked {
    std::vector<std::pair<std::string, std::uint64_t>> top;  // most first
    std::uint64_t names = 0;                                 // that there were
    std::uint64_t beyond = 0;                                // counts of those not in `top`
  };

  // An update of an incident counts as that incident: give each id once.
  void add(const Incident& incident);

  std::uint64_t incidents() const { return incidents_; }
  std::uint64_t killed() const { return killed_; }
  // Of incidents that have a wall clock, nanoseconds since 1970, as they came.
  const std::vector<std::int64_t>& times() const { return times_; }
  const std::map<std::string, std::uint64_t>& hosts() const { return hosts_; }

  Ranked by_cause(std::size_t most) const { return ranked(causes_, most); }
  Ranked by_name(std::size_t most) const { return ranked(names_, most); }
  // By unit; by cgroup where the unit is not known.
  Ranked by_place(std::size_t most) const { return ranked(places_, most); }

 private:
  void count(Counts& counts, const std::string& name);
  static Ranked ranked(const Counts& counts, std::size_t most);

  std::uint64_t incidents_ = 0;
  std::uint64_t killed_ = 0;
  std::vector<std::int64_t> times_;
  Counts causes_;
  Counts names_;
  Counts places_;
  Counts hosts_;
};

// Whose kill it was: the victim's unit, else its cgroup, else the one whose limit was hit.
Opt<std::string> place_of(const Incident& incident);

// Times in equal stretches: how many fall into each, and where they begin.
struct Histogram {
  std::int64_t from_unix_ns = 0;
  std::int64_t to_unix_ns = 0;
  std::vector<std::uint64_t> counts;
};
// Empty without times. One moment only: a stretch of a minute around it.
Histogram histogram_of(const std::vector<std::int64_t>& times, std::size_t stretches);

}  // namespace oomwitness
