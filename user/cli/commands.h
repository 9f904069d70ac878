// SPDX-License-Identifier: BSD-2-Clause
// One function a command; each returns the process's exit code.
#pragma once

#include "cli/options.h"

namespace oomwitness {

int run_trace(const TraceCommand& command);
int run_explain(const ExplainCommand& command);
int run_analyze(const AnalyzeCommand& command);
// `on_sigpipe`: what was done about SIGPIPE when the program started, for the command.
int run_run(const RunCommand& command, void (*on_sigpipe)(int));
int run_fit(const FitCommand& command, void (*on_sigpipe)(int));
int run_report(const ReportCommand& command);
int run_doctor(const DoctorCommand& command);

}  // namespace oomwitness
