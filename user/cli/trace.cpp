// SPDX-License-Identifier: BSD-2-Clause
#include <unistd.h>

#include <string>
#include <string_view>

#include "cli/commands.h"
#include "cli/terminal.h"
#include "incident/json.h"
#include "pipeline/live.h"
#include "pipeline/replay.h"
#include "sink/report.h"
#include "support/text.h"

namespace oomwitness {
namespace {

void say(std::string_view text) {
  [[maybe_unused]] const auto written = write_all(STDERR_FILENO, text);
}

IncidentStream::Sink stdout_sink(bool json) {
  if (json) {
    return
        [](const Incident& incident) { return write_all(STDOUT_FILENO, to_json(incident) + "\n"); };
  }
  const ReportOptions options{.color = wants_color(STDOUT_FILENO), .utf8 = wants_utf8()};
  return [options](const Incident& incident) {
    return write_all(STDOUT_FILENO, render_report(incident, options) + "\n");
  };
}

void say_ready(const HookPlan& plan, bool verbose) {
  std::string line = "ready:";
  bool hooked = false;
  for (const HookRow& row : hook_table()) {
    line.append(" ").append(row.name).append("=").append(plan.current_name(row.hook));
    hooked = hooked || plan.current(row.hook) != nullptr;
  }
  if (!hooked) line = "ready: the kernel's log alone";
  if (verbose && !plan.reasons().empty()) line += "\nnot used:" + plan.reasons();
  say(line + "\n");
}

LiveOptions live_options(const TraceCommand& command) {
  LiveOptions options;
  options.tracer.hooks = command.hooks;
  options.tracer.btf_path = command.btf;
  options.tracer.ring_bytes = command.ring_kib * 1024;
  if (command.verbose) options.tracer.log = say;
  options.roots = command.roots;
  options.wanted = {.filter = command.filter, .count = command.count};
  options.settle = command.settle;
  options.duration = command.duration;
  options.record_path = command.record;
  options.show_secrets = command.show_secrets;
  options.since_boot = command.since_boot;
  options.on_ready = [verbose = command.verbose](const HookPlan& plan) {
    say_ready(plan, verbose);
  };
  options.on_trouble = [](std::string_view text) {
    say("warning: " + escape_for_terminal(text) + "\n");
  };
  return options;
}

}  // namespace

int run_trace(const TraceCommand& command) {
  const auto sink = stdout_sink(command.json);
  const Status status =
      command.replay
          ? replay(*command.replay, {.filter = command.filter, .count = command.count}, sink)
          : trace_live(live_options(command), sink);
  if (status) return 0;
  print_error(status.error());
  return 1;
}

}  // namespace oomwitness
