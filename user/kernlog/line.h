// SPDX-License-Identifier: BSD-2-Clause
// What each line of an OOM report says (mm/oom_kill.c, mm/memcontrol.c, lib/dump_stack.c). Whoever
// names a process or a cgroup writes into these lines: each is taken only whole, held at both
// ends by words of the kernel. The views are parts of the line given.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "incident/incident.h"

namespace oomwitness {

// "hog invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0"
struct HeaderLine {
  std::string_view comm;
  Opt<Gfp> gfp;
  std::int32_t order = 0;  // -1: SysRq (is_sysrq_oom)
  std::int32_t oom_score_adj = 0;
};

// "CPU: 0 UID: 0 PID: 137 Comm: hog Not tainted ..."
struct CpuLine {
  std::uint32_t tid = 0;
  Opt<std::uint32_t> uid;            // since 6.12
  std::string_view comm_and_beyond;  // nothing marks where the comm ends
};

// "Call Trace:" on x86, "Call trace:" elsewhere
struct TraceHeadLine {};

// " out_of_memory+0x231/0x570"
struct FrameLine {
  std::string_view symbol;
};

// "memory: usage 30720kB, limit 30720kB, failcnt 18"
struct UsageLine {
  enum class Of { kMemory, kSwap, kMemorySwap };
  Of of = Of::kMemory;
  std::uint64_t usage_bytes = 0;
  std::uint64_t limit_bytes = 0;
  std::uint64_t failcnt = 0;
};

// "Memory cgroup stats for /g:"
struct StatsOfLine {
  std::string_view path;
};

// "[  pid  ]   uid  tgid total_vm ... name"
struct TableHeadLine {
  std::string_view text;
};

// "[    132]     0   132      759 ... hog": what it means is the table head's to say
struct TableRowLine {
  std::string_view text;
};

// "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=..."
struct SummaryLine {
  std::string_view text;
};

// A further piece of a summary that another CPU's message has cut in two.
struct SummaryPieceLine {
  std::string_view text;
};

// "Memory cgroup out of memory: Killed process 137 (hog) total-vm:62428kB, ..."
struct KillLine {
  enum class Message { kUnknown, kGlobal, kMemcg, kAllocatingTask };
  Message message = Message::kUnknown;
  std::uint32_t pid = 0;
  std::string_view comm;
  Memory memory;
  Opt<std::uint32_t> uid;
  Opt<std::int32_t> oom_score_adj;
};

// "Tasks in /g are going to be killed due to memory.oom.group set"
struct GroupLine {
  std::string_view path;  // empty when only the end of the line is there
};

// "Out of memory and no killable processes..."
struct NoKillableLine {};

// "Kernel panic - not syncing: Out of memory: system-wide panic_on_oom is enabled"
struct PanicLine {
  std::string_view reason;
};

// "oom_reaper: reaped process 110 (shog), now anon-rss:0kB, ..."
struct ReapedLine {
  std::uint32_t tid = 0;
};

using Line = std::variant<HeaderLine, CpuLine, TraceHeadLine, FrameLine, UsageLine, StatsOfLine,
                          TableHeadLine, TableRowLine, SummaryLine, SummaryPieceLine, KillLine,
                          GroupLine, NoKillableLine, PanicLine, ReapedLine>;

// Absent: nothing of an OOM report. `text` is one message without the log's prefixes.
Opt<Line> classify(std::string_view text);

}  // namespace oomwitness
