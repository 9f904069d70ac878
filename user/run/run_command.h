// SPDX-License-Identifier: BSD-2-Clause
// One command, run in its own cgroup and watched, from nothing to its record. What was made for it
// is gone afterwards, whatever happened.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "run/child.h"
#include "run/choose_box.h"
#include "run/run_record.h"
#include "run/supervise.h"
#include "run/verdict.h"

namespace oomwitness {

struct RunOptions {
  std::vector<std::string> argv;
  BoxRequest box;
  std::optional<TimeLimit> time_limit;
  OomPolicy oom;
  RunDepth deepest = RunDepth::kBpf;
  bool show_secrets = false;
  bool silent = false;  // the command's standard streams are /dev/null
  SignalHandler on_sigpipe = nullptr;
  // A sentence for stderr: what could not be cleaned up.
  std::function<void(std::string_view)> on_trouble;
};

// To be called without threads. An error: nothing was run (exit code 125). A command that cannot be
// started has a record, with the verdict kNotRun.
Result<RunRecord> run_command(const RunOptions& options);

}  // namespace oomwitness
