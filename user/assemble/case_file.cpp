// SPDX-License-Identifier: BSD-2-Clause
#include "assemble/case_file.h"

#include <algorithm>

namespace oomwitness {

bool CaseFile::from_kernel() const {
  if (system && system->system.source != "proc") return true;
  return decision || limit_chain || candidates || stacks ||
         std::any_of(victims.begin(), victims.end(),
                     [](const CaseVictim& victim) { return victim.from_kernel(); });
}

bool CaseFile::is_group() const {
  if (victims.size() > 1) return true;
  return std::any_of(victims.begin(), victims.end(),
                     [](const CaseVictim& victim) { return victim.in_oom_group(); });
}

bool CaseFile::everybody_gone() const {
  return std::all_of(victims.begin(), victims.end(),
                     [](const CaseVictim& victim) { return victim.gone(); });
}

bool CaseFile::awaits_sharer() const {
  const auto shares = [](const CaseVictim& victim) { return victim.shares_mm(); };
  const auto sharer = [](const CaseVictim& victim) { return victim.is_sharer(); };
  return std::any_of(victims.begin(), victims.end(), shares) &&
         std::none_of(victims.begin(), victims.end(), sharer);
}

std::uint64_t CaseFile::kernel_time_ns() const {
  if (decision) return decision->at_ns;
  Opt<std::uint64_t> first;
  for (const CaseVictim& victim : victims)
    if (victim.mark) first = std::min(first.value_or(victim.mark->at_ns), victim.mark->at_ns);
  return first.value_or(first_at_ns);
}

bool CaseFile::is_chosen(const CaseVictim& victim) const {
  if (!decision || !decision->chosen) return false;
  const Decision::Chosen& chosen = *decision->chosen;
  if (victim.pid && chosen.pid != 0) return *victim.pid == chosen.pid;
  return victim.has_tid(chosen.tid) || victim.has_tid(chosen.pid);
}

bool CaseFile::was_already_exiting(const CaseVictim& victim, bool decisions_are_seen) const {
  // Whoever reached __oom_kill_process was killed, whatever it was doing before.
  if (victim.seen[static_cast<std::size_t>(SeenAt::kKill)]) return false;
  if (decision) {
    return is_chosen(victim) &&
           (decision->chosen->state.sigkill_pending || decision->chosen->state.group_exit);
  }
  if (!victim.mark && !victim.seen[static_cast<std::size_t>(SeenAt::kMark)]) return false;
  for (const auto& task : victim.seen)
    if (task && task->role == Role::kAlreadyExiting) return true;
  // SIGKILL goes out before mark_victim, so a pending one tells nothing unless the decision that
  // sent it would have been seen.
  return decisions_are_seen && id == 0 && victim.was_dying();
}

CaseVictim* CaseFile::victim_of_task(std::uint32_t pid_or_tid) {
  const auto found = by_task_.find(pid_or_tid);
  return pid_or_tid == 0 || found == by_task_.end() ? nullptr : &victims[found->second];
}

CaseVictim* CaseFile::victim_of_life(std::uint32_t pid, std::uint64_t start) {
  CaseVictim* victim = victim_of_task(pid);
  if (victim == nullptr) return nullptr;
  if (!victim->pid) return victim;  // known by that thread id only, so far
  return victim->is_life(pid, start) ? victim : nullptr;
}

CaseVictim& CaseFile::add_victim(std::uint64_t now_ns) {
  CaseVictim& victim = victims.emplace_back();
  victim.arrived_ns = now_ns;
  last_victim_ns = now_ns;
  return victim;
}

void CaseFile::reindex(std::uint32_t thread, const CaseVictim& victim) {
  if (thread != 0) by_task_[thread] = static_cast<std::size_t>(&victim - victims.data());
}

void CaseFile::reindex(const CaseVictim& victim) {
  if (victim.pid) reindex(*victim.pid, victim);
  for (const auto& task : victim.seen)
    if (task) reindex(task->tid, victim);
  if (victim.mark) reindex(victim.mark->tid, victim);
  if (victim.log) {
    if (victim.log->pid) reindex(*victim.log->pid, victim);
    if (victim.log->tid) reindex(*victim.log->tid, victim);
  }
}

}  // namespace oomwitness
