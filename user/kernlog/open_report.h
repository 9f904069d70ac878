// SPDX-License-Identifier: BSD-2-Clause
// A report whose lines are still coming.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "assemble/observation.h"
#include "kernlog/kernel_version.h"
#include "kernlog/line.h"
#include "kernlog/mem_info.h"
#include "kernlog/memcg_stats.h"
#include "kernlog/stamp.h"
#include "kernlog/task_table.h"

namespace oomwitness {

// When a line was written, as far as the log says.
struct LineTime {
  std::uint64_t at_ns = 0;  // since boot; 0: not told
  Opt<WallStamp> wall;
};

class OpenReport {
 public:
  // Each adds what a line says. False: the line is none of this report's, and nothing changed. A
  // report without any line takes every line that can begin one.
  bool add(const LineTime& at, const HeaderLine& header);
  bool add(const LineTime& at, const CpuLine& cpu);
  bool add(const LineTime& at, const CpusetLine& cpuset);
  bool add(const LineTime& at, const TraceHeadLine& head);
  bool add(const LineTime& at, const FrameLine& frame);
  bool add(const LineTime& at, const UsageLine& usage);
  bool add(const LineTime& at, const StatsOfLine& stats);
  bool add(const LineTime& at, const TaskInLine& task_in);
  bool add(const LineTime& at, const TableHeadLine& head);
  bool add(const LineTime& at, const TableRowLine& row);
  bool add(const LineTime& at, const SummaryLine& summary);
  bool add(const LineTime& at, const SummaryPieceLine& piece);
  bool add(const LineTime& at, const ChoiceLine& choice);
  bool add(const LineTime& at, const KillLine& kill);
  bool add(const LineTime& at, const ExitingLine& exiting);
  bool add(const LineTime& at, const GroupLine& group);
  bool add(const LineTime& at, const NoKillableLine& none);
  bool add(const LineTime& at, const PanicLine& panic);
  bool add(const LineTime& at, const ReapedLine& reaped);
  bool add(const LineTime& at, const OtherDumpLine& other);
  // A line that is none of these, of Mem-Info; and one of the statistics that were announced.
  bool add_text(const LineTime& at, std::string_view text);
  bool add_statistic(const LineTime& at, std::string_view text);
  // Registers and the like, which only tell the machine.
  void note_machine(std::string_view text);
  bool in_trace() const { return in_trace_; }

  // It tells of a kill, or of an attempt: otherwise it holds at most what may belong to one.
  bool begun() const;
  // It has its outcome: a victim, none to be found, or a panic.
  bool settled() const;
  // Lines that may belong to the report of a kill were seen, and none that tells of one.
  bool tentative() const { return tentative_ && !begun(); }
  const TaskTable& table() const { return table_; }

  struct Told {
    Victim victim;
    KillMessage message = KillMessage::kUnknown;
  };
  // Takes back the victim of the last line, when that is one more of a group.
  Opt<Told> release_last();
  // Begins with a victim whose line has been read already.
  void adopt(Told first);

  // What has come of it; the report begins anew.
  LogReport finish();
  void clear();

 private:
  bool in_head() const { return headed_ && !settled(); }
  void seen(const LineTime& at);
  void hash(std::string_view text);
  void hash(std::uint64_t value);
  TaskTable::Scale scale_now() const;

  // report_outcome.cpp, with the lines of kills and of the reaper
  bool has_chosen(const KillLine& kill) const;
  bool is_another_thread(const LineTime& at, const KillLine& kill) const;
  bool add_further_kill(const LineTime& at, const KillLine& kill);
  void add_victim(const KillLine& kill, Role role);

  // report_settle.cpp
  void settle_summary();
  void settle_reaped();
  void settle_selected();
  void settle_memcg();
  void settle_constraint();
  void settle_threads();
  void settle_stack();
  void settle_machine();
  void settle_gfp();
  Opt<std::uint64_t> page_size() const;
  Opt<std::uint64_t> total_pages(Opt<std::uint64_t> page_size) const;

  LogReport report_;
  bool dated_ = false;  // report_ has the time of its first line
  bool headed_ = false;
  bool tentative_ = false;
  bool other_dump_ = false;  // a Mem-Info of another matter is being printed
  bool in_trace_ = false;
  bool last_is_new_ = false;  // the last line told of a victim not told before
  bool old_wording_ = false;  // "Out of Memory: Killed process 1 (x)."
  LineTime last_kill_;
  LineTime group_at_;                            // of the line that says so
  KillMessage message_ = KillMessage::kUnknown;  // of the last kill line
  std::unordered_map<std::uint32_t, std::size_t> by_pid_;
  std::string summary_;
  std::string group_path_;  // the one whose memory.oom.group is set
  std::string arch_;        // as the lines show it
  std::vector<LogForm> forms_;
  struct TaskIn {
    std::string task_memcg;
    std::string oom_memcg;
  };
  Opt<TaskIn> task_in_;
  Opt<Selected> choice_;
  Opt<MemcgLevel> usage_;
  Opt<Victim> reaped_;  // by the reaper, and not named before
  std::vector<KernelFrame> guesses_;
  MemcgStats stats_;
  MemInfo mem_info_;
  TaskTable table_;
};

}  // namespace oomwitness
