// SPDX-License-Identifier: BSD-2-Clause
#include "agent/known_kills.h"

#include <algorithm>

#include "incident/json.h"

namespace oomwitness {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
// By either clock: the log's drifts away from CLOCK_MONOTONIC, the wall clock may have been set,
// and the journal takes a line some time after the kernel wrote it.
constexpr std::uint64_t kSameKill = 60 * kSecond;
// The log's clock may be so far from CLOCK_MONOTONIC: 20 parts in a million make that in a year and
// a half.
constexpr std::uint64_t kMostDrift = 900 * kSecond;
constexpr std::size_t kAtOnce = 256;

template <typename T>
bool near(T a, T b) {
  return static_cast<std::uint64_t>(a > b ? a - b : b - a) <= kSameKill;
}

std::uint64_t moment_of(const LogReport& report) {
  return report.began_ns != 0 ? report.began_ns : report.at_ns;
}

}  // namespace

void KnownKills::add(const Incident& incident) {
  const auto keep = [&](std::uint32_t pid, const std::string& comm) {
    by_pid_.emplace(pid, Kill{comm, incident.monotonic_ns, incident.time_unix_ns});
  };
  for (const Victim& victim : incident.victims)
    if (victim.pid) keep(*victim.pid, victim.comm.value_or(""));
  // A decision of which nothing else was seen: the log tells who died of it.
  if (incident.selected) keep(incident.selected->pid, incident.selected->comm);
}

// Pages, so that the store is never held for long.
Status KnownKills::load_around(std::uint64_t at_ns) {
  const std::uint64_t first = at_ns > kMostDrift ? at_ns - kMostDrift : 0;
  std::erase_if(by_pid_, [&](const auto& entry) { return entry.second.monotonic_ns < first; });
  next_ns_ = std::max(next_ns_, first);
  while (!all_read_ && next_ns_ <= at_ns + kMostDrift) {
    TRY(const auto page, store_.of_boot_onwards(boot_id_, next_ns_, kAtOnce));
    std::uint64_t last_ns = next_ns_;
    for (const StoredIncident& stored : page) {
      const auto incident = incident_from_json(stored.json);
      if (!incident) continue;
      add(*incident);
      last_ns = incident->monotonic_ns;
    }
    all_read_ = page.size() < kAtOnce;
    // The last of a page comes again, with those of the same moment.
    next_ns_ = std::max(last_ns, next_ns_ + 1);
  }
  return {};
}

bool KnownKills::has(const Victim& victim, const LogReport& report) const {
  if (!victim.pid) return false;
  const auto [begin, end] = by_pid_.equal_range(*victim.pid);
  return std::any_of(begin, end, [&](const auto& entry) {
    const Kill& kill = entry.second;
    if (kill.comm != victim.comm.value_or("")) return false;
    return near(kill.monotonic_ns, moment_of(report)) ||
           (report.wall_ns && near(kill.unix_ns, *report.wall_ns));
  });
}

Result<bool> KnownKills::has(const LogReport& report) {
  CHECK_OK(load_around(moment_of(report)));
  return std::any_of(report.victims.begin(), report.victims.end(),
                     [&](const Victim& victim) { return has(victim, report); });
}

}  // namespace oomwitness
