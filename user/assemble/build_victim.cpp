// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>

#include "assemble/build_incident.h"
#include "assemble/completion.h"
#include "assemble/late_fill.h"

namespace oomwitness {

namespace {

// The kernel's argv area: strings one after another, each ended by a NUL; the last one may be cut.
std::vector<std::string> split_argv(const std::string& bytes) {
  std::vector<std::string> arguments;
  std::size_t at = 0;
  while (at < bytes.size()) {
    const std::size_t end = std::min(bytes.find('\0', at), bytes.size());
    arguments.push_back(bytes.substr(at, end - at));
    at = end + 1;
  }
  return arguments;
}

Role role_of(const CaseFile& file, const CaseVictim& known, const AssemblerConfig& config) {
  if (known.is_sharer()) return Role::kSharedMm;
  if (file.was_already_exiting(known, sees_decisions(config))) return Role::kAlreadyExiting;
  if (file.decision && file.decision->chosen) {
    if (file.is_chosen(known)) return Role::kChosen;
  } else if (known.from_kernel()) {
    // Without the decision the kernel side cannot tell; the kernel kills the chosen one first.
    return &known == &file.victims.front() ? Role::kChosen : Role::kGroup;
  }
  if (known.in_oom_group()) return Role::kGroup;
  for (const auto& task : known.seen)
    if (task && task->role != Role::kUnknown && task->role != Role::kSharedMm) return task->role;
  return Role::kUnknown;
}

void put_task(Victim& victim, const VictimTask& task, const AssemblerConfig& config) {
  const auto number = [](Opt<std::uint32_t>& field, std::uint32_t value) {
    if (!field && value != 0) field = value;
  };
  number(victim.tid, task.tid);
  number(victim.ppid, task.ppid);
  number(victim.threads, task.threads);
  if (!victim.comm) victim.comm = task.comm;
  if (!victim.uid) victim.uid = task.uid;
  if (!victim.oom_score_adj) victim.oom_score_adj = task.oom_score_adj;
  if (!victim.cgroup && !task.cgroup.empty()) victim.cgroup = task.cgroup;
  if (!victim.exe && task.exe) {
    victim.exe = task.exe;
    victim.exe_deleted = task.exe_deleted;
  }
  if (!victim.ns_pid && task.ns_pids.size() > 1) number(victim.ns_pid, task.ns_pids.front().pid);
  if (victim.ancestry.empty()) victim.ancestry = task.ancestry;
  // Whole or not at all: sizes of two moments do not add up.
  if (victim.memory == Memory{}) victim.memory = task.memory;
  if (!victim.started_unix_ns && task.start_boottime_ns != 0)
    victim.started_unix_ns = static_cast<std::int64_t>(
        task.start_boottime_ns + static_cast<std::uint64_t>(config.unix_minus_boottime_ns));
}

void put_mark(Victim& victim, const Marked& mark) {
  victim.timeline.marked_ns = mark.at_ns;
  if (!victim.comm) victim.comm = mark.comm;
  if (!victim.uid) victim.uid = mark.uid;
  if (!victim.oom_score_adj) victim.oom_score_adj = mark.oom_score_adj;
  if (victim.memory == Memory{} && mark.memory) victim.memory = *mark.memory;
}

void put_argv(Victim& victim, const Delivered& taken) {
  victim.timeline.signalled_ns = taken.at_ns;
  if (!taken.argv) return;
  victim.cmdline = split_argv(*taken.argv);
  if (taken.argv_bytes > taken.argv->size()) victim.cmdline_bytes = taken.argv_bytes;
}

bool fill_from_proc(Incident& incident, std::size_t index, const ProcFacts& facts) {
  Victim& victim = incident.victims[index];
  LateFill fill(incident.provenance, "proc", victim_prefix(index), true);
  // An empty /proc/PID/cmdline is what a process without memory shows, too: it tells nothing.
  if (facts.cmdline && !facts.cmdline->empty() && !victim.cmdline) {
    fill(victim.cmdline, facts.cmdline, "cmdline");
    victim.cmdline_bytes = facts.cmdline_bytes;
  }
  if (!victim.exe && facts.exe) {
    fill(victim.exe, facts.exe, "exe");
    victim.exe_deleted = facts.exe_deleted;
  }
  fill(victim.user, facts.user, "user");
  fill(victim.cgroup, facts.cgroup, "cgroup");
  fill(victim.unit, facts.unit, "unit");
  fill(victim.container, facts.container, "container");
  fill(victim.pod, facts.pod, "pod");
  fill(victim.ancestry, facts.ancestry, "ancestry");
  return fill.gave_anything();
}

void fill_memory(LateFill& fill, Memory& memory, const Memory& log) {
  fill(memory.total_vm_bytes, log.total_vm_bytes, "memory.total_vm_bytes");
  fill(memory.anon_rss_bytes, log.anon_rss_bytes, "memory.anon_rss_bytes");
  fill(memory.file_rss_bytes, log.file_rss_bytes, "memory.file_rss_bytes");
  fill(memory.shmem_rss_bytes, log.shmem_rss_bytes, "memory.shmem_rss_bytes");
  fill(memory.swap_bytes, log.swap_bytes, "memory.swap_bytes");
  fill(memory.pgtables_bytes, log.pgtables_bytes, "memory.pgtables_bytes");
}

bool fill_from_log(Incident& incident, std::size_t index, const Victim& log, bool noted) {
  Victim& victim = incident.victims[index];
  LateFill fill(incident.provenance, "kmsg", victim_prefix(index), noted);
  fill(victim.pid, log.pid, "pid");
  fill(victim.tid, log.tid, "tid");
  fill(victim.ppid, log.ppid, "ppid");
  fill(victim.comm, log.comm, "comm");
  fill(victim.uid, log.uid, "uid");
  fill(victim.cgroup, log.cgroup, "cgroup");
  fill(victim.oom_score_adj, log.oom_score_adj, "oom_score_adj");
  fill(victim.points, log.points, "points");
  fill(victim.threads, log.threads, "threads");
  fill_memory(fill, victim.memory, log.memory);
  if (victim.role == Role::kUnknown && log.role != Role::kUnknown) {
    victim.role = log.role;
    fill.gave("role");
  }
  fill(victim.timeline.reaped_ns, log.timeline.reaped_ns, "timeline.reaped_ns");
  return fill.gave_anything();
}

}  // namespace

Victim victim_from_kernel(const CaseFile& file, const CaseVictim& known,
                          const AssemblerConfig& config) {
  Victim victim;
  victim.pid = known.pid;
  if (known.mark) victim.tid = known.mark->tid;
  if (victim.tid == 0U) victim.tid.reset();
  for (const auto& task : known.seen)
    if (task) put_task(victim, *task, config);
  if (known.mark) put_mark(victim, *known.mark);
  if (known.delivered) put_argv(victim, *known.delivered);
  victim.timeline.reap_started_ns = known.reap_started_ns;
  victim.timeline.reaped_ns = known.reaped_ns;
  victim.timeline.reap_skipped = known.reap_skipped;
  victim.timeline.exited_ns = known.exited_ns;
  if (file.is_chosen(known)) {
    const Decision::Chosen& chosen = *file.decision->chosen;
    if (!victim.comm) victim.comm = chosen.comm;
    if (file.decision->message != kAllocatingTaskMessage) victim.points = chosen.points;
  }
  victim.role = role_of(file, known, config);
  return victim;
}

LateSources fill_victim_late(Incident& incident, std::size_t index, const CaseFile& file) {
  const CaseVictim& known = file.victims[index];
  LateSources late;
  if (known.facts) late.proc_gave = fill_from_proc(incident, index, *known.facts);
  if (known.log) late.log_gave = fill_from_log(incident, index, *known.log, file.from_kernel());
  return late;
}

}  // namespace oomwitness
