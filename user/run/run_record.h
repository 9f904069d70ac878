// SPDX-License-Identifier: BSD-2-Clause
// The record of one `oomwitness run`: the command, its memory over time, who was killed, how it
// ended. Plain data. A field that no source gave is absent, never zero; `missing` says why.
// docs/run.schema.json is its JSON form; run_json.h converts both ways.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "incident/incident.h"

namespace oomwitness {

// How the command ended, the strongest of what is true: an OOM kill, even one that the command hid,
// before a timeout before a signal before an exit code.
enum class RunVerdict { kSuccess, kFailure, kOom, kSignal, kTimeout, kNotRun };

// What OOM kills were seen with. kCgroup: the counters of the cgroup and the wait status.
enum class RunDepth { kBpf, kKernelLog, kCgroup, kWaitStatus };

struct RunCgroup {
  Opt<std::uint32_t> version;  // 1 or 2; absent: no memory cgroup is to be seen
  std::string path;            // as the kernel names it, or as this cgroup namespace shows it
  // "new": made for the run; "systemd": made below a scope of the run's own; "own": the cgroup that
  // oomwitness itself is in, shared with whoever else is; "none".
  std::string way = "none";
  bool operator==(const RunCgroup&) const = default;
};

struct RunLimits {
  Opt<std::uint64_t> memory_max_bytes;  // as asked for
  Opt<std::uint64_t> swap_max_bytes;
  Opt<std::uint64_t> timeout_ns;
  // The lowest memory limit that is over the run, its own included, and whose it is.
  Opt<std::uint64_t> effective_bytes;
  Opt<std::string> effective_cgroup;
  bool operator==(const RunLimits&) const = default;
};

struct RunUsage {
  Opt<std::uint64_t> wall_ns;
  Opt<std::uint64_t> user_ns;  // CPU time of the command and what it waited for (wait4)
  Opt<std::uint64_t> system_ns;
  Opt<std::uint64_t> peak_bytes;
  Opt<std::string> peak_source;  // "memory.peak", "memory.max_usage_in_bytes", "samples"
  Opt<std::uint64_t> swap_peak_bytes;
  Opt<std::uint64_t> stall_some_ns;  // memory.pressure of the cgroup: some, full
  Opt<std::uint64_t> stall_full_ns;
  Opt<std::uint64_t> limit_hits;  // memory.events max, v1 memory.failcnt
  bool operator==(const RunUsage&) const = default;
};

struct MemorySample {
  std::uint64_t ms = 0;  // since the command started
  std::uint64_t usage_bytes = 0;
  Opt<std::uint64_t> swap_bytes;
  bool operator==(const MemorySample&) const = default;
};

// One killed process; without incidents only what the cgroup's counter tells: that one was killed.
struct RunKill {
  Opt<std::uint64_t> ms;  // since the command started; from the counter: when that was seen to rise
  Opt<std::uint32_t> pid;
  Opt<std::string> comm;
  Opt<std::vector<std::string>> cmdline;
  Opt<std::string> cgroup;
  Opt<std::string> limit_cgroup;  // whose limit was hit; absent: the host's memory, or not known
  Opt<std::uint64_t> limit_bytes;
  Opt<std::string> incident;  // the id of its incident
  bool operator==(const RunKill&) const = default;
};

struct RunRecord {
  std::vector<std::string> command;  // argv, what looks like secrets masked
  std::int64_t started_unix_ns = 0;
  Host host;
  RunVerdict verdict = RunVerdict::kNotRun;
  std::int32_t exit_code = 0;  // what `oomwitness run` ends with
  Opt<std::int32_t> command_exit_code;
  Opt<std::int32_t> command_signal;
  Opt<std::int32_t> passed_signal;  // INT, TERM, HUP or QUIT that oomwitness passed on to it
  bool timed_out = false;
  std::string error;  // why it could not be run
  RunCgroup cgroup;
  RunDepth depth = RunDepth::kWaitStatus;
  RunLimits limits;
  RunUsage usage;
  Opt<std::uint64_t> oom_kills;       // by the counters of the cgroup and those below it
  std::vector<RunKill> kills;         // in order
  std::vector<MemorySample> memory;   // oldest first
  std::uint64_t ended_processes = 0;  // what the command had left running and was ended with it
  std::map<std::string, std::string> missing;  // field -> why
  std::vector<Incident> incidents;             // of victims inside the run's cgroup
  bool operator==(const RunRecord&) const = default;
};

}  // namespace oomwitness
