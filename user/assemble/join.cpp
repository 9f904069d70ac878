// SPDX-License-Identifier: BSD-2-Clause
// What belongs to which kill. With a decision hook the kernel side numbers the kills; without one,
// pids, thread ids, start times and the invoker have to do.
#include <algorithm>
#include <type_traits>

#include "assemble/docket.h"

namespace oomwitness {

namespace {

// The victim of this case that the task is, if any.
CaseVictim* find_task(CaseFile& file, const VictimTask& task) {
  if (CaseVictim* victim = file.victim_of_life(task.pid, task.start_boottime_ns)) return victim;
  CaseVictim* by_tid = file.victim_of_task(task.tid);
  return by_tid != nullptr && !by_tid->pid ? by_tid : nullptr;
}

// A mark may have given no more than a thread id; the first thread to take SIGKILL can be another
// one. With a single such victim in the decision there is no doubt whose it is.
CaseVictim* only_nameless(CaseFile& file) {
  CaseVictim* only = nullptr;
  for (CaseVictim& victim : file.victims) {
    if (victim.pid || !victim.mark) continue;
    if (only != nullptr) return nullptr;
    only = &victim;
  }
  return only;
}

CaseVictim* find_process(CaseFile& file, std::uint32_t pid, std::uint32_t tid) {
  if (CaseVictim* victim = file.victim_of_life(pid, 0)) return victim;
  CaseVictim* by_tid = file.victim_of_task(tid);
  return by_tid != nullptr && !by_tid->pid ? by_tid : nullptr;
}

// The last victim that the kernel side saw; the log may have told of more.
const CaseVictim* last_seen(const CaseFile& file) {
  const auto last = std::find_if(file.victims.rbegin(), file.victims.rend(),
                                 [](const CaseVictim& victim) { return victim.from_kernel(); });
  return last == file.victims.rend() ? nullptr : &*last;
}

}  // namespace

bool Docket::join(const Observation& observation, std::uint64_t now_ns) {
  now_ns_ = now_ns;
  return std::visit([this](const auto& seen) { return take(seen); }, observation);
}

bool Docket::close_in_time(std::uint64_t a, std::uint64_t b) const {
  return (a > b ? a - b : b - a) <= config_.group_quiet_ns;
}

bool Docket::take(const Decision& decision) {
  CaseFile* file = decision.id != 0 ? find_or_open(decision.id, decision.at_ns)
                                    : &open(decision.id, decision.at_ns);
  if (file == nullptr || file->decision) return true;
  file->decision = decision;
  for (CaseVictim& victim : file->victims) {
    if (victim.pid || !file->is_chosen(victim) || decision.chosen->pid == 0) continue;
    victim.pid = decision.chosen->pid;
    file->reindex(victim);
    new_faces_ = true;
  }
  touch(*file);
  return true;
}

template <typename Part>
bool Docket::take_part(Opt<Part> CaseFile::*slot, const Part& part) {
  CaseFile* file = part.id != 0 ? find_or_open(part.id, part.at_ns) : nullptr;
  if (file == nullptr || file->*slot) return true;
  file->*slot = part;
  touch(*file);
  return true;
}

bool Docket::take(const MemcgChain& chain) {
  if (chain.of_limit) return take_part(&CaseFile::limit_chain, chain);
  CaseFile* file = find(chain.id);
  for (auto at = files_.rbegin(); file == nullptr && at != files_.rend(); ++at) {
    const CaseVictim* victim = at->second.victim_of_life(chain.victim_pid, 0);
    if (victim != nullptr && !victim->gone()) file = &at->second;
  }
  // The first victim's is enough: a limit above the others is above it too.
  if (file == nullptr || file->victim_chain) return true;
  file->victim_chain = chain;
  touch(*file);
  return true;
}

bool Docket::take(const CandidateList& list) {
  return take_part(&CaseFile::candidates, list);
}

bool Docket::take(const Stacks& stacks) {
  return take_part(&CaseFile::stacks, stacks);
}

bool Docket::take(const SystemMemory& memory) {
  const bool late = memory.system.source == "proc";
  CaseFile* file = find(memory.id);
  if (memory.id == 0 && late) return take_system_of(memory.victim_pid, memory);
  if (file == nullptr && late) return true;
  const bool better = file != nullptr && file->system && file->system->system.source == "proc";
  if (late || !better) return take_part(&CaseFile::system, memory);
  file->system = memory;  // the kernel's own figures, where user space was quicker
  touch(*file);
  return true;
}

// Without a decision to name, the youngest open case of that victim.
bool Docket::take_system_of(std::uint32_t pid, const SystemMemory& memory) {
  for (auto at = files_.rbegin(); at != files_.rend(); ++at) {
    if (at->second.victim_of_life(pid, 0) == nullptr) continue;
    if (!at->second.system) {
      at->second.system = memory;
      touch(at->second);
    }
    return true;
  }
  return true;
}

bool Docket::take(const MemcgStat& stat) {
  CaseFile* file = find(stat.id);
  if (file == nullptr || file->stat) return true;
  file->stat = stat;
  touch(*file);
  return true;
}

Docket::Found Docket::find_undecided(const VictimTask& task) {
  for (auto at = files_.rbegin(); at != files_.rend(); ++at) {
    CaseVictim* victim = find_task(at->second, task);
    if (victim == nullptr) continue;
    const bool same_life =
        task.start_boottime_ns != 0 && task.start_boottime_ns == victim->start_boottime_ns;
    const bool crossed =
        victim->start_boottime_ns == 0 && close_in_time(task.at_ns, victim->first_at_ns());
    if (same_life || crossed || !victim->gone() || !victim->from_kernel())
      return {&at->second, victim};
  }
  return {};
}

Docket::Found Docket::host_of_sharer() {
  for (auto at = files_.rbegin(); at != files_.rend(); ++at) {
    for (CaseVictim& victim : at->second.victims)
      if (victim.shares_mm()) return {&at->second, nullptr};
  }
  return {};
}

// A pid that starts another life has ended the one before, seen or not.
void Docket::end_earlier_lives(const VictimTask& task) {
  if (task.start_boottime_ns == 0) return;
  for (auto& [number, file] : files_) {
    CaseVictim* victim = file.victim_of_task(task.pid);
    if (victim == nullptr || victim->gone() || !victim->is_life(task.pid, 0)) continue;
    if (victim->start_boottime_ns == 0 || victim->start_boottime_ns >= task.start_boottime_ns)
      continue;
    victim->pid_reused = true;
    victim->gone_ns = now_ns_;
    touch(file);
  }
}

bool Docket::take(const VictimTask& task) {
  Found found;
  if (task.id != 0) {
    found.file = find_or_open(task.id, task.at_ns);
    if (found.file == nullptr) return true;
    found.victim = find_task(*found.file, task);
    if (found.victim == nullptr && task.seen_at == SeenAt::kDeliver && task.role != Role::kSharedMm)
      found.victim = only_nameless(*found.file);
  } else {
    found = find_undecided(task);
    if (found.file == nullptr && task.seen_at == SeenAt::kDeliver) {
      if (task.role != Role::kSharedMm) return false;
      found = host_of_sharer();
    }
    if (found.file == nullptr) found.file = &open(0, task.at_ns);
  }
  end_earlier_lives(task);
  if (found.victim == nullptr) found.victim = &found.file->add_victim(now_ns_);
  const bool known = found.victim->pid.has_value();
  const bool news = found.victim->add(task);
  found.file->reindex(*found.victim);
  found.file->reindex(task.tid, *found.victim);
  new_faces_ = new_faces_ || !known;
  if (news) touch(*found.file);
  fold_groups(*found.file);
  return true;
}

// The victim of this decision that the mark names.
CaseVictim* Docket::find_marked(CaseFile& file, const Marked& marked) const {
  if (CaseVictim* victim = find_process(file, marked.pid.value_or(0), marked.tid)) return victim;
  if (marked.pid) return nullptr;
  if (CaseVictim* victim = file.victim_of_task(marked.tid)) return victim;
  // __oom_kill_process registers, then marks, under oom_lock: the last one registered it is, under
  // the id of whichever of its threads still had the mm (find_lock_task_mm).
  if (file.victims.empty()) return nullptr;
  CaseVictim& last = file.victims.back();
  return last.mark || last.is_sharer() || !last.from_kernel() ? nullptr : &last;
}

Docket::Found Docket::find_undecided(const Marked& marked) {
  for (auto at = files_.rbegin(); at != files_.rend(); ++at) {
    CaseVictim* victim = find_process(at->second, marked.pid.value_or(0), marked.tid);
    if (victim == nullptr && !marked.pid) victim = at->second.victim_of_task(marked.tid);
    if (victim == nullptr) continue;
    const bool crossed = !victim->mark && close_in_time(marked.at_ns, victim->first_at_ns());
    // A second mark of one life: another thread of it ran into the limit (TIF_MEMDIE is a
    // thread's).
    if (crossed || !victim->gone() || !victim->from_kernel()) return {&at->second, victim};
  }
  if (marked.pid || marked.invoker.tid == 0) return {};
  for (auto at = files_.rbegin(); at != files_.rend(); ++at) {
    CaseFile& file = at->second;
    if (file.id != 0 || file.decision || file.victims.empty()) continue;
    CaseVictim& last = file.victims.back();
    if (last.mark || last.is_sharer() || last.invoker_tid() != marked.invoker.tid) continue;
    if (close_in_time(marked.at_ns, last.first_at_ns())) return {&file, &last};
  }
  return {};
}

bool Docket::take(const Marked& marked) {
  Found found;
  if (marked.id != 0) {
    found.file = find_or_open(marked.id, marked.at_ns);
    if (found.file == nullptr) return true;
    found.victim = find_marked(*found.file, marked);
  } else {
    found = find_undecided(marked);
    if (found.file == nullptr) found.file = &open(0, marked.at_ns);
  }
  const bool fresh = found.victim == nullptr;
  if (fresh) found.victim = &found.file->add_victim(now_ns_);
  CaseVictim& victim = *found.victim;
  const bool nameless = !victim.pid;
  const bool news = victim.add(marked);
  found.file->reindex(victim);
  found.file->reindex(marked.tid, victim);
  if (!victim.pid && found.file->is_chosen(victim) && found.file->decision->chosen->pid != 0) {
    victim.pid = found.file->decision->chosen->pid;
    found.file->reindex(victim);
  }
  new_faces_ = new_faces_ || fresh || (nameless && victim.pid);
  if (news) touch(*found.file);
  fold_groups(*found.file);
  return true;
}

// Marks in a row by one invoker inside memory.oom.group are one kill: the kernel marks them in one
// oom_kill_process call. The log's account of later members may have joined the case of the first.
void Docket::fold_into_group(CaseFile& file) {
  if (file.id != 0 || file.decision || file.written || file.victims.empty()) return;
  const CaseVictim& member = file.victims.front();
  const Opt<std::uint32_t> invoker = member.invoker_tid();
  if (!invoker || !member.in_oom_group()) return;
  for (auto at = files_.rbegin(); at != files_.rend(); ++at) {
    CaseFile& host = at->second;
    if (host.number >= file.number || host.id != 0 || host.decision) continue;
    const CaseVictim* last = last_seen(host);
    if (last == nullptr || !last->in_oom_group() || last->invoker_tid() != invoker) continue;
    if (!close_in_time(last->first_at_ns(), member.first_at_ns())) continue;
    for (const CaseVictim& one : file.victims) {
      host.add_victim(now_ns_) = one;
      host.reindex(host.victims.back());
    }
    std::move(file.logs.begin(), file.logs.end(), std::back_inserter(host.logs));
    drop(file);
    touch(host);
    return;
  }
}

// What is now known of this case may make it one with an earlier or a later one.
void Docket::fold_groups(CaseFile& file) {
  if (file.id != 0 || file.decision) return;
  const CaseVictim* last = last_seen(file);
  if (last == nullptr || !last->in_oom_group()) return;
  for (auto next = files_.upper_bound(file.number); next != files_.end();) {
    CaseFile& later = next->second;
    ++next;
    fold_into_group(later);
  }
  fold_into_group(file);
}

// Whether what happened to a pid can have happened to this victim: a pid has many lives.
template <typename Seen>
bool Docket::admits(const CaseFile& file, const CaseVictim& victim, const Seen& seen) const {
  if (seen.at_ns < victim.first_at_ns() && !close_in_time(seen.at_ns, victim.first_at_ns()))
    return false;
  if (seen.id != 0 && file.id == seen.id) return true;
  // Told under the number of another decision: the same process chosen twice, or another life.
  return !victim.gone();
}

template <typename Seen, typename Matching>
bool Docket::tell_all(const Seen& seen, Matching matching) {
  bool found = false;
  for (auto at = files_.rbegin(); at != files_.rend(); ++at) {
    CaseFile& file = at->second;
    CaseVictim* victim = matching(file);
    if (victim == nullptr || !admits(file, *victim, seen)) continue;
    found = true;
    const bool nameless = !victim->pid;
    if (!victim->add(seen)) continue;
    if constexpr (std::is_same_v<Seen, Exited>) victim->gone_ns = now_ns_;
    file.reindex(*victim);
    new_faces_ = new_faces_ || (nameless && victim->pid);
    touch(file);
  }
  return found;
}

bool Docket::take(const Delivered& taken) {
  return tell_all(taken, [&](CaseFile& file) {
    CaseVictim* victim = find_process(file, taken.pid, taken.tid);
    if (victim != nullptr) file.reindex(taken.tid, *victim);
    return victim;
  });
}

bool Docket::take(const Reaped& reaped) {
  return tell_all(reaped, [&](CaseFile& file) { return file.victim_of_task(reaped.tid); });
}

bool Docket::take(const Exited& exited) {
  return tell_all(exited,
                  [&](CaseFile& file) { return find_process(file, exited.pid, exited.pid); });
}

bool Docket::take(const ProcFacts& facts) {
  bool found = false;
  for (auto at = files_.rbegin(); at != files_.rend(); ++at) {
    CaseVictim* victim = at->second.victim_of_life(facts.pid, facts.start_boottime_ns);
    if (victim == nullptr) continue;
    // Without both start times only the latest life of the pid will do, and not long after it.
    const bool sure = facts.start_boottime_ns != 0 && victim->start_boottime_ns != 0;
    const bool long_gone = victim->gone() && now_ns_ - victim->gone_ns > config_.facts_wait_ns;
    if (!sure && (found || long_gone)) continue;
    found = true;
    if (victim->add(facts)) touch(at->second);
  }
  return found;
}

}  // namespace oomwitness
