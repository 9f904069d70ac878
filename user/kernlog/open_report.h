// SPDX-License-Identifier: BSD-2-Clause
// A report whose lines are still coming.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "assemble/observation.h"
#include "kernlog/line.h"
#include "kernlog/task_table.h"

namespace oomwitness {

class OpenReport {
 public:
  // Each adds what a line says. False: the line is none of this report's, and nothing changed. A
  // report without any line takes every line that can begin one.
  bool add(std::uint64_t at_ns, const HeaderLine& header);
  bool add(std::uint64_t at_ns, const CpuLine& cpu);
  bool add(std::uint64_t at_ns, const TraceHeadLine& head);
  bool add(std::uint64_t at_ns, const FrameLine& frame);
  bool add(std::uint64_t at_ns, const UsageLine& usage);
  bool add(std::uint64_t at_ns, const StatsOfLine& stats);
  bool add(std::uint64_t at_ns, const TableHeadLine& head);
  bool add(std::uint64_t at_ns, const TableRowLine& row);
  bool add(std::uint64_t at_ns, const SummaryLine& summary);
  bool add(std::uint64_t at_ns, const SummaryPieceLine& piece);
  bool add(std::uint64_t at_ns, const KillLine& kill);
  bool add(std::uint64_t at_ns, const GroupLine& group);
  bool add(std::uint64_t at_ns, const NoKillableLine& none);
  bool add(std::uint64_t at_ns, const PanicLine& panic);
  bool add(std::uint64_t at_ns, const ReapedLine& reaped);

  // It has its outcome: a victim, none to be found, or a panic.
  bool settled() const;

  struct Told {
    Victim victim;
    KillLine::Message message = KillLine::Message::kUnknown;
  };
  // Takes back the victim of the last line, when that is one more of a group.
  Opt<Told> release_last();
  // Begins with a victim whose line has been read already.
  void adopt(Told first);

  LogReport finish() &&;

 private:
  bool begun() const { return headed_ || settled() || report_.oom_group || !summary_.empty(); }
  bool in_head() const { return headed_ && !settled(); }
  bool has_chosen(std::uint32_t pid) const;
  void add_victim(const KillLine& kill, Role role);
  void settle_summary();
  void settle_memcg();
  void settle_threads();

  LogReport report_;
  bool headed_ = false;
  bool in_trace_ = false;
  bool last_is_new_ = false;  // the last line told of a victim not told before
  std::uint64_t last_kill_ns_ = 0;
  KillLine::Message message_ = KillLine::Message::kUnknown;  // of the last kill line
  std::unordered_map<std::uint32_t, std::size_t> by_pid_;
  std::string summary_;
  std::string stats_of_;    // the cgroup whose statistics were shown
  std::string group_path_;  // the one whose memory.oom.group is set
  Opt<MemcgLevel> usage_;
  Opt<TaskTable> table_;
};

}  // namespace oomwitness
