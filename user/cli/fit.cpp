// SPDX-License-Identifier: BSD-2-Clause
#include "run/fit.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <utility>

#include "cli/commands.h"
#include "cli/terminal.h"
#include "run/run_command.h"
#include "sink/fit_text.h"
#include "sink/run_text.h"
#include "support/text.h"

namespace oomwitness {
namespace {

using namespace std::chrono_literals;

// A run under a tight limit may take for ever: it gets ten times what the first one took.
constexpr int kPatience = 10;
constexpr std::chrono::nanoseconds kLeastTime = 30s;

void say(const std::string& text) {
  // Where stderr is gone there is nobody to tell.
  [[maybe_unused]] const auto written = write_all(STDERR_FILENO, text);
}

TrialEnd end_of(const RunRecord& record) {
  switch (record.verdict) {
    case RunVerdict::kSuccess: return TrialEnd::kSuccess;
    case RunVerdict::kOom: return TrialEnd::kOom;
    case RunVerdict::kTimeout: return TrialEnd::kTimeout;
    case RunVerdict::kFailure:
    case RunVerdict::kSignal:
    case RunVerdict::kNotRun: break;
  }
  return TrialEnd::kFailure;
}

std::string words_for(const RunRecord& record) {
  if (record.verdict == RunVerdict::kSuccess) return "success";
  return record.verdict == RunVerdict::kOom ? "OOM kill" : run_headline(record);
}

TrialResult result_of(const RunRecord& record) {
  return {.end = end_of(record),
          .what = words_for(record),
          .wall_ns = record.usage.wall_ns.value_or(0),
          .peak_bytes = record.usage.peak_bytes,
          .stall_ns = record.usage.stall_some_ns,
          .limit_hits = record.usage.limit_hits};
}

class Trials {
 public:
  Trials(const FitCommand& command, SignalHandler on_sigpipe) : command_(command) {
    options_.argv = command.argv;
    options_.box.roots = command.roots;
    options_.box.again = command.again;
    options_.box.way = command.again.empty() ? CgroupWay::kSystemd : CgroupWay::kNew;
    options_.deepest = RunDepth::kCgroup;
    options_.silent = !command.show_output;
    options_.on_sigpipe = on_sigpipe;
    options_.on_trouble = [](std::string_view text) {
      say("warning: " + escape_for_terminal(text) + "\n");
    };
    if (command.timeout) options_.time_limit = TimeLimit{.after = *command.timeout};
  }

  TrialResult operator()(std::optional<std::uint64_t> limit) {
    if (error_ || interrupted_) return {.end = TrialEnd::kFailure, .what = "not run"};
    options_.box.limits = {.memory_max_bytes = limit,
                           .swap_max_bytes = limit ? command_.swap_max_bytes : std::nullopt};
    const auto record = run_command(options_);
    if (!record) {
      error_ = record.error();
      return {.end = TrialEnd::kFailure, .what = record.error().message()};
    }
    interrupted_ = record->passed_signal.has_value();
    not_run_ = record->verdict == RunVerdict::kNotRun ? record->exit_code : 0;
    if (!limit && !command_.timeout && record->verdict == RunVerdict::kSuccess) {
      const std::chrono::nanoseconds took(
          static_cast<std::int64_t>(record->usage.wall_ns.value_or(0)));
      options_.time_limit = TimeLimit{.after = std::max(kLeastTime, took * kPatience)};
    }
    return result_of(*record);
  }

  const std::optional<Error>& error() const { return error_; }
  bool interrupted() const { return interrupted_; }
  int not_run() const { return not_run_; }

 private:
  const FitCommand& command_;
  RunOptions options_;
  std::optional<Error> error_;
  bool interrupted_ = false;
  int not_run_ = 0;
};

}  // namespace

int run_fit(const FitCommand& command, void (*on_sigpipe)(int)) {
  Trials trials(command, on_sigpipe);
  const Charset charset = wants_utf8() ? Charset::kUtf8 : Charset::kAscii;
  FitReport report{.command = command.argv, .margin = command.margin};
  redact_argv(report.command);
  unsigned number = 0;
  report.result = find_fit(
      {.max_runs = command.runs}, [&trials](auto limit) { return trials(limit); },
      [&](const FitRun& run) {
        say("run " + std::to_string(++number) + ": " + fit_run_line(run, charset) + "\n");
      });
  if (trials.error()) {
    print_error(*trials.error());
    return kExitCannot;
  }
  if (trials.interrupted()) {
    say("interrupted\n");
    return kExitSignalBase + SIGINT;
  }
  if (trials.not_run() != 0) return trials.not_run();
  const Status written =
      write_all(STDOUT_FILENO, command.json ? fit_json(report) : render_fit(report, charset));
  if (!written) {
    print_error(written.error());
    return 1;
  }
  return suggested_bytes(report) ? 0 : 1;
}

}  // namespace oomwitness
