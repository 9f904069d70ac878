// SPDX-License-Identifier: BSD-2-Clause
#include "kernlog/line.h"

#include <array>
#include <cstddef>
#include <utility>

#include "kernlog/scan.h"

namespace oomwitness {

namespace {

using namespace std::string_view_literals;

constexpr std::size_t kMaxCommBytes = 15;  // TASK_COMM_LEN - 1, include/linux/sched.h

std::vector<std::string> split_flags(std::string_view text) {
  std::vector<std::string> flags;
  while (!text.empty()) {
    const std::size_t bar = text.find('|');
    flags.emplace_back(text.substr(0, bar));
    text.remove_prefix(bar == std::string_view::npos ? text.size() : bar + 1);
  }
  return flags;
}

// "0xcc0(GFP_KERNEL)", "0"; a mask of no flags is printed as "0x0()" or "0()"
Opt<Gfp> parse_gfp(std::string_view text) {
  Scan scan(text);
  scan.skip("0x");
  const auto mask = scan.number<std::uint64_t>(16);
  if (!mask) return std::nullopt;
  Gfp gfp{.mask = *mask, .flags = {}};
  if (scan.done()) return gfp;
  std::string_view flags = scan.rest();
  if (!flags.starts_with('(') || !flags.ends_with(')')) return std::nullopt;
  flags.remove_prefix(1);
  flags.remove_suffix(1);
  gfp.flags = split_flags(flags);
  return gfp;
}

// Takes "<label><number>" off the end of `text`.
Opt<std::int32_t> cut_last(std::string_view& text, std::string_view label) {
  const std::size_t at = text.rfind(label);
  if (at == std::string_view::npos) return std::nullopt;
  const auto value = whole_number<std::int32_t>(text.substr(at + label.size()));
  text = text.substr(0, at);
  return value;
}

Opt<Line> parse_header(std::string_view text) {
  constexpr auto kAnchor = " invoked oom-killer: gfp_mask="sv;
  const std::size_t anchor = text.find(kAnchor);
  // A longer name before the anchor is a path in another message, made to look like this one.
  if (anchor > kMaxCommBytes) return std::nullopt;  // npos as well
  std::string_view rest = text.substr(anchor + kAnchor.size());
  const auto adj = cut_last(rest, ", oom_score_adj=");
  const auto order = cut_last(rest, ", order=");
  if (!adj || !order) return std::nullopt;
  return HeaderLine{.comm = text.substr(0, anchor),
                    .gfp = parse_gfp(rest),
                    .order = *order,
                    .oom_score_adj = *adj};
}

Opt<Line> parse_cpu(std::string_view text) {
  Scan scan(text);
  if (!scan.skip("CPU: ") || !scan.number<std::uint32_t>()) return std::nullopt;
  CpuLine line;
  if (scan.skip(" UID: ")) {
    line.uid = scan.number<std::uint32_t>();
    if (!line.uid) return std::nullopt;
  }
  if (!scan.skip(" PID: ")) return std::nullopt;
  const auto tid = scan.number<std::uint32_t>();
  if (!tid || !scan.skip(" Comm: ")) return std::nullopt;
  line.tid = *tid;
  line.comm_and_beyond = scan.rest();
  return line;
}

Opt<Line> parse_trace_head(std::string_view text) {
  if (text != "Call Trace:" && text != "Call trace:") return std::nullopt;
  return TraceHeadLine{};
}

Opt<Line> parse_frame(std::string_view text) {
  Scan scan(text);
  if (!scan.skip(" ")) return std::nullopt;
  scan.skip_blanks();
  const std::string_view symbol = scan.word();  // "?", a guess of the unwinder, is none
  if (symbol.find("+0x") == std::string_view::npos) return std::nullopt;
  return FrameLine{symbol};
}

Opt<Line> parse_usage(std::string_view text) {
  using Of = UsageLine::Of;
  constexpr std::array kNames = {std::pair{"memory: "sv, Of::kMemory},
                                 std::pair{"swap: "sv, Of::kSwap},
                                 std::pair{"memory+swap: "sv, Of::kMemorySwap}};
  Scan scan(text);
  for (const auto& [name, of] : kNames) {
    if (!scan.skip(name)) continue;
    if (!scan.skip("usage ")) return std::nullopt;
    const auto usage = scan.kilobytes();
    if (!usage || !scan.skip(", limit ")) return std::nullopt;
    const auto limit = scan.kilobytes();
    if (!limit || !scan.skip(", failcnt ")) return std::nullopt;
    const auto failcnt = whole_number<std::uint64_t>(scan.rest());
    if (!failcnt) return std::nullopt;
    return UsageLine{.of = of, .usage_bytes = *usage, .limit_bytes = *limit, .failcnt = *failcnt};
  }
  return std::nullopt;
}

// What stands between two fixed ends and begins with '/'.
Opt<std::string_view> path_between(std::string_view text, std::string_view head,
                                   std::string_view tail) {
  if (!text.starts_with(head) || !text.ends_with(tail)) return std::nullopt;
  if (text.size() <= head.size() + tail.size() || text[head.size()] != '/') return std::nullopt;
  return text.substr(head.size(), text.size() - head.size() - tail.size());
}

Opt<Line> parse_stats_of(std::string_view text) {
  const auto path = path_between(text, "Memory cgroup stats for ", ":");
  return path ? Opt<Line>(StatsOfLine{*path}) : std::nullopt;
}

Opt<Line> parse_table_head(std::string_view text) {
  Scan scan(text);
  if (!scan.skip("[")) return std::nullopt;
  scan.skip_blanks();
  if (!scan.skip("pid")) return std::nullopt;
  scan.skip_blanks();
  if (!scan.skip("]")) return std::nullopt;
  return TableHeadLine{text};
}

Opt<Line> parse_table_row(std::string_view text) {
  Scan scan(text);
  if (!scan.skip("[")) return std::nullopt;
  scan.skip_blanks();
  if (!scan.number<std::uint32_t>() || !scan.skip("]")) return std::nullopt;
  return TableRowLine{text};
}

Opt<Line> parse_summary(std::string_view text) {
  if (!text.starts_with("oom-kill:constraint=")) return std::nullopt;
  return SummaryLine{text};
}

Opt<Line> parse_summary_piece(std::string_view text) {
  if (!text.starts_with(',') && !text.starts_with('/')) return std::nullopt;
  return SummaryPieceLine{text};
}

// " total-vm:62428kB, anon-rss:22020kB, ... UID:0 pgtables:84kB oom_score_adj:0"
void parse_kill_fields(std::string_view text, KillLine& line) {
  constexpr std::array kSizes = {std::pair{"total-vm:"sv, &Memory::total_vm_bytes},
                                 std::pair{"anon-rss:"sv, &Memory::anon_rss_bytes},
                                 std::pair{"file-rss:"sv, &Memory::file_rss_bytes},
                                 std::pair{"shmem-rss:"sv, &Memory::shmem_rss_bytes},
                                 std::pair{"pgtables:"sv, &Memory::pgtables_bytes}};
  Scan all(text);
  for (all.skip_blanks(); !all.done(); all.skip_blanks()) {
    std::string_view word = all.word();
    if (word.ends_with(',')) word.remove_suffix(1);
    Scan field(word);
    if (field.skip("UID:")) line.uid = whole_number<std::uint32_t>(field.rest());
    if (field.skip("oom_score_adj:")) {
      line.oom_score_adj = whole_number<std::int32_t>(field.rest());
    }
    for (const auto& [label, member] : kSizes) {
      if (!field.skip(label)) continue;
      const auto size = field.kilobytes();
      if (field.done()) line.memory.*member = size;
    }
  }
}

Opt<Line> parse_kill(std::string_view text) {
  using Message = KillLine::Message;
  constexpr std::array kMessages = {
      std::pair{"Out of memory: "sv, Message::kGlobal},
      std::pair{"Memory cgroup out of memory: "sv, Message::kMemcg},
      std::pair{"Out of memory (oom_kill_allocating_task): "sv, Message::kAllocatingTask}};
  Scan scan(text);
  KillLine line;
  for (const auto& [words, message] : kMessages) {
    if (scan.skip(words)) line.message = message;
  }
  if (!scan.skip("Killed process ")) return std::nullopt;
  const auto pid = scan.number<std::uint32_t>();
  if (!pid || *pid == 0 || !scan.skip(" (")) return std::nullopt;
  line.pid = *pid;
  // No comm is long enough to hold ") total-vm:" with a number, ',' and more after it.
  const std::string_view rest = scan.rest();
  std::size_t end = rest.rfind(") total-vm:");
  if (end == std::string_view::npos) {
    end = rest.rfind(')');
    if (end == std::string_view::npos) return std::nullopt;
    if (rest.find_first_not_of(' ', end + 1) != std::string_view::npos) return std::nullopt;
  }
  line.comm = rest.substr(0, end);
  parse_kill_fields(rest.substr(end + 1), line);
  return line;
}

Opt<Line> parse_group(std::string_view text) {
  constexpr auto kEnd = " are going to be killed due to memory.oom.group set"sv;
  if (text == kEnd) return GroupLine{};
  const auto path = path_between(text, "Tasks in ", kEnd);
  return path ? Opt<Line>(GroupLine{*path}) : std::nullopt;
}

Opt<Line> parse_no_killable(std::string_view text) {
  if (!text.starts_with("Out of memory and no killable processes...")) return std::nullopt;
  return NoKillableLine{};
}

Opt<Line> parse_panic(std::string_view text) {
  Scan scan(text);
  if (!scan.skip("Kernel panic - not syncing: ")) return std::nullopt;
  const std::string_view reason = scan.rest();
  // check_panic_on_oom and out_of_memory
  if (!reason.starts_with("Out of memory") && reason != "System is deadlocked on memory") {
    return std::nullopt;
  }
  return PanicLine{reason};
}

Opt<Line> parse_reaped(std::string_view text) {
  Scan scan(text);
  if (!scan.skip("oom_reaper: reaped process ")) return std::nullopt;
  const auto tid = scan.number<std::uint32_t>();
  if (!tid || !scan.skip(" (")) return std::nullopt;
  return ReapedLine{*tid};
}

// The first that takes the line has it. The header comes first: it begins with a comm, which may
// be the beginning of any other line.
using Recogniser = Opt<Line> (*)(std::string_view);
constexpr std::array<Recogniser, 15> kRecognisers = {
    parse_header, parse_kill,       parse_group,     parse_summary,     parse_summary_piece,
    parse_usage,  parse_stats_of,   parse_table_row, parse_frame,       parse_table_head,
    parse_cpu,    parse_trace_head, parse_reaped,    parse_no_killable, parse_panic};

}  // namespace

Opt<Line> classify(std::string_view text) {
  for (const Recogniser parse : kRecognisers) {
    if (auto line = parse(text)) return line;
  }
  return std::nullopt;
}

}  // namespace oomwitness
