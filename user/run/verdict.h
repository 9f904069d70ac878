// SPDX-License-Identifier: BSD-2-Clause
// How a run is judged. Pure.
#pragma once

#include "run/run_record.h"

namespace oomwitness {

// As env(1), timeout(1) and the shells have them.
inline constexpr int kExitTimeout = 124;
inline constexpr int kExitCannot = 125;
inline constexpr int kExitNotExecutable = 126;
inline constexpr int kExitNotFound = 127;
inline constexpr int kExitSignalBase = 128;

struct OomPolicy {
  int exit_code = 137;
  bool allow = false;  // an OOM kill is told and the command's own end counts
};

// Fills in verdict and exit_code from command_exit_code, command_signal, timed_out, oom_kills and
// kills.
void judge(RunRecord& record, const OomPolicy& policy);

// The exit code for a command that execve(2) refused with `error`.
int exit_code_of_exec_error(int error);

}  // namespace oomwitness
