// SPDX-License-Identifier: BSD-2-Clause
#include <unistd.h>

#include <string>
#include <string_view>
#include <utility>

#include "cli/commands.h"
#include "cli/local_clock.h"
#include "cli/terminal.h"
#include "cli/version.h"
#include "cli/write_file.h"
#include "run/run_command.h"
#include "run/run_json.h"
#include "sink/gathered.h"
#include "sink/github.h"
#include "sink/html/report_html.h"
#include "sink/junit.h"
#include "sink/run_text.h"
#include "support/text.h"

namespace oomwitness {
namespace {

void say(std::string_view text) {
  // Where stderr is gone there is nobody to tell.
  [[maybe_unused]] const auto written = write_all(STDERR_FILENO, text);
}

CgroupWay way_named(const std::string& name) {
  if (name == "new") return CgroupWay::kNew;
  if (name == "systemd") return CgroupWay::kSystemd;
  if (name == "own") return CgroupWay::kOwn;
  return CgroupWay::kAuto;
}

RunDepth depth_named(const std::string& name) {
  if (name == "log") return RunDepth::kKernelLog;
  if (name == "cgroup") return RunDepth::kCgroup;
  return RunDepth::kBpf;
}

RunOptions run_options(const RunCommand& command, SignalHandler on_sigpipe) {
  RunOptions options;
  options.argv = command.argv;
  options.box = {.roots = command.roots,
                 .way = way_named(command.cgroup),
                 .limits = {.memory_max_bytes = command.memory_max_bytes,
                            .swap_max_bytes = command.swap_max_bytes},
                 .again = command.again};
  if (command.timeout) options.time_limit = {*command.timeout, command.kill_after};
  options.oom = {.exit_code = command.oom_exit_code, .allow = command.allow_oom};
  options.deepest = depth_named(command.depth);
  options.show_secrets = command.show_secrets;
  options.on_sigpipe = on_sigpipe;
  options.on_trouble = [](std::string_view text) {
    say("warning: " + escape_for_terminal(text) + "\n");
  };
  return options;
}

std::string as_html(const RunRecord& record) {
  constexpr std::size_t kMostListed = 1'000;
  Gathered gathered(kMostListed);
  for (const Incident& incident : record.incidents) gathered.add(incident);
  HtmlReport report;
  report.made_unix_ns = local_clock().now_unix_ns;
  report.version = kVersion;
  report.runs = {record};
  report.tally = gathered.tally();
  report.incidents = std::move(gathered).take();
  return render_html(report);
}

// All that can be written is written; the first failure is what is told.
Status write_outputs(const RunCommand& command, const RunRecord& record) {
  Status status;
  const auto keep = [&status](Status written) {
    if (status && !written) status = std::move(written);
  };
  if (command.junit) keep(write_file(*command.junit, render_junit({record})));
  if (command.json) keep(write_file(*command.json, to_json(record) + "\n"));
  if (command.html) keep(write_file(*command.html, as_html(record)));
  if (command.github_summary)
    keep(append_to_file(*command.github_summary, render_github_summary(record)));
  return status;
}

}  // namespace

int run_run(const RunCommand& command, void (*on_sigpipe)(int)) {
  const auto record = run_command(run_options(command, on_sigpipe));
  if (!record) {
    print_error(record.error());
    return kExitCannot;
  }
  const bool quiet = command.quiet && record->verdict == RunVerdict::kSuccess;
  const ReportOptions look{.color = wants_color(STDERR_FILENO), .utf8 = wants_utf8()};
  if (!quiet) say(render_run(*record, look));
  if (command.github) say(render_github_annotations(*record));
  if (const Status written = write_outputs(command, *record); !written) {
    print_error(written.error());
    if (record->exit_code == 0) return kExitCannot;
  }
  return record->exit_code;
}

}  // namespace oomwitness
