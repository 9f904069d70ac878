// SPDX-License-Identifier: BSD-2-Clause
// A running `oomwitness trace --json`, as a user starts it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "process.h"

namespace oomwitness::live {

using nlohmann::json;

struct Conditions {
  std::vector<std::string> args;  // after `trace --json`
  unsigned namespaces = 0;
  bool own_proc = false;
  std::optional<std::uint64_t> capabilities;
};

class Tracer {
 public:
  // Returns when the tracer has said that it is ready, or has ended without.
  explicit Tracer(std::vector<std::string> args = {})
      : Tracer(Conditions{std::move(args), 0, false, {}}) {}
  explicit Tracer(const Conditions& run);
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;
  Tracer(Tracer&&) = delete;
  Tracer& operator=(Tracer&&) = delete;
  ~Tracer();  // shows what the tracer said when the test has failed

  bool ready() const { return !ready_line_.empty(); }
  // It is, but BPF was refused.
  bool log_alone() const { return ready_line_.find("log alone") != std::string::npos; }
  const std::string& ready_line() const { return ready_line_; }
  // The way in use for a hook by the ready line; "" when it is not named there.
  std::string way(const std::string& hook) const;
  // The function hooks, as opposed to tracepoints.
  bool sees_decision() const { return is_on("oom_kill_process"); }
  bool sees_candidates() const { return sees_decision() && is_on("oom_badness"); }
  bool is_on(const std::string& hook) const;

  // The next incident of ours, and the next update of one; what else comes meanwhile is passed
  // over. A test failure and an empty object when none comes.
  json incident() { return next(false); }
  json update() { return next(true); }
  // Ctrl-C; the exit code. Lines that were on their way are in `left_over()`.
  int stop();
  // Waits for it to end by itself; the exit code, or minus the number of the signal that ended it.
  int wait();
  // Incidents only, updates left out.
  std::vector<json> left_over();
  // Every line so far, exactly as written, whoever was killed.
  const std::vector<std::string>& lines() const { return lines_; }
  std::string stderr_text();
  pid_t pid() const { return process_.pid(); }
  // Runs of its programs that the kernel dropped so far, by the kernel's own count
  // (recursion_misses in /proc/PID/fdinfo, since v5.12): 7.x does that to a raw tracepoint's
  // program that was preempted.
  std::uint64_t dropped_runs() const;

 private:
  json next(bool update);
  // Nothing when it is about somebody else's kill.
  std::optional<json> take(const std::string& line);

  Process process_;
  std::string ready_line_;
  std::optional<int> code_;  // when it ended before it was ready
  std::string log_;
  std::vector<std::string> lines_;
};

// Arguments that leave the tracer on the rung of a host without fentry and kprobes.
std::vector<std::string> without_function_hooks();

std::string tracer_path();

// A command that runs to its end: what it wrote and its exit code (minus the signal).
struct Finished {
  int code = -1;
  std::vector<std::string> lines;
  std::string err;
};
Finished run_oomwitness(const std::vector<std::string>& args);

}  // namespace oomwitness::live
