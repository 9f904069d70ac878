// SPDX-License-Identifier: BSD-2-Clause
// The line that sums up a decision (dump_oom_summary, later dump_oom_victim, in mm/oom_kill.c):
// oom-kill:constraint=C,nodemask=N,cpuset=S,mems_allowed=M,oom_memcg=/L,task_memcg=/V,task=T,
// pid=P,uid=U, or "global_oom" for the oom_memcg. S, L, V and T are names that users choose, and
// may hold commas and these very keys.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "incident/incident.h"

namespace oomwitness {

struct Summary {
  Opt<std::string> constraint;  // in the words of Scope
  Opt<std::string> nodemask;
  Opt<std::string> cpuset;
  Opt<std::string> mems_allowed;
  Opt<std::string> oom_memcg;
  Opt<std::string> task_memcg;
  Opt<std::string> comm;
  Opt<std::uint32_t> pid;
  Opt<std::uint32_t> uid;
  bool whole = false;  // nothing of the line is missing
};

// What other lines of the report have said, each held at both ends by the kernel's words.
struct SummaryContext {
  Opt<std::string> oom_memcg;    // "Memory cgroup stats for /g:"
  Opt<std::string> victim_comm;  // of the kill line
  Opt<std::uint32_t> victim_pid;
};

// A field for which more than one reading is left is absent.
Summary parse_summary_line(std::string_view text, const SummaryContext& context);

// The pid it ends with; absent: the line has been cut.
Opt<std::uint32_t> summary_pid(std::string_view text);

}  // namespace oomwitness
