// SPDX-License-Identifier: BSD-2-Clause
#include "run/kills.h"

#include <algorithm>

namespace oomwitness {
namespace {

constexpr std::uint64_t kNsPerMs = 1'000'000;
constexpr std::size_t kMaxUnnamed = 1000;

RunKill kill_of(const Incident& incident, const Victim& victim, std::uint64_t began_ns) {
  RunKill kill{.pid = victim.pid,
               .comm = victim.comm,
               .cmdline = victim.cmdline,
               .cgroup = victim.cgroup,
               .incident = incident.id};
  if (incident.monotonic_ns >= began_ns && incident.monotonic_ns != 0)
    kill.ms = (incident.monotonic_ns - began_ns) / kNsPerMs;
  if (incident.scope.memcg) {
    kill.limit_cgroup = incident.scope.memcg->self.path;
    kill.limit_bytes = incident.scope.memcg->self.limit_bytes;
  }
  return kill;
}

}  // namespace

std::vector<RunKill> kills_of(const std::vector<Incident>& incidents, const WitnessOptions& watched,
                              std::uint64_t began_ns, const std::vector<Course::Rise>& rises,
                              std::uint64_t counted) {
  std::vector<RunKill> kills;
  for (const Incident& incident : incidents)
    for (const Victim& victim : incident.victims)
      if (victim.cgroup && is_watched(*victim.cgroup, watched))
        kills.push_back(kill_of(incident, victim, began_ns));
  if (!kills.empty()) return kills;
  for (const Course::Rise& rise : rises)
    for (std::uint64_t n = 0; n < rise.kills && kills.size() < kMaxUnnamed; ++n)
      kills.push_back({.ms = rise.ms});
  while (kills.size() < std::min<std::uint64_t>(counted, kMaxUnnamed)) kills.emplace_back();
  return kills;
}

}  // namespace oomwitness
