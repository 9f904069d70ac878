// SPDX-License-Identifier: BSD-2-Clause
// What the record says of the event itself: who asked for the kill, and how it went.
#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "diagnose/advice.h"
#include "diagnose/rules.h"
#include "diagnose/thresholds.h"
#include "diagnose/words.h"
#include "support/text.h"

namespace oomwitness {
namespace {

using namespace thresholds;

bool is_kernel_constraint(std::string_view name) {
  constexpr std::array<std::string_view, 4> kNames = {"none", "memcg", "cpuset", "mempolicy"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

// The kfuncs through which a BPF policy kills; other bpf_ frames are those of tracers.
bool killed_by_bpf(const Incident& incident) {
  const auto& stack = incident.invoker.kernel_stack;
  return std::any_of(stack.begin(), stack.end(), [](const KernelFrame& frame) {
    return frame.symbol.starts_with("bpf_oom_kill_process") ||
           frame.symbol.starts_with("bpf_out_of_memory") ||
           frame.symbol.starts_with("bpf_handle_oom");
  });
}

// Earlier kills of the same service.
struct Repeats {
  std::size_t count = 0;
  std::size_t close = 0;  // within kRepeatStrong
  const Earlier* last = nullptr;
  bool last_same_cgroup = false;
  Opt<std::uint64_t> last_before_ns;  // absent: the times do not tell
};

Opt<std::uint64_t> time_between(const Incident& incident, const Earlier& kill) {
  if (incident.time_unix_ns != 0 && kill.time_unix_ns != 0) {
    if (kill.time_unix_ns > incident.time_unix_ns) return std::nullopt;
    return static_cast<std::uint64_t>(incident.time_unix_ns) -
           static_cast<std::uint64_t>(kill.time_unix_ns);
  }
  if (incident.monotonic_ns != 0 && kill.monotonic_ns != 0 &&
      kill.monotonic_ns <= incident.monotonic_ns)
    return incident.monotonic_ns - kill.monotonic_ns;
  return std::nullopt;
}

Repeats repeats_of(const Facts& facts) {
  Repeats repeats;
  if (facts.victim == nullptr) return repeats;
  const Victim& victim = *facts.victim;
  const std::string own_cgroup = victim.cgroup == "/" ? "" : victim.cgroup.value_or("");
  const std::string own_comm = victim.comm.value_or("");
  for (const Earlier& kill : facts.earlier) {
    const bool cgroup = !kill.cgroup.empty() && kill.cgroup == own_cgroup;
    const bool comm = !kill.comm.empty() && kill.comm == own_comm;
    if (!cgroup && !comm) continue;
    if (!kill.id.empty() && kill.id == facts.incident->id) continue;
    const auto between = time_between(*facts.incident, kill);
    // The same pid once more is the echo of one kill: a group kill, or a log that has it twice.
    if (victim.pid && kill.pid == *victim.pid && between.value_or(0) < kRepeatStrong) continue;
    ++repeats.count;
    if (between && *between <= kRepeatStrong) ++repeats.close;
    repeats.last = &kill;
    repeats.last_same_cgroup = cgroup;
    repeats.last_before_ns = between;
  }
  return repeats;
}

}  // namespace

Opt<Finding> sysrq(const Facts& facts) {
  if (!facts.incident->scope.sysrq.value_or(false)) return std::nullopt;
  Finding found;
  found.weight = 100;
  found.confidence = Confidence::kHigh;
  found.summary = "Somebody asked for this kill with SysRq-f: memory need not have been short.";
  found.evidence = {"The order of the request is -1, which only SysRq has."};
  if (facts.host.free)
    found.evidence.push_back(
        fmt::format("{} were free at that time.", of_ram_text(facts, *facts.host.free)));
  found.advice = {
      "Look for who wrote f to /proc/sysrq-trigger or pressed Alt-SysRq-f; kernel.sysrq "
      "says what is allowed."};
  return found;
}

Opt<Finding> policy_kill(const Facts& facts) {
  const Incident& incident = *facts.incident;
  const auto& constraint = incident.scope.constraint;
  const bool bpf = killed_by_bpf(incident);
  const bool named = constraint && !is_kernel_constraint(*constraint);
  if (incident.killer != "kernel" || (!bpf && !named)) return std::nullopt;
  Finding found;
  found.weight = 96;
  found.confidence = bpf ? Confidence::kHigh : Confidence::kMedium;
  found.summary =
      "A policy decided this kill, by its own rules: memory need not have been used up.";
  if (bpf)
    found.evidence.emplace_back("The kernel stack shows a BPF program that asked for the kill.");
  if (named)
    found.evidence.push_back(
        fmt::format("The constraint is {}, which the kernel's own choice does "
                    "not know.",
                    safe_name(*constraint)));
  found.advice = {
      "Look at the policy: which BPF programs handle OOM here (`bpftool prog`, `bpftool "
      "struct_ops`), on which signal (pressure, usage) they kill, and whom."};
  return found;
}

Opt<Finding> stuck_victim(const Facts& facts) {
  if (facts.victim == nullptr) return std::nullopt;
  const Timeline& time = facts.victim->timeline;
  const bool skipped = time.reap_skipped.value_or(false);
  const bool late = time.marked_ns && time.exited_ns && *time.exited_ns > *time.marked_ns &&
                    *time.exited_ns - *time.marked_ns >= kStuck;
  if (!late && (!skipped || time.exited_ns)) return std::nullopt;
  Finding found;
  found.weight = 35;
  found.confidence = late ? Confidence::kHigh : Confidence::kMedium;
  found.summary =
      fmt::format("{} did not die in time: its memory stayed taken.", task_text(*facts.victim));
  if (late)
    found.evidence.push_back(fmt::format("{} was gone {} after it was marked.",
                                         task_text(*facts.victim),
                                         human_duration(*time.exited_ns - *time.marked_ns)));
  if (skipped)
    found.evidence.emplace_back(
        "The kernel's reaper could not take its memory (its mmap lock was "
        "held, or nothing could be taken).");
  found.advice = {
      "Look at where it hung: /proc/PID/stack and its state (D: uninterruptible), a "
      "hung disk or network file system, core dumps to slow storage."};
  return found;
}

Opt<Finding> repeated_kills(const Facts& facts) {
  const auto repeats = repeats_of(facts);
  if (repeats.last == nullptr) return std::nullopt;
  const bool close = repeats.close > 0;
  Finding found;
  found.weight = close ? 34 : 12;
  found.confidence = close ? Confidence::kHigh : Confidence::kLow;
  const std::string what = repeats.last_same_cgroup
                               ? "A task of " + safe_name(*facts.victim->cgroup)
                               : safe_name(repeats.last->comm);
  found.summary = fmt::format("{} has been killed before: {} earlier kill{} known.", what,
                              repeats.count, repeats.count == 1 ? " is" : "s are");
  std::string evidence =
      fmt::format("{} was killed {} before", what,
                  repeats.count == 1 ? std::string("once") : thousands(repeats.count) + " times");
  if (repeats.last_before_ns)
    evidence += fmt::format(", the last time {} earlier", human_duration(*repeats.last_before_ns));
  if (!close) evidence += "; so far apart that a recurring job may be the reason";
  found.evidence = {evidence + "."};
  found.advice = {
      "A service that is restarted into the same shortage dies again: fix the cause "
      "before raising Restart= limits; StartLimitBurst= and backoff keep the host "
      "usable meanwhile."};
  return found;
}

Opt<Finding> no_killable_task(const Facts& facts) {
  const Scope& scope = facts.incident->scope;
  const bool deadlock =
      scope.panic && (scope.panic->find("deadlocked on memory") != std::string::npos ||
                      scope.panic->find("no killable process") != std::string::npos);
  if (!scope.no_killable.value_or(false) && !deadlock) return std::nullopt;
  Finding found;
  found.weight = 95;
  found.confidence = Confidence::kHigh;
  found.summary = "Memory was used up and there was no task that could be killed.";
  const Candidates& all = facts.incident->candidates;
  const bool empty = all.listed == 0U || all.considered == 0U;
  if (facts.shortage == Shortage::kCgroup && empty) {
    found.evidence = {fmt::format(
        "No task is left in {}: what fills it has no owner (tmpfs files, shared memory, zswap, "
        "kernel objects of removed cgroups).",
        limit_name(facts))};
    found.advice = {look_at_cgroup_stat(facts),
                    "Remove the tmpfs files or shared memory that the cgroup's tasks left behind; "
                    "no kill can."};
  } else {
    found.evidence = {all.considered
                          ? fmt::format("{} tasks were weighed, {} of them unkillable.",
                                        thousands(*all.considered),
                                        thousands(all.unkillable.value_or(0)))
                          : "Every task was unkillable (oom_score_adj -1000, init, kernel "
                            "threads), or there was none."};
    found.advice = {
        "Take oom_score_adj -1000 from what may die (OOMScoreAdjust= of its unit), or "
        "free memory that no task owns."};
  }
  if (scope.panic)
    found.evidence.push_back(fmt::format("The kernel panicked: {}.", safe_name(*scope.panic)));
  return found;
}

Opt<Finding> panic_on_oom(const Facts& facts) {
  const auto& panic = facts.incident->scope.panic;
  // "System is deadlocked on memory" and "Attempted to kill init" are panics of another kind.
  if (!panic || panic->find("panic_on_oom") == std::string::npos) return std::nullopt;
  Finding found;
  found.weight = 97;
  found.confidence = Confidence::kHigh;
  found.summary = "The kernel panicked in place of a kill: vm.panic_on_oom is set.";
  found.evidence = {fmt::format("The kernel said: {}.", safe_name(*panic))};
  found.advice = {
      "With vm.panic_on_oom=0 the kernel kills a task and goes on; 1 panics only when "
      "the whole host is short, 2 always, for a cgroup's limit too."};
  return found;
}

Opt<Finding> user_space_killer(const Facts& facts) {
  const std::string& killer = facts.incident->killer;
  if (killer == "kernel" || killer.empty()) return std::nullopt;
  Finding found;
  found.weight = 98;
  found.confidence = Confidence::kHigh;
  found.summary =
      fmt::format("{} killed, before the kernel had to: by its own thresholds.", safe_name(killer));
  found.evidence = {fmt::format("The kill is {}'s, not the kernel's.", safe_name(killer))};
  if (facts.incident->scope.reason)
    found.evidence.push_back(
        fmt::format("It gives its reason as {}.", safe_name(*facts.incident->scope.reason)));
  found.advice = {killer == "systemd-oomd"
                      ? "See `oomctl`, and ManagedOOMMemoryPressureLimit=, "
                        "ManagedOOMPreference= of the units: they say when and whom it kills."
                      : "See its configuration for thresholds and for whom it prefers or avoids."};
  return found;
}

}  // namespace oomwitness
