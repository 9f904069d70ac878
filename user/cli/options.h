// SPDX-License-Identifier: BSD-2-Clause
// The command line as validated values. options.cpp is where CLI11 is.
#pragma once

#include <chrono>
#include <cstddef>
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
  std::string journal_directory;  // empty: this host's
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

struct ReportCommand {
  std::vector<std::string> files;     // "-": stdin
  bool stored = false;                // those that the agent has kept
  std::optional<std::string> store;   // its database, where it is not in its usual place
  std::optional<std::string> output;  // "-": stdout
  bool text = false;
  std::optional<std::string> id;
  std::size_t most = 1000;  // incidents listed
};

// A command that is a program of its own (libexec.h).
struct LibexecCommand {
  std::string program;
  std::vector<std::string> arguments;
};

struct RunCommand {
  std::vector<std::string> argv;
  std::optional<std::uint64_t> memory_max_bytes;
  std::optional<std::uint64_t> swap_max_bytes;
  std::optional<std::chrono::nanoseconds> timeout;
  std::chrono::nanoseconds kill_after = std::chrono::seconds(10);
  int oom_exit_code = 137;
  bool allow_oom = false;
  std::string cgroup = "auto";
  std::string depth = "auto";
  std::optional<std::string> junit;
  std::optional<std::string> json;
  std::optional<std::string> html;
  std::optional<std::string> github_summary;
  bool github = false;
  bool quiet = false;
  bool show_secrets = false;
  // This command line, for starting again inside a scope of systemd's; empty: it is one already.
  std::vector<std::string> again;
  Roots roots;
};

struct FitCommand {
  std::vector<std::string> argv;
  unsigned runs = 20;
  double margin = 0.2;
  std::optional<std::uint64_t> swap_max_bytes = 0;
  std::optional<std::chrono::nanoseconds> timeout;
  bool json = false;
  bool show_output = false;
  std::vector<std::string> again;  // as in RunCommand
  Roots roots;
};

using Command = std::variant<TraceCommand, DoctorCommand, AnalyzeCommand, ExplainCommand,
                             ReportCommand, LibexecCommand, RunCommand, FitCommand, EarlyExit>;

Command parse_command_line(std::span<const char* const> argv);

}  // namespace oomwitness
