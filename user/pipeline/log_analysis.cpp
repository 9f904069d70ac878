// SPDX-License-Identifier: BSD-2-Clause
#include "pipeline/log_analysis.h"

#include <chrono>
#include <utility>

#include "assemble/log_incident.h"
#include "enrich/cgroup_path.h"

namespace oomwitness {
namespace {

// A syslog daemon writes the lines of a report at once.
constexpr std::chrono::seconds kSilence{1};

// What the cgroup's name tells of its unit and container.
void name_cgroup(Victim& victim) {
  if (!victim.cgroup) return;
  const CgroupIdentity identity = parse_cgroup_path(*victim.cgroup);
  if (!victim.unit) victim.unit = identity.unit;
  if (!victim.container && identity.container && !identity.container->needs_state) {
    victim.container = Container{.runtime = identity.container->runtime,
                                 .id = identity.container->id,
                                 .name = "",
                                 .image = ""};
  }
}

}  // namespace

Incident incident_of_log(LogReport report) {
  Incident incident = incident_from_report(std::move(report));
  for (Victim& victim : incident.victims) name_cgroup(victim);
  return incident;
}

bool ToldIncidents::first_told_by(std::uint64_t log, const std::string& id) {
  const auto [known, fresh] = log_of_id_.emplace(id, log);
  if (!fresh) return known->second == log;
  oldest_first_.push_back(id);
  if (oldest_first_.size() > kMost) {
    log_of_id_.erase(oldest_first_.front());
    oldest_first_.pop_front();
  }
  return true;
}

LogAnalysis::LogAnalysis(LogReaderOptions reader, Wanted wanted, TimeRange range, Sink sink)
    : reader_(std::move(reader)),
      feed_(reader_),
      wanted_(std::move(wanted)),
      range_(range),
      sink_(std::move(sink)) {}

Status LogAnalysis::read(Pieces& pieces, const std::function<void()>& on_piece) {
  while (!done()) {
    TRY(const auto piece, pieces.next(feed_.kept()));
    const bool nothing = piece.size() == feed_.kept();
    const bool gap = pieces.take_gap();
    feed_.take(piece);
    CHECK_OK(emit());
    if (gap) feed_.gap();
    if (nothing && !gap) break;
    on_piece();
  }
  return {};
}

Status LogAnalysis::follow(Pieces& pieces) {
  while (!done()) {
    TRY(const auto piece, pieces.next(feed_.kept()));
    const bool nothing = piece.size() == feed_.kept();
    if (!nothing) feed_.take(piece);
    if (pieces.take_gap()) feed_.gap();
    CHECK_OK(emit());
    if (!nothing || done()) continue;
    TRY(const Wake wake, wait_for_more(pieces));
    CHECK_OK(emit());
    if (wake == Wake::kStop) break;
  }
  return {};
}

Result<Wake> LogAnalysis::wait_for_more(Pieces& pieces) {
  const auto quiet_after =
      reader_.idle() ? std::nullopt : std::optional<std::chrono::milliseconds>(kSilence);
  TRY(const Wake wake, pieces.wait(quiet_after));
  if (pieces.take_gap()) feed_.gap();
  if (wake == Wake::kQuiet) reader_.flush();
  return wake;
}

Status LogAnalysis::end_log() {
  feed_.next_file();
  reader_.flush();
  const Status status = emit();
  ++log_;
  return status;
}

bool LogAnalysis::in_range(const Incident& incident) {
  if (!range_.since && !range_.until) return true;
  if (incident.time_unix_ns == 0) {
    ++undated_;
    return false;
  }
  return (!range_.since || incident.time_unix_ns >= *range_.since) &&
         (!range_.until || incident.time_unix_ns <= *range_.until);
}

Status LogAnalysis::emit() {
  for (LogReport& report : reader_.take()) {
    if (done()) break;
    Incident incident = incident_of_log(std::move(report));
    if (!told_.first_told_by(log_, incident.id)) {
      ++told_again_;
      continue;
    }
    diagnose_(incident);
    if (!wanted_.filter.matches(incident) || !in_range(incident)) continue;
    ++found_;
    if (Status written = sink_(incident); !written) {
      failed_ = true;
      return written;
    }
  }
  return {};
}

}  // namespace oomwitness
