// SPDX-License-Identifier: BSD-2-Clause
#include "cli/run_options.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <functional>
#include <string_view>

#include "cli/option_values.h"

namespace oomwitness {
namespace {

using namespace std::chrono_literals;

constexpr const char* kScoped = "--scoped";

// An option whose text is a size or a duration, kept as a number.
void add_size(CLI::App& command, const char* name, std::optional<std::uint64_t>& bytes,
              const char* text, bool zero) {
  auto* option = command.add_option_function<std::string>(
      name,
      [&bytes](const std::string& size) {
        bytes = size == "0" ? std::optional<std::uint64_t>(0) : parse_size(size);
      },
      text);
  option->type_name("SIZE")->check(zero ? size_or_zero_check() : size_check());
}

void add_duration(CLI::App& command, const char* name,
                  const std::function<void(std::chrono::nanoseconds)>& keep, const char* text) {
  command
      .add_option_function<std::string>(
          name, [keep](const std::string& time) { keep(*parse_duration(time, 1s)); }, text)
      ->type_name("TIME")
      ->check(duration_check(1s));
}

void add_file(CLI::App& command, const char* name, std::optional<std::string>& file,
              const char* text) {
  command.add_option(name, file, text)->type_name("FILE");
}

void add_limits(CLI::App& command, RunCommand& run) {
  add_size(command, "--memory-max", run.memory_max_bytes,
           "Memory limit of the command and all its children (512M, 1.5G)", false);
  add_size(command, "--swap-max", run.swap_max_bytes, "Limit of what they may have in swap", true);
  add_duration(
      command, "--timeout", [&run](std::chrono::nanoseconds time) { run.timeout = time; },
      "End the command with SIGTERM after this time (10s, 5m; bare: seconds)");
  add_duration(
      command, "--kill-after", [&run](std::chrono::nanoseconds time) { run.kill_after = time; },
      "and with SIGKILL, should it still be there after that time (default 10s)");
}

bool takes_one(std::string_view command) {
  return command == "run" || command == "fit";
}

// "20%", "0.2"
std::optional<double> parse_share(std::string_view text) {
  const bool percent = text.ends_with('%');
  if (percent) text.remove_suffix(1);
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  constexpr double kMost = 100;
  if (error != std::errc{} || rest != end || !(number >= 0)) return std::nullopt;
  if (percent) number /= 100;
  return number <= kMost ? std::optional(number) : std::nullopt;
}

CLI::Validator share_check() {
  return CLI::Validator(
      [](std::string& text) {
        if (parse_share(text)) return std::string();
        return "'" + text + "' is not a share: expected one like 20%";
      },
      "SHARE");
}

EarlyExit without_command(const CLI::App& command) {
  return {2, "", "-- and a command are required.\n" + command.help()};
}

// Empty: it is inside a scope already.
std::vector<std::string> line_for_scope(const SplitLine& line, const CLI::App& command) {
  if (command.count(kScoped) > 0) return {};
  std::vector<std::string> again = line.whole;
  again.insert(again.begin() + 2, kScoped);
  return again;
}

}  // namespace

SplitLine split_command(std::span<const char* const> argv) {
  SplitLine line;
  line.whole.assign(argv.begin(), argv.end());
  const bool takes_command = argv.size() > 1 && takes_one(argv[1]);
  const auto dashes =
      takes_command ? std::find_if(argv.begin(), argv.end(),
                                   [](const char* word) { return std::strcmp(word, "--") == 0; })
                    : argv.end();
  line.ours.assign(argv.begin(), dashes);
  if (dashes != argv.end()) line.command.assign(dashes + 1, argv.end());
  return line;
}

CLI::App* add_run(CLI::App& app, RunCommand& run) {
  CLI::App* command =
      app.add_subcommand("run", "Run a command in a cgroup of its own and tell OOM from failure");
  add_limits(*command, run);
  command
      ->add_option("--oom-exit-code", run.oom_exit_code,
                   "Exit code when there was an OOM kill, whatever the command made of it")
      ->type_name("N")
      ->check(CLI::Range(0, 255))
      ->capture_default_str();
  command->add_flag("--allow-oom", run.allow_oom,
                    "Report OOM kills, but end as the command itself does");
  add_file(*command, "--junit", run.junit, "Write the result as JUnit XML");
  add_file(*command, "--json", run.json, "Write the record of the run (docs/run.schema.json)");
  add_file(*command, "--html", run.html,
           "Write one HTML file with plots, as oomwitness report does");
  command->add_flag("--github", run.github, "Annotations for GitHub Actions on stderr");
  add_file(*command, "--github-summary", run.github_summary,
           "Append a summary in Markdown (\"$GITHUB_STEP_SUMMARY\")");
  command
      ->add_option("--depth", run.depth,
                   "See no deeper than: bpf (whole incidents), log (as far as the kernel's log "
                   "tells), cgroup (the cgroup's own counters)")
      ->check(CLI::IsMember({"auto", "bpf", "log", "cgroup"}))
      ->capture_default_str();
  command
      ->add_option("--cgroup", run.cgroup,
                   "The cgroup: new (made for the run), systemd (in a scope), own (that of "
                   "oomwitness, shared and without limits)")
      ->check(CLI::IsMember({"auto", "new", "systemd", "own"}))
      ->capture_default_str();
  command->add_flag("-q,--quiet", run.quiet, "Say nothing about a success");
  command->add_flag("--show-secrets", run.show_secrets,
                    "Do not mask arguments that look like passwords, tokens or keys");
  command->add_flag(kScoped)->group("");
  command->footer(
      "The command stands behind --: oomwitness run --memory-max 512M -- make check\n"
      "Exit codes: the command's own; 137 (--oom-exit-code) after an OOM kill; 124 when the time "
      "is "
      "over; 128+N when signal N ended it; 125 oomwitness failed, 126 the command cannot be "
      "executed, 127 it was not found; 2 bad usage.");
  return command;
}

CLI::App* add_fit(CLI::App& app, FitCommand& fit) {
  CLI::App* command =
      app.add_subcommand("fit", "Find the smallest memory limit that a command can live with");
  command->add_option("--runs", fit.runs, "Run the command at most so many times")
      ->type_name("N")
      ->check(CLI::Range(4U, 1000U))
      ->capture_default_str();
  command
      ->add_option_function<std::string>(
          "--margin", [&fit](const std::string& share) { fit.margin = *parse_share(share); },
          "What to add to the limit that is suggested")
      ->check(share_check())
      ->default_str("20%");
  add_size(*command, "--swap-max", fit.swap_max_bytes,
           "What each run may have in swap (default 0: memory is all there is)", true);
  add_duration(
      *command, "--timeout", [&fit](std::chrono::nanoseconds time) { fit.timeout = time; },
      "A run that takes longer has failed (default ten times the first, at least 30s)");
  command->add_flag("--json", fit.json, "As one JSON object (docs/fit.schema.json)");
  command->add_flag("--show-output", fit.show_output, "Let the command write where it wants to");
  command->add_flag(kScoped)->group("");
  command->footer(
      "The command stands behind --: oomwitness fit -- make check\n"
      "Exit codes: 0 found, 1 no answer (it says why), 2 bad usage, 125 oomwitness failed, 126 the "
      "command cannot be executed, 127 it was not found.\n"
      "Data goes to stdout, everything else to stderr.");
  return command;
}

Command finish(RunCommand run, const SplitLine& line, const CLI::App& command) {
  if (line.command.empty()) return without_command(command);
  run.argv = line.command;
  run.again = line_for_scope(line, command);
  if (run.again.empty()) run.cgroup = "systemd";
  return run;
}

Command finish(FitCommand fit, const SplitLine& line, const CLI::App& command) {
  if (line.command.empty()) return without_command(command);
  fit.argv = line.command;
  fit.again = line_for_scope(line, command);
  return fit;
}

}  // namespace oomwitness
