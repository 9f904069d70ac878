// SPDX-License-Identifier: BSD-2-Clause
#include "sample_runs.h"

#include <csignal>

#include "run/verdict.h"
#include "sample_incidents.h"

namespace oomwitness {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;
constexpr std::uint64_t kSecond = 1'000'000'000;

RunRecord base() {
  RunRecord run;
  run.command = {"make", "check", "JOBS=4"};
  run.started_unix_ns = 1'764'091'425'123'456'789;
  run.host = {.name = "ci-7", .boot_id = "b", .kernel = "6.12.1", .arch = "x86_64"};
  run.cgroup = {.version = 2, .path = "/ci/oomwitness-run-41-18a2b", .way = "new"};
  run.depth = RunDepth::kCgroup;
  run.limits.memory_max_bytes = 512 * kMiB;
  run.limits.effective_bytes = 512 * kMiB;
  run.limits.effective_cgroup = run.cgroup.path;
  run.usage = {.wall_ns = 12 * kSecond,
               .user_ns = 9 * kSecond,
               .system_ns = kSecond,
               .peak_bytes = 300 * kMiB,
               .peak_source = "memory.peak",
               .swap_peak_bytes = 0,
               .stall_some_ns = 0,
               .stall_full_ns = 0,
               .limit_hits = 0};
  run.oom_kills = 0;
  run.memory = {{.ms = 20, .usage_bytes = kMiB}, {.ms = 70, .usage_bytes = 300 * kMiB}};
  return run;
}

RunRecord success() {
  RunRecord run = base();
  run.command_exit_code = 0;
  judge(run, {});
  return run;
}

// The compiler dies, make goes on.
RunRecord hidden_oom() {
  RunRecord run = base();
  run.depth = RunDepth::kBpf;
  run.command_exit_code = 0;
  run.usage.peak_bytes = 512 * kMiB;
  run.usage.limit_hits = 1234;
  run.usage.stall_some_ns = kSecond / 2;
  run.usage.stall_full_ns = kSecond / 4;
  run.oom_kills = 1;
  run.incidents = {sample_incidents().front().second};
  run.incidents.front().scope.memcg->self.path = run.cgroup.path;
  run.incidents.front().scope.memcg->self.limit_bytes = 512 * kMiB;
  run.kills = {{.ms = 70,
                .pid = 811,
                .comm = "cc1plus",
                .cmdline = std::vector<std::string>{"cc1plus", "-O2", "big file.cpp"},
                .cgroup = run.cgroup.path,
                .limit_cgroup = run.cgroup.path,
                .limit_bytes = 512 * kMiB,
                .incident = run.incidents.front().id}};
  judge(run, {});
  return run;
}

// Nothing but counters, in a cgroup that others share.
RunRecord counted_oom() {
  RunRecord run = base();
  run.cgroup = {.version = 2, .path = "/", .way = "own"};
  run.limits = {.effective_bytes = 2048 * kMiB, .effective_cgroup = "/"};
  run.command_signal = SIGKILL;
  run.oom_kills = 2;
  run.kills = {{.ms = 70}, {.ms = 70}};
  run.ended_processes = 3;
  run.missing = {{"kills", "the cgroup's counter does not tell who was killed"},
                 {"cgroup.way", "none of the run's own: make the cgroup: Read-only file system"},
                 {"depth", "BPF: Operation not permitted"}};
  judge(run, {});
  return run;
}

RunRecord allowed_oom() {
  RunRecord run = hidden_oom();
  judge(run, {.exit_code = 137, .allow = true});
  return run;
}

RunRecord failure() {
  RunRecord run = base();
  run.command_exit_code = 3;
  judge(run, {});
  return run;
}

RunRecord signal() {
  RunRecord run = base();
  run.command_signal = SIGSEGV;
  judge(run, {});
  return run;
}

RunRecord somebodys_sigkill() {
  RunRecord run = base();
  run.command_signal = SIGKILL;
  judge(run, {});
  return run;
}

RunRecord timeout() {
  RunRecord run = base();
  run.limits.timeout_ns = 12 * kSecond;
  run.timed_out = true;
  run.command_signal = SIGTERM;
  judge(run, {});
  return run;
}

RunRecord not_run() {
  RunRecord run = base();
  run.command = {"no-such-command"};
  run.usage = {};
  run.memory.clear();
  run.error = "No such file or directory";
  run.verdict = RunVerdict::kNotRun;
  run.exit_code = 127;
  return run;
}

RunRecord bare() {
  RunRecord run;
  run.command = {"true"};
  run.command_exit_code = 0;
  run.missing = {{"cgroup", "no memory controller is mounted"}};
  judge(run, {});
  return run;
}

// Names made to break out of every output there is.
RunRecord hostile() {
  RunRecord run = hidden_oom();
  const std::string name = "]]>\"'<b>&\x1b[31m%0A::error::\n|`*_\xff\xef\xbf\xbe\x01\r";
  run.command = {name, "--password=hunter2", ""};
  run.kills.front().comm = name;
  run.kills.front().cmdline = std::vector<std::string>{name, "::set-output name=x::y"};
  run.kills.front().limit_cgroup = "/" + name;
  run.cgroup.path = "/" + name;
  run.host.name = name;
  run.incidents = {sample_incidents().at(4).second};
  run.kills.front().incident = run.incidents.front().id;
  return run;
}

}  // namespace

std::vector<std::pair<std::string, RunRecord>> sample_runs() {
  return {{"success", success()},
          {"hidden_oom", hidden_oom()},
          {"counted_oom", counted_oom()},
          {"allowed_oom", allowed_oom()},
          {"failure", failure()},
          {"signal", signal()},
          {"sigkill", somebodys_sigkill()},
          {"timeout", timeout()},
          {"not_run", not_run()},
          {"bare", bare()},
          {"hostile", hostile()}};
}

}  // namespace oomwitness
