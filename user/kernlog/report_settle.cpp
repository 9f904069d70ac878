// SPDX-License-Identifier: BSD-2-Clause
// A report whose lines are all there: what they say together.
#include <algorithm>
#include <cstdint>
#include <utility>

#include "kernlog/gfp_era.h"
#include "kernlog/kernel_release.h"
#include "kernlog/open_report.h"
#include "kernlog/summary.h"

namespace oomwitness {

LogReport OpenReport::finish() {
  settle_summary();
  settle_reaped();
  settle_selected();
  settle_memcg();
  settle_constraint();
  settle_stack();
  settle_machine();
  settle_gfp();
  if (message_ != KillMessage::kUnknown) {
    report_.scope.kill_allocating_task = message_ == KillMessage::kAllocatingTask;
  }
  const Opt<std::uint64_t> page = page_size();
  const Opt<std::uint64_t> total = total_pages(page);
  if (table_.begun()) {
    settle_threads();
    table_.settle({.page_size_bytes = page, .total_pages = total}, report_.candidates);
    if (!page && table_.rows() != 0) {
      report_.missing.emplace("candidates.memory", "the report does not show the page size");
    }
  }
  report_.candidates.total_pages = total;
  report_.system = std::move(mem_info_).settle(page);
  mem_info_ = {};
  LogReport done = std::move(report_);
  clear();
  return done;
}

void OpenReport::settle_summary() {
  if (summary_.empty()) return;
  SummaryContext context;
  if (!stats_.path().empty()) context.oom_memcg = stats_.path();
  if (!report_.victims.empty()) {
    context.victim_comm = report_.victims.front().comm;
    context.victim_pid = report_.victims.front().pid;
  }
  Summary summary = parse_summary_line(summary_, context);
  report_.scope.constraint = summary.constraint;
  if (summary.nodemask) report_.scope.nodemask = summary.nodemask;
  if (summary.cpuset) report_.scope.cpuset = summary.cpuset;
  if (summary.mems_allowed) report_.scope.mems_allowed = summary.mems_allowed;
  if (summary.oom_memcg) report_.scope.memcg.emplace().self.path = *summary.oom_memcg;
  if (!summary.whole) report_.missing.emplace("selected", "the oom-kill line is damaged");
  if (report_.victims.empty() && summary.pid && !report_.no_killable && !report_.panic) {
    Victim victim;  // its kill line is missing
    victim.pid = summary.pid;
    victim.comm = summary.comm;
    victim.role = Role::kChosen;
    report_.missing.emplace("victims[0].memory", "the log has no kill line of it");
    report_.victims.push_back(std::move(victim));
  }
  if (summary.pid && !choice_) {
    choice_ = Selected{.pid = *summary.pid, .comm = summary.comm.value_or(""), .points = {}};
  }
  if (report_.victims.empty() || report_.victims.front().role != Role::kChosen) return;
  Victim& chosen = report_.victims.front();
  const bool same = !summary.pid || summary.pid == chosen.pid ||
                    (table_.begun() && table_.find(chosen.pid.value_or(0)) == summary.pid);
  const bool by_name = summary.comm && summary.comm == chosen.comm;
  if (same || by_name) chosen.cgroup = summary.task_memcg;
  if (same && !chosen.uid) chosen.uid = summary.uid;
  if (!same && by_name) {
    // One of the two pids is damaged, and the kill line is the shorter.
    choice_.reset();
    report_.missing.insert_or_assign("selected", "the oom-kill line's pid is not the kill line's");
  }
}

// No line says who died, but the reaper had somebody to reap: the victim, unless it is a task
// killed earlier, which would not be in the table any more.
void OpenReport::settle_reaped() {
  if (!reaped_ || settled() || choice_) return;
  if (table_.rows() != 0 && table_.is_whole() && !table_.find(reaped_->pid.value_or(0))) return;
  if (table_.rows() == 0 && !task_in_) return;
  reaped_->role = Role::kChosen;
  report_.missing.emplace("victims[0].memory", "the log has no kill line of it");
  report_.victims.push_back(*std::move(reaped_));
}

void OpenReport::settle_selected() {
  if (task_in_ && !report_.victims.empty() && !report_.victims.front().cgroup &&
      !task_in_->task_memcg.empty()) {
    report_.victims.front().cgroup = task_in_->task_memcg;
  }
  if (!choice_) return;
  report_.selected = choice_;
  if (report_.victims.empty()) {
    report_.missing.emplace("victims", "the log has no kill line");
    return;
  }
  Victim& victim = report_.victims.front();
  if (victim.pid == choice_->pid) {
    victim.score = choice_->score;
  } else if (choice_->score && victim.role == Role::kChosen &&
             table_.find(victim.pid.value_or(0)) != choice_->pid) {
    victim.role = Role::kChild;  // or a thread that the table does not show
  }
}

void OpenReport::settle_memcg() {
  Scope& scope = report_.scope;
  const auto put_path = [&](const std::string& path) {
    if (!scope.memcg && !path.empty()) scope.memcg.emplace().self.path = path;
  };
  if (task_in_) put_path(task_in_->oom_memcg);
  put_path(stats_.path());
  if (!scope.memcg) {
    if (usage_) report_.missing.emplace("scope.memcg", "the log does not show whose limit it was");
    // The figures are true of it all the same.
    if (usage_) scope.memcg.emplace();
  }
  if (!scope.memcg) return;
  MemcgLevel level = usage_.value_or(MemcgLevel{});
  level.path = std::move(scope.memcg->self.path);
  // Elsewhere it is of a cgroup below the limit, and says nothing about this one.
  if (report_.oom_group && group_path_ == level.path && !level.path.empty()) level.oom_group = true;
  if (stats_.path() == level.path || level.path.empty()) scope.memcg->stat = stats_.sizes();
  scope.memcg->self = std::move(level);
}

void OpenReport::settle_constraint() {
  Scope& scope = report_.scope;
  if (scope.constraint) return;
  // Only the limit of a memory cgroup prints these.
  if (usage_ || task_in_ || message_ == KillMessage::kMemcg || !stats_.path().empty()) {
    scope.constraint = "memcg";
  } else if (message_ == KillMessage::kCpuset) {
    scope.constraint = "cpuset";
  } else if (message_ == KillMessage::kMempolicy) {
    scope.constraint = "mempolicy";
  } else {
    report_.missing.emplace("constraint", "kernels before 5.0 do not print it");
  }
}

// The kernel prints thread ids; the table has both.
void OpenReport::settle_threads() {
  for (Victim& victim : report_.victims) {
    const auto group = table_.find(victim.pid.value_or(0));
    if (!group || group == victim.pid) continue;
    victim.tid = std::exchange(victim.pid, group);
  }
  if (const auto tid = report_.invoker.tid) {
    if (const auto group = table_.find(*tid)) report_.invoker.pid = group;
  }
}

// Unwinders without frame pointers mark every frame as a guess.
void OpenReport::settle_stack() {
  auto& stack = report_.invoker.kernel_stack;
  if (stack.empty() && !guesses_.empty()) {
    stack = std::move(guesses_);
    for (KernelFrame& frame : stack) frame.symbol.insert(0, "? ");
  }
  guesses_.clear();
}

void OpenReport::settle_machine() {
  const std::string_view told = arch_of_release(report_.host.kernel);
  report_.host.arch = told.empty() ? arch_ : std::string(told);
  report_.host.page_size_bytes = page_size().value_or(0);
}

// Kernels before 4.6 print the mask alone.
void OpenReport::settle_gfp() {
  auto& gfp = report_.invoker.gfp;
  if (!gfp || !gfp->flags.empty() || gfp->mask == 0 || gfp->mask > UINT32_MAX) return;
  const auto told = versions_of_release(report_.host.kernel);
  GfpNames names =
      gfp_names(static_cast<std::uint32_t>(gfp->mask), told ? *told : versions_of_forms(forms_));
  gfp->flags = std::move(names.flags);
  if (names.ambiguous) report_.missing.emplace("invoker.gfp.flags", std::move(names.why));
}

Opt<std::uint64_t> OpenReport::page_size() const {
  if (const auto size = mem_info_.page_size_bytes()) return size;
  for (const Victim& victim : report_.victims) {
    if (!victim.memory.total_vm_bytes || !table_.begun()) continue;
    const auto size = table_.page_size_of(victim.pid.value_or(0), *victim.memory.total_vm_bytes);
    if (size) return size;
  }
  const std::string_view told = arch_of_release(report_.host.kernel);
  return page_size_of_arch(told.empty() ? std::string_view(arch_) : told);
}

// oom_control.totalpages (constrained_alloc, mm/oom_kill.c; mem_cgroup_get_max, mm/memcontrol.c)
Opt<std::uint64_t> OpenReport::total_pages(Opt<std::uint64_t> page_size) const {
  if (!usage_) {
    const bool of_system = !report_.scope.constraint || report_.scope.constraint == "none";
    return of_system ? mem_info_.total_pages(page_size) : std::nullopt;
  }
  if (!page_size || !usage_->limit_bytes || !usage_->swap_limit_bytes) return std::nullopt;
  // Any swap beyond the limit counts as far as the system has it, which is not shown.
  const std::uint64_t swap =
      usage_->swap_is_memsw && usage_->swap_limit_bytes >= usage_->limit_bytes
          ? *usage_->swap_limit_bytes - *usage_->limit_bytes
          : *usage_->swap_limit_bytes;
  if (swap != 0) return std::nullopt;
  return *usage_->limit_bytes / *page_size;
}

}  // namespace oomwitness
