// SPDX-License-Identifier: BSD-2-Clause
#include "kernlog/open_report.h"

#include <string_view>
#include <utility>

#include "kernlog/summary.h"

namespace oomwitness {

namespace {

constexpr std::size_t kMaxFrames = 64;

// The kernel kills a group in one go; slower than this it is another kill, whose head was
// rate-limited away.
constexpr std::uint64_t kGroupGapNs = 1'000'000'000;

// PAGE_COUNTER_MAX, LONG_MAX in whole pages, printed as bytes: of 64 KiB pages and all smaller.
constexpr std::uint64_t kUnlimitedBytes = (1ULL << 63U) - 65536;

void set_limit(const UsageLine& usage, Opt<std::uint64_t>& limit, bool& unlimited) {
  unlimited = usage.limit_bytes >= kUnlimitedBytes;
  if (!unlimited) limit = usage.limit_bytes;
}

}  // namespace

bool OpenReport::settled() const {
  return !report_.victims.empty() || report_.no_killable || report_.panic;
}

bool OpenReport::add(std::uint64_t at_ns, const HeaderLine& header) {
  if (begun()) return false;
  headed_ = true;
  report_.at_ns = at_ns;
  report_.scope.sysrq = header.order == -1;
  report_.invoker.comm = header.comm;
  report_.invoker.gfp = header.gfp;
  report_.invoker.order = header.order;
  report_.invoker.oom_score_adj = header.oom_score_adj;
  return true;
}

bool OpenReport::add(std::uint64_t at_ns, const CpuLine& cpu) {
  // A warning of another CPU may come between: it is of another task, or of this very one.
  if (!in_head() || report_.invoker.tid || !report_.invoker.comm) return false;
  if (!cpu.comm_and_beyond.starts_with(*report_.invoker.comm + ' ')) return false;
  report_.at_ns = at_ns;
  report_.invoker.tid = cpu.tid;
  report_.invoker.uid = cpu.uid;
  return true;
}

bool OpenReport::add(std::uint64_t at_ns, const TraceHeadLine&) {
  if (!in_head() || !report_.invoker.kernel_stack.empty()) return false;
  report_.at_ns = at_ns;
  in_trace_ = true;
  return true;
}

bool OpenReport::add(std::uint64_t at_ns, const FrameLine& frame) {
  if (!in_head() || !in_trace_) return false;
  report_.at_ns = at_ns;
  auto& stack = report_.invoker.kernel_stack;
  // Up to dump_header it is the printing of this report.
  if (frame.symbol.starts_with("dump_header+")) {
    stack.clear();
  } else if (stack.size() < kMaxFrames) {
    stack.push_back({.address = 0, .symbol = std::string(frame.symbol)});
  }
  return true;
}

bool OpenReport::add(std::uint64_t at_ns, const UsageLine& usage) {
  if (!in_head()) return false;
  report_.at_ns = at_ns;
  in_trace_ = false;
  if (!usage_) usage_.emplace();
  if (usage.of == UsageLine::Of::kMemory) {
    usage_->usage_bytes = usage.usage_bytes;
    usage_->failcnt = usage.failcnt;
    set_limit(usage, usage_->limit_bytes, usage_->unlimited);
  } else {
    usage_->swap_usage_bytes = usage.usage_bytes;
    usage_->swap_is_memsw = usage.of == UsageLine::Of::kMemorySwap;
    set_limit(usage, usage_->swap_limit_bytes, usage_->swap_unlimited);
  }
  return true;
}

bool OpenReport::add(std::uint64_t at_ns, const StatsOfLine& stats) {
  if (!in_head()) return false;
  report_.at_ns = at_ns;
  stats_of_ = stats.path;
  return true;
}

bool OpenReport::add(std::uint64_t at_ns, const TableHeadLine& head) {
  if (!in_head()) return false;
  report_.at_ns = at_ns;
  in_trace_ = false;
  table_.emplace(head.text);
  return true;
}

bool OpenReport::add(std::uint64_t at_ns, const TableRowLine& row) {
  if (!in_head() || !table_) return false;
  report_.at_ns = at_ns;
  table_->add_row(row.text);
  return true;
}

bool OpenReport::add(std::uint64_t at_ns, const SummaryLine& summary) {
  if (begun() && (!in_head() || !summary_.empty())) return false;
  report_.at_ns = at_ns;
  summary_ = summary.text;
  return true;
}

bool OpenReport::add(std::uint64_t at_ns, const SummaryPieceLine& piece) {
  if (summary_.empty() || settled() || summary_pid(summary_)) return false;
  report_.at_ns = at_ns;
  summary_ += piece.text;
  return true;
}

// Whether the summary speaks of that process. Its pid is the thread group's, the kill line's that
// of a thread which still had the mm, as is the table's (find_lock_task_mm).
bool OpenReport::has_chosen(std::uint32_t pid) const {
  const auto chosen = summary_pid(summary_);
  if (!chosen || *chosen == pid || !table_ || !table_->is_whole()) return true;
  const LogTask* row = table_->find(pid);
  return row != nullptr && row->pid == chosen;
}

bool OpenReport::add(std::uint64_t at_ns, const KillLine& kill) {
  if (report_.no_killable || report_.panic) return false;
  if (report_.victims.empty()) {
    if (!has_chosen(kill.pid)) return false;
    add_victim(kill, report_.oom_group ? Role::kGroup : Role::kChosen);
  } else {
    const bool late = at_ns > last_kill_ns_ && at_ns - last_kill_ns_ > kGroupGapNs;
    if (!report_.oom_group || late) return false;
    add_victim(kill, Role::kGroup);
  }
  message_ = kill.message;
  report_.at_ns = last_kill_ns_ = at_ns;
  return true;
}

void OpenReport::add_victim(const KillLine& kill, Role role) {
  // The first of a group is told again among its members.
  last_is_new_ = by_pid_.emplace(kill.pid, report_.victims.size()).second;
  if (!last_is_new_) return;
  Victim victim;
  victim.pid = kill.pid;
  victim.comm = kill.comm;
  victim.uid = kill.uid;
  victim.oom_score_adj = kill.oom_score_adj;
  victim.memory = kill.memory;
  victim.role = role;
  report_.victims.push_back(std::move(victim));
}

bool OpenReport::add(std::uint64_t at_ns, const GroupLine& group) {
  if (begun() && (report_.victims.empty() || report_.oom_group)) return false;
  report_.at_ns = last_kill_ns_ = at_ns;
  report_.oom_group = true;
  group_path_ = group.path;
  return true;
}

bool OpenReport::add(std::uint64_t at_ns, const NoKillableLine&) {
  if (begun() && !in_head()) return false;
  report_.at_ns = at_ns;
  report_.no_killable = true;
  return true;
}

bool OpenReport::add(std::uint64_t at_ns, const PanicLine& panic) {
  if (begun() && !in_head() && !report_.no_killable) return false;
  report_.at_ns = at_ns;
  report_.panic = panic.reason;
  return true;
}

bool OpenReport::add(std::uint64_t at_ns, const ReapedLine& reaped) {
  const auto known = by_pid_.find(reaped.tid);
  if (known == by_pid_.end()) return false;
  report_.victims[known->second].timeline.reaped_ns = at_ns;
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

LogReport OpenReport::finish() && {
  using Message = KillLine::Message;
  settle_summary();
  settle_memcg();
  if (message_ != Message::kUnknown) {
    report_.scope.kill_allocating_task = message_ == Message::kAllocatingTask;
  }
  if (table_) {
    settle_threads();
    report_.tasks_listed = table_->rows();
    report_.tasks = std::move(*table_).take_tasks();
  }
  return std::move(report_);
}

void OpenReport::settle_summary() {
  if (summary_.empty()) return;
  SummaryContext context;
  if (!stats_of_.empty()) context.oom_memcg = stats_of_;
  if (!report_.victims.empty()) {
    context.victim_comm = report_.victims.front().comm;
    context.victim_pid = report_.victims.front().pid;
  }
  Summary summary = parse_summary_line(summary_, context);
  report_.scope.constraint = summary.constraint;
  report_.scope.nodemask = summary.nodemask;
  report_.scope.cpuset = summary.cpuset;
  report_.scope.mems_allowed = summary.mems_allowed;
  if (summary.oom_memcg) report_.scope.memcg.emplace().self.path = *summary.oom_memcg;
  if (report_.victims.empty() && summary.pid && !report_.no_killable && !report_.panic) {
    Victim victim;  // its kill line is missing
    victim.pid = summary.pid;
    victim.comm = summary.comm;
    victim.role = Role::kChosen;
    report_.victims.push_back(std::move(victim));
  }
  if (report_.victims.empty() || report_.victims.front().role != Role::kChosen) return;
  Victim& chosen = report_.victims.front();
  chosen.cgroup = summary.task_memcg;
  if (!chosen.uid) chosen.uid = summary.uid;
}

void OpenReport::settle_memcg() {
  Scope& scope = report_.scope;
  if (!scope.memcg && !stats_of_.empty()) scope.memcg.emplace().self.path = stats_of_;
  if (scope.memcg) {
    MemcgLevel level = usage_.value_or(MemcgLevel{});
    level.path = std::move(scope.memcg->self.path);
    // Elsewhere it is of a cgroup below the limit, and says nothing about this one.
    if (report_.oom_group && group_path_ == level.path) level.oom_group = true;
    scope.memcg->self = std::move(level);
  }
  // Only the limit of a memory cgroup prints these.
  if (!scope.constraint && (usage_ || message_ == KillLine::Message::kMemcg)) {
    scope.constraint = "memcg";
  }
}

// The kernel prints thread ids; the table has both.
void OpenReport::settle_threads() {
  for (Victim& victim : report_.victims) {
    const LogTask* row = table_->find(victim.pid.value_or(0));
    if (row == nullptr || !row->pid || row->pid == victim.pid) continue;
    victim.tid = std::exchange(victim.pid, row->pid);
  }
  if (const auto tid = report_.invoker.tid) {
    const LogTask* row = table_->find(*tid);
    if (row != nullptr) report_.invoker.pid = row->pid;
  }
}

}  // namespace oomwitness
