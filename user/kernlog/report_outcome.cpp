// SPDX-License-Identifier: BSD-2-Clause
// What came of a report: who was chosen and killed, that nobody could be, or a panic.
#include <string>
#include <utility>

#include "kernlog/open_report.h"
#include "kernlog/summary.h"

namespace oomwitness {

namespace {

constexpr std::size_t kMaxVictims = 65536;

// The kernel kills a group in one go; slower than this it is another kill, whose head was
// rate-limited away.
constexpr std::uint64_t kGroupGapNs = 1'000'000'000;

bool apart(const LineTime& earlier, const LineTime& later, std::uint64_t gap_ns) {
  return earlier.at_ns != 0 && later.at_ns > earlier.at_ns && later.at_ns - earlier.at_ns > gap_ns;
}

}  // namespace

// Whether the summary speaks of that process. Its pid is the thread group's, the kill line's that
// of a thread which still had the mm, as is the table's (find_lock_task_mm).
bool OpenReport::has_chosen(const KillLine& kill) const {
  const auto chosen = summary_pid(summary_);
  if (!chosen || *chosen == kill.pid || !table_.is_whole()) return true;
  const auto group = table_.find(kill.pid);
  if (group) return group == chosen || !table_.find(*chosen);  // a pid that nobody has is damaged
  return false;
}

// To 2.6.2x each thread that uses the victim's memory has a line of its own.
bool OpenReport::is_another_thread(const LineTime& at, const KillLine& kill) const {
  return headed_ && old_wording_ && !kill.memory.anon_rss_bytes && !kill.memory.total_vm_bytes &&
         report_.victims.front().comm == kill.comm && !apart(last_kill_, at, kGroupGapNs);
}

bool OpenReport::add_further_kill(const LineTime& at, const KillLine& kill) {
  if (report_.oom_group) {
    if (apart(last_kill_, at, kGroupGapNs) || report_.victims.size() >= kMaxVictims) return false;
    add_victim(kill, Role::kGroup);
    return true;
  }
  if (!is_another_thread(at, kill)) return false;
  add_victim(kill, Role::kSharedMm);
  return true;
}

bool OpenReport::add(const LineTime& at, const KillLine& kill) {
  if (report_.no_killable || report_.panic) return false;
  if (report_.victims.empty()) {
    if (!has_chosen(kill)) return false;
    old_wording_ = kill.message == KillMessage::kGlobal && !choice_ && !kill.memory.total_vm_bytes;
    add_victim(kill, report_.oom_group ? Role::kGroup : Role::kChosen);
  } else if (!add_further_kill(at, kill)) {
    return false;
  }
  if (kill.form && report_.victims.size() == 1) forms_.push_back(*kill.form);
  // Where the choice has a line of its own, it has the words.
  if (kill.message != KillMessage::kUnknown || !choice_) message_ = kill.message;
  seen(at);
  last_kill_ = at;
  return true;
}

void OpenReport::add_victim(const KillLine& kill, Role role) {
  // The first of a group is told again among its members.
  last_is_new_ = by_pid_.emplace(kill.pid, report_.victims.size()).second;
  if (!last_is_new_) return;
  Victim victim;
  victim.pid = kill.pid;
  if (kill.comm) victim.comm = *kill.comm;
  victim.uid = kill.uid;
  victim.oom_score_adj = kill.oom_score_adj;
  victim.memory = kill.memory;
  victim.role = role;
  hash(std::uint64_t{kill.pid});
  if (kill.doubtful) {
    report_.missing.emplace("victims[" + std::to_string(report_.victims.size()) + "].memory",
                            "the kill line is damaged");
  }
  report_.victims.push_back(std::move(victim));
}

bool OpenReport::add(const LineTime& at, const ExitingLine&) {
  if (!begun() || !report_.oom_group) return false;
  seen(at);
  last_is_new_ = false;
  last_kill_ = at;
  return true;
}

bool OpenReport::add(const LineTime& at, const GroupLine& group) {
  // A post may hold the same lines twice.
  if (report_.oom_group) {
    return at.at_ns != 0 && at.at_ns == group_at_.at_ns && group.path == group_path_;
  }
  if (begun() && report_.victims.empty() && !headed_ && summary_.empty() && !choice_) return false;
  if (report_.no_killable || report_.panic) return false;
  seen(at);
  last_kill_ = group_at_ = at;
  report_.oom_group = true;
  group_path_ = group.path;
  return true;
}

bool OpenReport::add(const LineTime& at, const NoKillableLine&) {
  if (settled()) return false;
  seen(at);
  report_.no_killable = true;
  hash("no killable");
  return true;
}

bool OpenReport::add(const LineTime& at, const PanicLine& panic) {
  if (settled() && (!report_.no_killable || report_.panic)) return false;
  seen(at);
  report_.panic = panic.reason;
  hash(panic.reason);
  return true;
}

bool OpenReport::add(const LineTime& at, const ReapedLine& reaped) {
  const auto known = by_pid_.find(reaped.tid);
  if (known != by_pid_.end()) {
    Timeline& timeline = report_.victims[known->second].timeline;
    if (!reaped.done) timeline.reap_skipped = true;
    if (reaped.done && at.at_ns != 0) timeline.reaped_ns = at.at_ns;
    return true;
  }
  if (settled() || !begun() || reaped_) return false;
  // It may have been killed long ago; settle_reaped() decides.
  reaped_.emplace();
  reaped_->pid = reaped.tid;
  if (!reaped.comm.empty()) reaped_->comm = reaped.comm;
  if (reaped.done && at.at_ns != 0) reaped_->timeline.reaped_ns = at.at_ns;
  if (!reaped.done) reaped_->timeline.reap_skipped = true;
  return true;
}

Opt<OpenReport::Told> OpenReport::release_last() {
  if (!report_.oom_group || !last_is_new_ || report_.victims.size() < 2) return std::nullopt;
  Told last{.victim = std::move(report_.victims.back()), .message = message_};
  report_.victims.pop_back();
  by_pid_.erase(last.victim.pid.value_or(0));
  return last;
}

void OpenReport::adopt(Told first) {
  first.victim.role = Role::kChosen;
  message_ = first.message;
  by_pid_.emplace(first.victim.pid.value_or(0), report_.victims.size());
  report_.victims.push_back(std::move(first.victim));
}

}  // namespace oomwitness
