// SPDX-License-Identifier: BSD-2-Clause
#include "assemble/case_victim.h"

#include <algorithm>

namespace oomwitness {

bool CaseVictim::from_kernel() const {
  const auto present = [](const auto& task) { return task.has_value(); };
  return std::any_of(seen.begin(), seen.end(), present) || mark || delivered || exited_ns;
}

bool CaseVictim::shares_mm() const {
  return std::any_of(seen.begin(), seen.end(),
                     [](const auto& task) { return task && task->shares_mm; });
}

bool CaseVictim::in_oom_group() const {
  return std::any_of(seen.begin(), seen.end(),
                     [](const auto& task) { return task && task->oom_group; });
}

bool CaseVictim::is_sharer() const {
  return !mark && std::any_of(seen.begin(), seen.end(), [](const auto& task) {
    return task && task->role == Role::kSharedMm;
  });
}

bool CaseVictim::was_dying() const {
  for (const auto& task : seen) {
    if (!task) continue;
    if (task->role == Role::kAlreadyExiting) return true;
    // At delivery everybody has been signalled: that state says nothing of before.
    if (task->seen_at != SeenAt::kDeliver &&
        (task->state.sigkill_pending || task->state.group_exit))
      return true;
  }
  return false;
}

Opt<std::uint32_t> CaseVictim::invoker_tid() const {
  if (mark && mark->invoker.tid != 0) return mark->invoker.tid;
  for (const auto& task : seen)
    if (task && task->invoker && task->invoker->tid != 0) return task->invoker->tid;
  return std::nullopt;
}

std::uint64_t CaseVictim::first_at_ns() const {
  Opt<std::uint64_t> first;
  const auto consider = [&first](std::uint64_t at) { first = std::min(first.value_or(at), at); };
  for (const auto& task : seen)
    if (task) consider(task->at_ns);
  if (mark) consider(mark->at_ns);
  if (!first && delivered) consider(delivered->at_ns);
  return first.value_or(0);
}

bool CaseVictim::is_life(std::uint32_t of_pid, std::uint64_t start) const {
  if (!pid || *pid != of_pid) return false;
  return start == 0 || start_boottime_ns == 0 || start == start_boottime_ns;
}

bool CaseVictim::has_tid(std::uint32_t tid) const {
  if (tid == 0) return false;
  if (pid == tid || (mark && mark->tid == tid) || (delivered && delivered->tid == tid)) return true;
  return std::any_of(seen.begin(), seen.end(),
                     [tid](const auto& task) { return task && task->tid == tid; });
}

void CaseVictim::learn_pid(std::uint32_t number) {
  if (!pid && number != 0) pid = number;
}

bool CaseVictim::add(const VictimTask& task) {
  auto& slot = seen.at(static_cast<std::size_t>(task.seen_at));
  learn_pid(task.pid);
  if (start_boottime_ns == 0) start_boottime_ns = task.start_boottime_ns;
  if (slot) return false;
  slot = task;
  return true;
}

bool CaseVictim::add(const Marked& marked) {
  if (marked.pid) learn_pid(*marked.pid);
  if (mark) return false;
  mark = marked;
  return true;
}

bool CaseVictim::add(const Delivered& taken) {
  learn_pid(taken.pid);
  if (delivered) return false;
  delivered = taken;
  return true;
}

bool CaseVictim::add(const Reaped& reaped) {
  const auto first = [&reaped](Opt<std::uint64_t>& when) {
    if (when) return false;
    when = reaped.at_ns;
    return true;
  };
  switch (reaped.phase) {
    case ReapPhase::kWake: return false;
    case ReapPhase::kStart: return first(reap_started_ns);
    case ReapPhase::kFinish: return first(reaped_ns);
    case ReapPhase::kSkip: break;
  }
  const bool news = !reap_skipped;
  reap_skipped = true;
  return news;
}

bool CaseVictim::add(const Exited& exited) {
  learn_pid(exited.pid);
  if (exited_ns) return false;
  exited_ns = exited.at_ns;
  return true;
}

bool CaseVictim::add(const ProcFacts& late) {
  if (facts) return false;
  facts = late;
  return true;
}

}  // namespace oomwitness
