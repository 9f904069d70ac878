// SPDX-License-Identifier: BSD-2-Clause
#include "kernlog/open_report.h"

#include <cstring>
#include <string_view>
#include <utility>

#include "kernlog/kernel_release.h"
#include "kernlog/summary.h"

namespace oomwitness {

namespace {

constexpr std::size_t kMaxFrames = 64;
constexpr std::size_t kMaxSummaryBytes = 16384;

// PAGE_COUNTER_MAX, LONG_MAX in whole pages, printed as bytes: of 64 KiB pages and all smaller.
constexpr std::uint64_t kUnlimitedBytes = (1ULL << 63U) - 65536;

void set_limit(const UsageLine& usage, Opt<std::uint64_t>& limit, bool& unlimited) {
  unlimited = usage.limit_bytes >= kUnlimitedBytes;
  if (!unlimited) limit = usage.limit_bytes;
}

std::uint64_t mix(std::uint64_t hash, std::string_view text) {
  constexpr std::uint64_t kPrime = 0x9fb21c651e98df25ULL;
  while (text.size() >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), 8);
    hash = (hash ^ word) * kPrime;
    hash ^= hash >> 32U;
    text.remove_prefix(8);
  }
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * kPrime;
  return hash ^ (hash >> 29U);
}

}  // namespace

bool OpenReport::begun() const {
  return headed_ || settled() || report_.oom_group || !summary_.empty() || task_in_ || choice_;
}

bool OpenReport::settled() const {
  return !report_.victims.empty() || report_.no_killable || report_.panic;
}

void OpenReport::clear() {
  report_ = {};
  dated_ = headed_ = tentative_ = in_trace_ = last_is_new_ = old_wording_ = false;
  other_dump_ = false;
  last_kill_ = {};
  group_at_ = {};
  message_ = KillMessage::kUnknown;
  by_pid_.clear();
  summary_.clear();
  group_path_.clear();
  arch_.clear();
  task_in_.reset();
  choice_.reset();
  usage_.reset();
  reaped_.reset();
  guesses_.clear();
  forms_.clear();
  stats_ = {};
  if (!mem_info_.empty()) mem_info_ = {};
  if (table_.begun()) table_.clear();
}

void OpenReport::seen(const LineTime& at) {
  if (at.at_ns != 0) report_.at_ns = at.at_ns;
  tentative_ = true;
  if (dated_) return;
  dated_ = at.at_ns != 0 || at.wall;
  report_.began_ns = at.at_ns;
  hash(at.at_ns);
  if (!at.wall) return;
  hash(static_cast<std::uint64_t>(at.wall->civil_ns));
  report_.wall_ns = at.wall->civil_ns;
  report_.wall_has_zone = at.wall->has_zone;
  report_.wall_has_year = at.wall->has_year;
}

void OpenReport::hash(std::string_view text) {
  report_.text_hash = mix(report_.text_hash, text);
}

void OpenReport::hash(std::uint64_t value) {
  static_assert(sizeof value == 8);
  hash({reinterpret_cast<const char*>(&value), sizeof value});  // NOLINT(*-reinterpret-cast)
}

bool OpenReport::add(const LineTime& at, const HeaderLine& header) {
  if (begun()) return false;
  clear();  // what came before was none of a kill's
  headed_ = true;
  seen(at);
  if (header.order) report_.scope.sysrq = header.order == -1;
  if (header.comm) report_.invoker.comm = *header.comm;
  report_.invoker.gfp = header.gfp;
  report_.invoker.order = header.order;
  report_.invoker.oom_score_adj = header.oom_score_adj;
  if (header.nodemask) report_.scope.nodemask = *header.nodemask;
  if (header.form) forms_.push_back(*header.form);
  hash(header.comm.value_or(std::string_view{}));
  return true;
}

bool OpenReport::add(const LineTime& at, const CpuLine& cpu) {
  // A warning of another CPU may come between: it is of another task, or of this very one.
  if (!in_head()) return false;
  std::string_view beyond = cpu.comm_and_beyond;
  if (cpu.tid) {
    if (report_.invoker.tid || !report_.invoker.comm) return false;
    const std::string& comm = *report_.invoker.comm;
    if (!beyond.starts_with(comm)) return false;
    beyond.remove_prefix(comm.size());
    if (!beyond.empty() && !beyond.starts_with(' ')) return false;
    report_.invoker.tid = cpu.tid;
    report_.invoker.uid = cpu.uid;
  }
  const std::string_view release = release_of(beyond);
  if (!cpu.tid && release.empty()) return false;
  seen(at);
  if (report_.host.kernel.empty()) report_.host.kernel = release;
  return true;
}

bool OpenReport::add(const LineTime& at, const CpusetLine& cpuset) {
  if (!in_head() || report_.invoker.comm != cpuset.comm || report_.scope.cpuset) return false;
  seen(at);
  if (!cpuset.cpuset.empty()) report_.scope.cpuset = cpuset.cpuset;
  if (!cpuset.mems_allowed.empty()) report_.scope.mems_allowed = cpuset.mems_allowed;
  return true;
}

bool OpenReport::add(const LineTime& at, const TraceHeadLine& head) {
  if (!in_head() || !report_.invoker.kernel_stack.empty() || !guesses_.empty()) return false;
  seen(at);
  if (head.arm64 && arch_.empty()) arch_ = "aarch64";
  in_trace_ = true;
  return true;
}

bool OpenReport::add(const LineTime& at, const FrameLine& frame) {
  if (!in_head() || !in_trace_) return false;
  seen(at);
  if (arch_.empty()) arch_ = arch_of_symbol(frame.symbol);
  auto& stack = report_.invoker.kernel_stack;
  // Up to dump_header it is the printing of this report.
  if (frame.symbol.starts_with("dump_header")) {
    stack.clear();
    guesses_.clear();
    return true;
  }
  auto& into = frame.guess ? guesses_ : stack;
  if (into.size() < kMaxFrames) {
    into.push_back({.address = 0, .symbol = std::string(frame.symbol)});
  }
  return true;
}

bool OpenReport::add(const LineTime& at, const UsageLine& usage) {
  if (settled()) return false;
  seen(at);
  in_trace_ = false;
  if (!usage_) usage_.emplace();
  if (usage.of == UsageLine::Of::kMemory) {
    usage_->usage_bytes = usage.usage_bytes;
    usage_->failcnt = usage.failcnt;
    set_limit(usage, usage_->limit_bytes, usage_->unlimited);
  } else if (usage.of != UsageLine::Of::kKmem) {
    usage_->swap_usage_bytes = usage.usage_bytes;
    usage_->swap_is_memsw = usage.of == UsageLine::Of::kMemorySwap;
    set_limit(usage, usage_->swap_limit_bytes, usage_->swap_unlimited);
  }
  return true;
}

bool OpenReport::add(const LineTime& at, const StatsOfLine& stats) {
  if (settled()) return false;
  seen(at);
  in_trace_ = false;
  stats_.begin(stats.path, stats.stats);
  return true;
}

bool OpenReport::add(const LineTime& at, const TaskInLine& task_in) {
  if (settled() || task_in_) return false;
  seen(at);
  in_trace_ = false;
  task_in_ = TaskIn{.task_memcg = std::string(task_in.task_memcg),
                    .oom_memcg = std::string(task_in.oom_memcg)};
  hash(task_in.task_memcg);
  return true;
}

bool OpenReport::add(const LineTime& at, const TableHeadLine& head) {
  if (settled()) return false;
  seen(at);
  in_trace_ = false;
  stats_.end();
  table_.begin(head.text, scale_now());
  return true;
}

bool OpenReport::add(const LineTime& at, const TableRowLine& row) {
  if (settled()) return false;
  if (!table_.begun()) table_.begin({}, {});
  seen(at);
  stats_.end();
  return table_.add_row(row.text);
}

bool OpenReport::add(const LineTime& at, const SummaryLine& summary) {
  if (settled() || !summary_.empty()) return false;
  seen(at);
  stats_.end();
  summary_ = summary.text;
  hash(summary.text);
  return true;
}

bool OpenReport::add(const LineTime& at, const SummaryPieceLine& piece) {
  if (summary_.empty() || settled() || summary_pid(summary_)) return false;
  if (summary_.size() + piece.text.size() > kMaxSummaryBytes) return false;
  seen(at);
  summary_ += piece.text;
  hash(piece.text);
  return true;
}

bool OpenReport::add(const LineTime& at, const ChoiceLine& choice) {
  if (settled() || choice_) return false;
  seen(at);
  choice_ = Selected{.pid = choice.pid, .comm = std::string(choice.comm), .points = {}};
  choice_->score = choice.score;
  message_ = choice.message;
  if (choice.form) forms_.push_back(*choice.form);
  hash(choice.comm);
  return true;
}

bool OpenReport::add(const LineTime&, const OtherDumpLine&) {
  if (begun()) return false;
  clear();
  other_dump_ = true;
  return true;
}

bool OpenReport::add_statistic(const LineTime& at, std::string_view text) {
  if (!stats_.open() || settled() || !stats_.add(text)) return false;
  seen(at);
  return true;
}

bool OpenReport::add_text(const LineTime& at, std::string_view text) {
  if (settled() || other_dump_ || !mem_info_.add(text)) return false;
  seen(at);
  in_trace_ = false;
  stats_.end();
  return true;
}

void OpenReport::note_machine(std::string_view text) {
  if (in_head() && arch_.empty()) arch_ = arch_of_registers(text);
}

TaskTable::Scale OpenReport::scale_now() const {
  const auto size = page_size();
  return {.page_size_bytes = size, .total_pages = total_pages(size)};
}

}  // namespace oomwitness
