// SPDX-License-Identifier: BSD-2-Clause
// The log's account of a kill, and the cases it belongs to.
#include "assemble/docket.h"

namespace oomwitness {

namespace {

constexpr std::size_t kMaxLogReports = 8;  // of one case: the log may tell a group piecemeal

}  // namespace

Docket::Found Docket::find_logged(const Victim& victim, const LogReport& report) {
  for (auto at = files_.rbegin(); at != files_.rend(); ++at) {
    CaseFile& file = at->second;
    CaseVictim* known = victim.pid ? file.victim_of_task(*victim.pid) : nullptr;
    if (known == nullptr && victim.tid) known = file.victim_of_task(*victim.tid);
    if (known == nullptr) continue;
    // The first victim of a group has two lines in the log; a later life of its pid has others.
    const std::uint64_t at_ns = file.kernel_time_ns();
    const std::uint64_t apart = report.at_ns > at_ns ? report.at_ns - at_ns : at_ns - report.at_ns;
    if (known->log && known->gone() && apart > config_.settle_ns) continue;
    return {&file, known};
  }
  return {};
}

bool Docket::take(const LogReport& report) {
  CaseFile* home = nullptr;
  for (const Victim& victim : report.victims) {
    home = find_logged(victim, report).file;
    if (home != nullptr) break;
  }
  if (home == nullptr) return false;
  for (const Victim& victim : report.victims) {
    Found found = find_logged(victim, report);
    if (found.victim == nullptr) {
      if (!victim.pid && !victim.tid) continue;
      found = {home, &home->add_victim(now_ns_)};
      found.victim->pid = victim.pid;
      new_faces_ = true;
    }
    if (found.victim->log) continue;
    found.victim->log = victim;
    found.file->reindex(*found.victim);
    touch(*found.file);
  }
  if (home->logs.size() < kMaxLogReports) {
    home->logs.push_back(report);
    home->logs.back().victims.clear();
  }
  touch(*home);
  return true;
}

CaseFile& Docket::open_from_log(const LogReport& report, std::uint64_t now_ns) {
  now_ns_ = now_ns;
  CaseFile& file = open(0, report.at_ns);
  for (const Victim& victim : report.victims) {
    CaseVictim& added = file.add_victim(now_ns_);
    added.log = victim;
    added.pid = victim.pid;
    file.reindex(added);
  }
  file.logs.push_back(report);
  file.logs.back().victims.clear();
  touch(file);
  return file;
}

}  // namespace oomwitness
