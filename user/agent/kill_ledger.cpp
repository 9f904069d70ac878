// SPDX-License-Identifier: BSD-2-Clause
#include "agent/kill_ledger.h"

#include <algorithm>

namespace oomwitness {
namespace {

constexpr std::size_t kMostKills = 16384;
constexpr std::uint64_t kMs = 1'000'000;
constexpr std::uint64_t kSecondNs = 1000 * kMs;
// The log's stamp is of a line that is written within the decision; a pid does not come again so
// soon, even where it counts up to 32768.
constexpr std::uint64_t kSameKill = 2 * kSecondNs;
// Where nothing tells how far the clocks are apart: the names must be the same too.
constexpr std::uint64_t kSameKillRoughly = 60 * kSecondNs;

std::uint64_t apart(std::uint64_t a, std::uint64_t b) {
  return a > b ? a - b : b - a;
}

// The report's head is written at the decision; the kill line, behind a slow console, later.
std::uint64_t moment_of(const LogReport& report) {
  return report.began_ns != 0 ? report.began_ns : report.at_ns;
}

std::uint64_t by_log_clock(std::uint64_t monotonic_ns, std::int64_t difference) {
  return monotonic_ns + static_cast<std::uint64_t>(difference);
}

}  // namespace

bool KillLedger::is_from_log(const Incident& incident) {
  const auto& sources = incident.provenance.sources;
  return sources.size() == 1 && sources.front() == "kmsg";
}

void KillLedger::add(std::uint32_t pid, const std::string& comm, const Incident& incident) {
  const auto [begin, end] = by_pid_.equal_range(pid);
  const bool known = std::any_of(
      begin, end, [&](const auto& entry) { return entry.second.at_ns == incident.monotonic_ns; });
  if (known) return;  // an update of it, or the victim that was selected
  by_pid_.emplace(pid, Kill{.number = next_number_,
                            .at_ns = incident.monotonic_ns,
                            .from_log = is_from_log(incident),
                            .comm = comm});
  order_.emplace_back(pid, next_number_++);
}

void KillLedger::add(const Incident& incident) {
  if (incident.killer != "kernel") return;
  for (const Victim& victim : incident.victims)
    if (victim.pid) add(*victim.pid, victim.comm.value_or(""), incident);
  // A decision of which nothing else was seen: the log tells who died of it.
  if (incident.selected) add(incident.selected->pid, incident.selected->comm, incident);
  for (; order_.size() > kMostKills; order_.pop_front()) {
    const auto [pid, number] = order_.front();
    const auto [begin, end] = by_pid_.equal_range(pid);
    const auto oldest = std::find_if(
        begin, end, [number = number](const auto& entry) { return entry.second.number == number; });
    if (oldest != end) by_pid_.erase(oldest);
  }
}

bool KillLedger::fits(const Kill& kill, const Told& told) const {
  if (kill.from_log) return apart(kill.at_ns, told.at_ns) <= kSameKill;
  if (log_minus_monotonic_ns_)
    return apart(by_log_clock(kill.at_ns, *log_minus_monotonic_ns_), told.at_ns) <= kSameKill;
  return told.comm == kill.comm && apart(kill.at_ns, told.at_ns) <= kSameKillRoughly;
}

const KillLedger::Kill* KillLedger::find(std::uint32_t pid, const Told& told) const {
  const auto [begin, end] = by_pid_.equal_range(pid);
  const auto found =
      std::find_if(begin, end, [&](const auto& entry) { return fits(entry.second, told); });
  return found != end ? &found->second : nullptr;
}

bool KillLedger::knows(const LogReport& report) {
  bool known = false;
  for (const Victim& victim : report.victims) {
    if (!victim.pid) continue;
    const std::uint64_t at_ns = moment_of(report);
    const Kill* kill = find(*victim.pid, {at_ns, victim.comm});
    if (kill == nullptr) continue;
    known = true;
    // Within the tolerance it follows the drift, report by report.
    if (!kill->from_log && report.began_ns != 0)
      log_minus_monotonic_ns_ = static_cast<std::int64_t>(at_ns - kill->at_ns);
  }
  return known;
}

bool KillLedger::knows(const Incident& incident) const {
  return std::any_of(incident.victims.begin(), incident.victims.end(), [&](const Victim& victim) {
    return victim.pid && find(*victim.pid, {incident.monotonic_ns, victim.comm}) != nullptr;
  });
}

}  // namespace oomwitness
