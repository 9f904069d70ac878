// SPDX-License-Identifier: BSD-2-Clause
// The options of `run` and `fit`. For options.cpp only.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/options.h"

namespace oomwitness {

// What stands before and behind the "--" of these two; of every other command all is ours.
struct SplitLine {
  std::vector<const char*> ours;
  std::vector<std::string> command;
  std::vector<std::string> whole;
};
SplitLine split_command(std::span<const char* const> argv);

CLI::App* add_run(CLI::App& app, RunCommand& run);
CLI::App* add_fit(CLI::App& app, FitCommand& fit);
Command finish(RunCommand run, const SplitLine& line, const CLI::App& command);
Command finish(FitCommand fit, const SplitLine& line, const CLI::App& command);

}  // namespace oomwitness
