// SPDX-License-Identifier: BSD-2-Clause
// The command line as validated values. options.cpp is where CLI11 is.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "cli/early_exit.h"
#include "enrich/roots.h"
#include "pipeline/filter.h"

namespace oomwitness {

struct TraceCommand {
  bool json = false;
  bool verbose = false;
  bool show_secrets = false;
  bool since_boot = false;
  Filter filter;
  std::optional<std::uint64_t> count;
  std::optional<std::chrono::nanoseconds> duration;
  std::chrono::nanoseconds settle = std::chrono::milliseconds(500);
  std::vector<std::string> hooks;
  std::optional<std::string> btf;
  std::uint32_t ring_kib = 512;
  std::optional<std::string> record;
  std::optional<std::string> replay;
  Roots roots;
};

struct DoctorCommand {
  bool json = false;
  std::vector<std::string> hooks;
  std::optional<std::string> btf;
  Roots roots;
};

struct AnalyzeCommand {
  bool summary = false;
  bool dmesg = false;
  bool journal = false;
  std::optional<std::string> boot;
  bool follow = false;
  std::optional<std::int64_t> since_unix_ns;
  std::optional<std::int64_t> until_unix_ns;
  Filter filter;
  std::optional<std::uint64_t> count;
  bool json = false;
  std::vector<std::string> files;  // "-": stdin
};

struct ExplainCommand {
  bool json = false;
  std::optional<std::string> id;
  std::string file = "-";  // "-": stdin; what is no file and looks like an id is one of the store
  std::optional<std::string> store;
};

// A command that is a program of its own (libexec.h).
struct LibexecCommand {
  std::string program;
  std::vector<std::string> arguments;
};

using Command = std::variant<TraceCommand, DoctorCommand, AnalyzeCommand, ExplainCommand,
                             LibexecCommand, EarlyExit>;

Command parse_command_line(std::span<const char* const> argv);

}  // namespace oomwitness
