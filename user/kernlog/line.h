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
#include "kernlog/kernel_version.h"

namespace oomwitness {

// "hog invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0"; before 2.6.16
// "oom-killer: gfp_mask=0xd0"
struct HeaderLine {
  Opt<std::string_view> comm;
  Opt<Gfp> gfp;
  Opt<std::int32_t> order;  // -1: SysRq (is_sysrq_oom)
  Opt<std::int32_t> oom_score_adj;
  Opt<std::string_view> nodemask;
  bool whole = false;  // nothing of this line is still to come
  Opt<LogForm> form;   // which kernels write it so
};

// "CPU: 0 UID: 0 PID: 137 Comm: hog Not tainted 6.12.0 ...", "Pid: 137, comm: hog Not tainted ...",
// "Process hog (pid: 137, task: ...)"
struct CpuLine {
  Opt<std::uint32_t> tid;
  Opt<std::uint32_t> uid;            // since 6.11
  std::string_view comm_and_beyond;  // nothing marks where the comm ends
};

// "hog cpuset=/ mems_allowed=0", 2.6.30 to 4.20
struct CpusetLine {
  std::string_view comm;
  std::string_view cpuset;
  std::string_view mems_allowed;
};

// "Call Trace:" on x86, "Call trace:" on arm64
struct TraceHeadLine {
  bool arm64 = false;
};

// " out_of_memory+0x231/0x570", " [<c0149ea8>] ? out_of_memory+0x158/0x1b0",
// " dump_header from out_of_memory+0x474/0x4f0"
struct FrameLine {
  std::string_view symbol;
  bool guess = false;  // "?"
};

// "memory: usage 30720kB, limit 30720kB, failcnt 18"
struct UsageLine {
  enum class Of { kMemory, kSwap, kMemorySwap, kKmem };
  Of of = Of::kMemory;
  std::uint64_t usage_bytes = 0;
  std::uint64_t limit_bytes = 0;
  std::uint64_t failcnt = 0;
};

// "Memory cgroup stats for /g:", to 5.2 "Memory cgroup stats for /g: cache:0KB rss:980KB ..."
struct StatsOfLine {
  std::string_view path;
  std::string_view stats;
};

// "Task in /g/a killed as a result of limit of /g", to 4.20
struct TaskInLine {
  std::string_view task_memcg;
  std::string_view oom_memcg;
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

// Whose words the line begins with; kCpuset and kMempolicy to 2.6.35.
enum class KillMessage { kUnknown, kGlobal, kMemcg, kAllocatingTask, kCpuset, kMempolicy };

// "Out of memory: Kill process 137 (hog) score 6 or sacrifice child", to 5.0
struct ChoiceLine {
  KillMessage message = KillMessage::kUnknown;
  std::uint32_t pid = 0;
  std::string_view comm;
  Opt<std::int64_t> score;
  Opt<LogForm> form;
};

// "Memory cgroup out of memory: Killed process 137 (hog) total-vm:62428kB, ..."
struct KillLine {
  KillMessage message = KillMessage::kUnknown;
  std::uint32_t pid = 0;
  Opt<std::string_view> comm;
  Memory memory;
  Opt<std::uint32_t> uid;
  Opt<std::int32_t> oom_score_adj;
  Opt<LogForm> form;
  bool doubtful = false;  // something in it is not as any kernel writes it
};

// "Memory cgroup out of memory: OOM victim 137 (hog) is already exiting. Skip killing the task"
struct ExitingLine {
  std::uint32_t pid = 0;
  std::string_view comm;
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
// "oom_reaper: unable to reap pid:110 (shog)"
struct ReapedLine {
  std::uint32_t tid = 0;
  std::string_view comm;
  bool done = true;  // false: it gave up
};

// "x: page allocation failure: order:0, ...", "SysRq : Show Memory": a Mem-Info of another matter
// follows.
struct OtherDumpLine {};

using Line = std::variant<HeaderLine, CpuLine, CpusetLine, TraceHeadLine, FrameLine, UsageLine,
                          StatsOfLine, TaskInLine, TableHeadLine, TableRowLine, SummaryLine,
                          SummaryPieceLine, ChoiceLine, KillLine, ExitingLine, GroupLine,
                          NoKillableLine, PanicLine, ReapedLine, OtherDumpLine>;

// Absent: nothing of the lines above; it may be of Mem-Info or of a cgroup's statistics. `text` is
// one message without the log's prefixes.
Opt<Line> classify(std::string_view text);

// The same in two steps: lines told by how they begin, and the others. Most lines of a report are
// of the first kind, or of those that classify() leaves to Mem-Info and the statistics.
Opt<Line> classify_beginning(std::string_view text);
Opt<Line> classify_rest(std::string_view text);
Opt<Line> classify_frame(std::string_view text);

// ---- its parts (kill_line.cpp)
Opt<Line> parse_kill(std::string_view text);
Opt<Line> parse_choice(std::string_view text);
Opt<Line> parse_exiting(std::string_view text);
Opt<Line> parse_reaped(std::string_view text);

}  // namespace oomwitness
