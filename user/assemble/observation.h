// SPDX-License-Identifier: BSD-2-Clause
// Observations: what the sources saw, as values. Decoders make them from bytes, `assemble` turns
// them into incidents. Sizes in pages are the kernel's own pages; times are CLOCK_MONOTONIC ns.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "incident/incident.h"

namespace oomwitness {

// The oom_kill_process call an observation belongs to; 0: none known.
using DecisionId = std::uint64_t;

struct InvokerTask {
  std::uint32_t pid = 0;  // thread group
  std::uint32_t tid = 0;
  std::uint32_t uid = 0;
  std::int32_t oom_score_adj = 0;
  bool kernel_thread = false;
  std::string comm;
};

struct TaskState {
  bool sigkill_pending = false;
  bool group_exit = false;
};

struct Decision {
  std::uint64_t at_ns = 0;
  DecisionId id = 0;
  InvokerTask invoker;
  Opt<std::string> invoker_cgroup;
  Opt<std::uint32_t> gfp_mask;
  Opt<std::int32_t> order;
  Opt<std::uint32_t> constraint;  // enum oom_constraint: 0 none, 1 cpuset, 2 mempolicy, 3 memcg
  Opt<std::uint64_t> total_pages;
  struct Chosen {
    std::uint32_t pid = 0;
    std::uint32_t tid = 0;
    std::string comm;
    std::int64_t points = 0;
    TaskState state;
  };
  Opt<Chosen> chosen;
  bool scanned = false;  // candidates were collected for it
  bool memcg = false;    // oc->memcg was set
  std::string message;
  Opt<std::string> nodemask;  // "0-1"
  Opt<std::string> mems_allowed;
  Opt<std::string> cpuset;
};

struct MemcgChain {
  std::uint64_t at_ns = 0;
  DecisionId id = 0;
  bool of_limit = true;  // false: the victim's own cgroup, whose limit may not be the one hit
  std::uint32_t victim_pid = 0;    // when !of_limit
  std::vector<MemcgLevel> levels;  // leaf first
  bool truncated = false;
};

struct CandidateList {
  std::uint64_t at_ns = 0;
  DecisionId id = 0;
  std::uint32_t considered = 0;
  std::uint32_t unkillable = 0;
  bool exact = true;           // false: points are our own sum, not oom_badness's return
  std::vector<Candidate> top;  // most points first
};

struct Stacks {
  std::uint64_t at_ns = 0;
  DecisionId id = 0;
  std::vector<KernelFrame> kernel;
  std::vector<UserFrame> user;
};

struct SystemMemory {
  std::uint64_t at_ns = 0;
  DecisionId id = 0;
  std::uint32_t victim_pid = 0;  // finds the incident where id is 0
  System system;
};

struct NsPid {
  std::uint32_t pid = 0;
  std::uint32_t ns_inum = 0;
};

enum class SeenAt { kKill, kMark, kDeliver };

// A victim's task, read in the kernel before it could go away.
struct VictimTask {
  std::uint64_t at_ns = 0;
  DecisionId id = 0;
  SeenAt seen_at = SeenAt::kKill;
  Role role = Role::kUnknown;
  TaskState state;
  std::uint32_t pid = 0;  // thread group
  std::uint32_t tid = 0;
  std::uint32_t ppid = 0;
  std::uint32_t uid = 0;
  std::int32_t oom_score_adj = 0;
  std::uint32_t threads = 0;
  std::uint64_t start_boottime_ns = 0;
  std::string comm;
  Memory memory;           // empty when the task had no mm
  bool shares_mm = false;  // other processes use its mm
  bool oom_group = false;  // memory.oom.group is set on its cgroup or above
  std::string cgroup;      // memory controller path
  bool cgroup_truncated = false;
  std::uint64_t cgroup_id = 0;
  Opt<std::string> exe;
  bool exe_deleted = false;
  std::vector<NsPid> ns_pids;  // innermost first, the initial namespace last
  std::vector<Ancestor> ancestry;
  Opt<InvokerTask> invoker;
};

struct Marked {
  std::uint64_t at_ns = 0;
  DecisionId id = 0;
  Opt<std::uint32_t> pid;  // absent: the kernel only gave a thread id
  std::uint32_t tid = 0;
  InvokerTask invoker;
  // Only from the classic tracepoint of kernels that have the fields:
  Opt<Memory> memory;
  Opt<std::uint32_t> uid;
  Opt<std::int32_t> oom_score_adj;
  Opt<std::string> comm;
};

// SIGKILL taken, with the argv read in the victim's own context.
struct Delivered {
  std::uint64_t at_ns = 0;
  DecisionId id = 0;
  std::uint32_t pid = 0;
  std::uint32_t tid = 0;
  Opt<std::string> argv;         // NUL-separated bytes; empty string: the process has an empty argv
  std::uint64_t argv_bytes = 0;  // full size in the process
  int error = 0;                 // errno of the failed read, when argv is absent
};

enum class ReapPhase { kWake, kStart, kFinish, kSkip };

struct Reaped {
  std::uint64_t at_ns = 0;
  DecisionId id = 0;
  std::uint32_t tid = 0;
  ReapPhase phase = ReapPhase::kWake;
};

struct Exited {
  std::uint64_t at_ns = 0;
  DecisionId id = 0;
  std::uint32_t pid = 0;
  std::uint32_t exit_code = 0;
};

// What user space could still read about a victim (enrich/). Never overwrites kernel truth.
struct ProcFacts {
  std::uint64_t at_ns = 0;
  std::uint32_t pid = 0;                  // host pid asked for
  std::uint64_t start_boottime_ns = 0;    // identifies the life of that pid
  Opt<std::vector<std::string>> cmdline;  // at most its first 4096 bytes
  Opt<std::uint64_t> cmdline_bytes;       // its full size in the process, when known
  Opt<std::string> exe;
  Opt<bool> exe_deleted;  // the file has been unlinked
  Opt<std::string> user;
  Opt<std::string> cgroup;
  Opt<std::string> unit;
  Opt<Container> container;
  Opt<Pod> pod;
  std::vector<Ancestor> ancestry;
  std::map<std::string, std::string> missing;  // field -> why
};

// memory.stat of the cgroup whose limit was hit, read after the decision.
struct MemcgStat {
  std::uint64_t at_ns = 0;
  DecisionId id = 0;
  std::map<std::string, std::uint64_t> stat;
};

// One kill as the kernel log tells it (kernlog/). Fields the log did not show are absent.
struct LogReport {
  std::uint64_t at_ns = 0;     // the log's own stamp of its last line; 0: it has none
  std::uint64_t began_ns = 0;  // and of its first
  // Of its first line, ns since 1970, where the log has the wall clock. Where the stamp has no zone
  // or no year, LogReader supplies them and says so in `missing`.
  Opt<std::int64_t> wall_ns;
  bool wall_has_zone = false;
  bool wall_has_year = false;
  Opt<std::int64_t> id_ns;      // the same as the text alone gives it, whoever reads it and when
  std::uint64_t text_hash = 0;  // of the lines that tell this kill from another
  Host host;                    // as far as the log shows it
  Scope scope;
  Invoker invoker;
  std::vector<Victim> victims;
  Opt<Selected> selected;
  Candidates candidates;
  System system;
  std::map<std::string, std::string> missing;  // what was there but cannot be trusted, and why
  bool oom_group = false;
  bool no_killable = false;  // "Out of memory and no killable processes..."
  Opt<std::string> panic;    // what the kernel panicked with instead of killing
  std::string killer = "kernel";
  bool from_backlog = false;  // older than the watch: of nobody who is seen live
};

// Records lost between the kernel and us, as a running total.
struct Losses {
  std::uint64_t at_ns = 0;
  std::uint64_t total = 0;
};

// The wall clock has been set: what to add to the kernel's clocks from now on.
struct ClockSet {
  std::uint64_t at_ns = 0;
  std::int64_t unix_minus_monotonic_ns = 0;
  std::int64_t unix_minus_boottime_ns = 0;
};

using Observation =
    std::variant<Decision, MemcgChain, CandidateList, Stacks, SystemMemory, VictimTask, Marked,
                 Delivered, Reaped, Exited, ProcFacts, MemcgStat, LogReport, Losses, ClockSet>;

}  // namespace oomwitness
