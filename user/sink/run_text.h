// SPDX-License-Identifier: BSD-2-Clause
// A run for people: its verdict in a sentence, and the figures. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "run/run_record.h"
#include "sink/report.h"
#include "support/text.h"

namespace oomwitness {

// "OOM kill: leak (pid 123) was killed at the memory limit of the run, 64 MiB; the command itself
// ended with exit code 0". One line, names escaped.
std::string run_headline(const RunRecord& record, Charset charset = Charset::kUtf8);

// argv as a line, arguments quoted where they have to be told apart, names escaped.
std::string command_line(const std::vector<std::string>& argv, Charset charset = Charset::kUtf8);

// "leak (pid 123)"; "a process" for one that is not known.
std::string killed_name(const RunKill& kill, Charset charset = Charset::kUtf8);

// What is known, each a label and a line: killed, memory, stalled, time, cgroup, seen by, ...
std::vector<std::pair<std::string, std::string>> run_facts(const RunRecord& record,
                                                           Charset charset = Charset::kUtf8);

// Headline and facts, and the reports of the first incidents.
std::string render_run(const RunRecord& record, const ReportOptions& options);

}  // namespace oomwitness
