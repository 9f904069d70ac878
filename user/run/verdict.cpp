// SPDX-License-Identifier: BSD-2-Clause
#include "run/verdict.h"

#include <cerrno>

namespace oomwitness {
namespace {

RunVerdict end_of_command(const RunRecord& record) {
  if (record.timed_out) return RunVerdict::kTimeout;
  if (record.command_signal) return RunVerdict::kSignal;
  return record.command_exit_code.value_or(0) == 0 ? RunVerdict::kSuccess : RunVerdict::kFailure;
}

int own_exit_code(const RunRecord& record) {
  if (record.timed_out) return kExitTimeout;
  if (record.command_signal) return kExitSignalBase + *record.command_signal;
  return record.command_exit_code.value_or(0);
}

}  // namespace

void judge(RunRecord& record, const OomPolicy& policy) {
  const bool oom = record.oom_kills.value_or(0) > 0 || !record.kills.empty();
  record.verdict = oom ? RunVerdict::kOom : end_of_command(record);
  record.exit_code = oom && !policy.allow ? policy.exit_code : own_exit_code(record);
}

int exit_code_of_exec_error(int error) {
  return error == ENOENT || error == ENOTDIR ? kExitNotFound : kExitNotExecutable;
}

}  // namespace oomwitness
