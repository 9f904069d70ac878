// SPDX-License-Identifier: BSD-2-Clause
#include "kernlog/line.h"

#include <algorithm>
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
  if (flags.find(' ') != std::string_view::npos) return std::nullopt;  // broken in two
  gfp.flags = split_flags(flags);
  return gfp;
}

// "gfp_mask=0x6200ca(GFP_KERNEL), nodemask=(null), order=0, oom_score_adj=0", in any order of the
// fields; to 4.20 there are two blanks before "order". A field that the end of the line may have
// cut is absent, but for the one that comes last in that era.
void parse_header_fields(std::string_view text, HeaderLine& line) {
  while (!text.empty()) {
    std::size_t comma = text.find(", ");
    const bool last = comma == std::string_view::npos;
    const std::string_view field = trimmed(text.substr(0, comma));
    text.remove_prefix(last ? text.size() : comma + 2);
    Scan scan(field);
    if (scan.skip("gfp_mask=")) {
      // Nothing but the end of the line: more digits may have been there, since 2.6.16.
      const bool cut = last && line.comm && !field.ends_with(')');
      if (!cut) line.gfp = parse_gfp(scan.rest());
      line.whole = last && !line.comm;
    } else if (scan.skip("order=")) {
      line.order = plain_number<std::int32_t>(scan.rest());
    } else if (scan.skip("oom_score_adj=")) {
      line.oom_score_adj = plain_number<std::int32_t>(scan.rest());
      line.form = line.form ? LogForm::kHeaderBothAdj : LogForm::kHeaderOomScoreAdj;
      line.whole = line.oom_score_adj.has_value();
    } else if (scan.skip("nodemask=")) {
      if (!last && scan.rest() != "(null)" && !scan.done() && scan.rest() != "0") {
        line.nodemask = scan.rest();
      }
    } else if (scan.skip("oom_adj=")) {
      line.form = LogForm::kHeaderOomAdj;
      line.whole = last;  // 2.6.36 and later have one more
    } else if (scan.skip("oomkilladj=")) {
      line.form = LogForm::kHeaderOomkilladj;
      line.whole = last;
    }
  }
}

// Cheap, and true of every header with a comm.
bool may_be_header(std::string_view text) {
  const std::size_t last = std::min(kMaxCommBytes, text.size() < 2 ? 0 : text.size() - 2);
  for (std::size_t i = 0; i <= last && i + 1 < text.size(); ++i) {
    if (text[i] == ' ' && text[i + 1] == 'i') return true;
  }
  return false;
}

Opt<Line> parse_header(std::string_view text) {
  constexpr auto kInvoked = " invoked oom-killer"sv;
  constexpr auto kBare = "oom-killer: gfp_mask="sv;
  HeaderLine line;
  if (text.starts_with(kBare)) {
    parse_header_fields(text.substr(kBare.size() - "gfp_mask="sv.size()), line);
    line.form = LogForm::kHeaderWithoutComm;
    return line.gfp ? Opt<Line>(line) : std::nullopt;
  }
  if (!may_be_header(text)) return std::nullopt;
  // A longer name before the anchor is a path in another message, made to look like this one.
  std::size_t anchor = 0;
  while (anchor <= kMaxCommBytes && !text.substr(anchor).starts_with(kInvoked)) {
    if (++anchor >= text.size()) return std::nullopt;
  }
  if (anchor > kMaxCommBytes) return std::nullopt;
  line.comm = text.substr(0, anchor);
  Scan scan(text.substr(anchor + kInvoked.size()));
  if (!scan.skip(":")) return scan.done() ? Opt<Line>(line) : std::nullopt;
  if (!scan.done() && !scan.skip(" ")) return std::nullopt;
  scan.skip_blanks();
  if (!scan.done() && !"gfp_mask="sv.starts_with(scan.rest().substr(0, 9))) return std::nullopt;
  parse_header_fields(scan.rest(), line);
  return line;
}

Opt<Line> parse_new_cpu(std::string_view text) {
  Scan scan(text);
  if (!scan.skip("CPU: ") || !scan.number<std::uint32_t>()) return std::nullopt;
  CpuLine line;
  if (scan.skip(" UID: ")) {
    line.uid = scan.number<std::uint32_t>();
    if (!line.uid) return std::nullopt;
  }
  if (scan.skip(" PID: ")) {
    line.tid = scan.number<std::uint32_t>();
    if (!line.tid || !scan.skip(" Comm: ")) return std::nullopt;
  } else if (!scan.skip(" ")) {
    return std::nullopt;  // "CPU: 0 Not tainted 2.6.28 #1" on s390
  }
  line.comm_and_beyond = scan.rest();
  return line;
}

Opt<Line> parse_cpu(std::string_view text) {
  if (auto line = parse_new_cpu(text)) return line;
  Scan scan(text);
  CpuLine line;
  if (scan.skip("Pid: ")) {
    line.tid = scan.number<std::uint32_t>();
    if (!line.tid || !scan.skip(", comm: ")) return std::nullopt;
    line.comm_and_beyond = scan.rest();
    return line;
  }
  if (!scan.skip("Process ")) return std::nullopt;
  const std::size_t mark = scan.rest().find(" (pid: ");
  if (mark > kMaxCommBytes) return std::nullopt;
  line.comm_and_beyond = scan.rest();
  Scan pid(scan.rest().substr(mark + " (pid: "sv.size()));
  line.tid = pid.number<std::uint32_t>();
  return line.tid && pid.skip(",") ? Opt<Line>(line) : std::nullopt;
}

Opt<Line> parse_cpuset(std::string_view text) {
  constexpr auto kMark = " cpuset="sv;
  constexpr auto kMems = " mems_allowed="sv;
  const std::size_t mark = text.substr(0, kMaxCommBytes + kMark.size()).find(kMark);
  if (mark == std::string_view::npos) return std::nullopt;
  const std::size_t mems = text.rfind(kMems);
  if (mems == std::string_view::npos || mems < mark + kMark.size()) return std::nullopt;
  std::string_view nodes = text.substr(mems + kMems.size());
  nodes = nodes.substr(0, nodes.find_first_not_of("0123456789,-"));
  return CpusetLine{.comm = text.substr(0, mark),
                    .cpuset = text.substr(mark + kMark.size(), mems - mark - kMark.size()),
                    .mems_allowed = nodes};
}

Opt<Line> parse_trace_head(std::string_view text) {
  if (text == "Call trace:") return TraceHeadLine{.arm64 = true};
  if (text.starts_with("Call Trace:") || text == "Backtrace:") return TraceHeadLine{};
  return std::nullopt;
}

// "[<ffffffff8111d381>] ", s390's "([<0000000000105248>] " and arm's "[<c0105e20>] (" off the front
void skip_address(Scan& scan) {
  scan.skip_blanks();
  scan.skip("(");
  if (!scan.rest().starts_with("[<")) return;
  const std::size_t end = scan.rest().find(">]");
  if (end == std::string_view::npos) return;
  scan = Scan(scan.rest().substr(end + 2));
  scan.skip_blanks();
  scan.skip("(");
}

Opt<Line> parse_frame(std::string_view text) {
  Scan scan(text);
  skip_address(scan);
  FrameLine line;
  line.guess = scan.skip("? ");
  const std::string_view whole = scan.rest();
  line.symbol = scan.word();
  // arm: "unwind_backtrace from show_stack+0x18/0x1c", each frame named as the caller of one
  if (line.symbol.find("+0x") == std::string_view::npos) {
    if (!scan.skip(" from ")) return std::nullopt;
    line.symbol = scan.word();
  }
  if (line.symbol.ends_with(')')) line.symbol.remove_suffix(1);
  const std::size_t offset = line.symbol.find("+0x");
  if (offset == std::string_view::npos || offset == 0) return std::nullopt;
  if (line.symbol.find('/', offset) == std::string_view::npos) return std::nullopt;
  return whole.find(": ") < whole.find("+0x") ? std::nullopt : Opt<Line>(line);
}

Opt<Line> parse_usage(std::string_view text) {
  using Of = UsageLine::Of;
  constexpr std::array kNames = {
      std::pair{"memory: "sv, Of::kMemory}, std::pair{"swap: "sv, Of::kSwap},
      std::pair{"memory+swap: "sv, Of::kMemorySwap}, std::pair{"kmem: "sv, Of::kKmem}};
  Scan scan(text);
  for (const auto& [name, of] : kNames) {
    if (!scan.skip(name)) continue;
    if (!scan.skip("usage ")) return std::nullopt;
    const auto usage = scan.kilobytes();
    if (!usage || !scan.skip(", limit ")) return std::nullopt;
    const auto limit = scan.kilobytes();
    if (!limit || !scan.skip(", failcnt ")) return std::nullopt;
    const auto failcnt = plain_number<std::uint64_t>(scan.rest());
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
  constexpr auto kHead = "Memory cgroup stats for "sv;
  if (const auto path = path_between(text, kHead, ":")) return StatsOfLine{.path = *path};
  if (!text.starts_with(kHead)) return std::nullopt;
  // "cache" is the first of them, "rss" where swap and the like are not built in
  const std::size_t mark = text.rfind(": cache:");
  if (mark == std::string_view::npos || mark < kHead.size()) return std::nullopt;
  const std::string_view path = text.substr(kHead.size(), mark - kHead.size());
  if (!path.starts_with('/')) return std::nullopt;
  return StatsOfLine{.path = path, .stats = text.substr(mark + 2)};
}

// Either path may hold the words between them: then nothing tells which is which.
Opt<Line> parse_task_in(std::string_view text) {
  constexpr auto kMiddle = " killed as a result of limit of "sv;
  if (!text.starts_with("Task in ")) return std::nullopt;
  const std::size_t middle = text.find(kMiddle);
  if (middle == std::string_view::npos) return std::nullopt;
  TaskInLine line;
  if (text.rfind(kMiddle) != middle) return line;
  line.task_memcg = text.substr(8, middle - 8);
  line.oom_memcg = text.substr(middle + kMiddle.size());
  if (!line.task_memcg.starts_with('/')) line.task_memcg = {};
  if (!line.oom_memcg.starts_with('/')) line.oom_memcg = {};
  return line;
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
  if (!scan.number<std::uint32_t>() || !scan.skip("] ")) return std::nullopt;
  scan.skip_blanks();
  if (scan.done() || !is_digit(scan.rest().front())) return std::nullopt;
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
  const std::string_view reason = trimmed(scan.rest());
  // check_panic_on_oom and out_of_memory; "out of memory. panic_on_oom is selected" to 2.6.3x
  if (!reason.starts_with("Out of memory") && !reason.starts_with("out of memory") &&
      !reason.starts_with("System is deadlocked on memory")) {
    return std::nullopt;
  }
  return PanicLine{reason};
}

Opt<Line> parse_other_dump(std::string_view text) {
  const bool other = text.find(" page allocation failure") != std::string_view::npos ||
                     text.find(": page allocation stalls") != std::string_view::npos ||
                     text == "SysRq : Show Memory" || text.ends_with("sysrq: Show Memory") ||
                     text.ends_with("sysrq: SysRq : Show Memory");
  return other ? Opt<Line>(OtherDumpLine{}) : std::nullopt;
}

using Recogniser = Opt<Line> (*)(std::string_view);

// What a line that begins with this byte may be.
template <std::size_t N>
Opt<Line> first_of(std::string_view text, const std::array<Recogniser, N>& recognisers) {
  for (const Recogniser parse : recognisers) {
    if (auto line = parse(text)) return line;
  }
  return std::nullopt;
}

Opt<Line> by_first_byte(std::string_view text) {
  constexpr std::array<Recogniser, 3> kBracket = {parse_table_row, parse_table_head, parse_frame};
  constexpr std::array<Recogniser, 4> kOut = {parse_kill, parse_choice, parse_no_killable,
                                              parse_exiting};
  constexpr std::array<Recogniser, 4> kMemory = {parse_kill, parse_stats_of, parse_choice,
                                                 parse_exiting};
  constexpr std::array<Recogniser, 3> kKill = {parse_kill, parse_choice, parse_panic};
  constexpr std::array<Recogniser, 2> kTask = {parse_task_in, parse_group};
  constexpr std::array<Recogniser, 2> kCall = {parse_cpu, parse_trace_head};
  constexpr std::array<Recogniser, 2> kOom = {parse_summary, parse_reaped};
  constexpr std::array<Recogniser, 2> kNo = {parse_kill, parse_choice};
  switch (text.front()) {
    case '[': return first_of(text, kBracket);
    case 'O': return first_of(text, kOut);
    case 'M': return first_of(text, kMemory);
    case 'K':
    case 'k': {
      if (auto line = first_of(text, kKill)) return line;
      return parse_usage(text);
    }
    case 'T': return first_of(text, kTask);
    case 'C': return first_of(text, kCall);
    case 'P': return parse_cpu(text);
    case 'N': return first_of(text, kNo);
    case 'B': return parse_trace_head(text);
    case 'o': return first_of(text, kOom);
    case 'm':
    case 's': return parse_usage(text);
    case ',':
    case '/': return parse_summary_piece(text);
    default: return std::nullopt;
  }
}

}  // namespace

Opt<Line> classify_beginning(std::string_view text) {
  // It begins with a comm, which may be the beginning of any other line.
  if (auto line = parse_header(text)) return line;
  const std::string_view body = trimmed_left(text);
  return body.empty() ? std::nullopt : by_first_byte(body);
}

Opt<Line> classify_frame(std::string_view text) {
  return parse_frame(trimmed_left(text));
}

Opt<Line> classify_rest(std::string_view text) {
  const std::string_view body = trimmed_left(text);
  if (body.empty()) return std::nullopt;
  if (auto line = parse_frame(body)) return line;
  if (auto line = parse_group(text)) return line;  // only the end of it is there
  if (auto line = parse_cpuset(text)) return line;
  return parse_other_dump(body);
}

Opt<Line> classify(std::string_view text) {
  if (auto line = classify_beginning(text)) return line;
  return classify_rest(text);
}

}  // namespace oomwitness
