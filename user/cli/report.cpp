// SPDX-License-Identifier: BSD-2-Clause
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "capture/log/open_log.h"
#include "capture/log/rotation.h"
#include "cli/commands.h"
#include "cli/libexec.h"
#include "cli/local_clock.h"
#include "cli/log_options.h"
#include "cli/terminal.h"
#include "cli/version.h"
#include "cli/write_file.h"
#include "pipeline/incident_source.h"
#include "pipeline/log_set.h"
#include "sink/gathered.h"
#include "sink/html/report_html.h"
#include "sink/run_chart.h"
#include "sink/text_overview.h"

namespace oomwitness {
namespace {

constexpr int kWritten = 0;
constexpr int kFailed = 1;
constexpr int kNoneFound = 3;

// All that a report is made of.
struct Material {
  Gathered incidents;
  std::vector<RunRecord> runs;

  bool empty() const { return incidents.tally().incidents() == 0 && runs.empty(); }
};

IncidentSource source_of(const ReportCommand& command, Material& material) {
  return {log_reader_options(),
          [&](const Incident& incident) {
            if (!command.id || incident.id == *command.id) material.incidents.add(incident);
            return Status{};
          },
          [&](const RunRecord& run) {
            material.runs.push_back(run);
            return Status{};
          }};
}

Status read_file(const std::string& path, IncidentSource& source) {
  TRY(const auto opened, open_log(path));
  return source.read(*opened.pieces);
}

Status read_store(const ReportCommand& command, IncidentSource& source) {
  const char* const program = "oomwitness-history";
  std::vector<std::string> arguments{"--json", "--limit", std::to_string(command.most)};
  if (command.store) arguments.insert(arguments.end(), {"--store", *command.store});
  TRY(auto piped, run_beside(program, std::move(arguments)));
  Status status =
      source.read(*make_opened(std::make_unique<FdStream>(std::move(piped.out), program)).pieces);
  const int code = wait_for_end(piped);
  if (!status) return status;
  // It has said itself what was wrong.
  if (code != 0 && code != kNoneFound)
    return fail(std::string(program) + " ended with " + std::to_string(code));
  return {};
}

// What cannot be read does not keep the rest from being reported.
bool read_all(const ReportCommand& command, Material& material) {
  bool whole = true;
  const auto keep = [&whole](const Status& status) {
    if (status) return;
    print_error(status.error());
    whole = false;
  };
  IncidentSource source = source_of(command, material);
  if (command.stored) keep(read_store(command, source));
  for (const LogSet& set : sort_rotated(command.files)) {
    read_log_set(
        set, source, [&](const std::string& path) { return read_file(path, source); }, keep);
  }
  return whole;
}

bool writes_text(const ReportCommand& command) {
  return command.text || (!command.output && ::isatty(STDOUT_FILENO) == 1);
}

std::string as_text(Material material, bool terminal) {
  const ReportOptions options{.color = terminal && wants_color(STDOUT_FILENO),
                              .utf8 = wants_utf8()};
  std::string out;
  const auto add = [&out](const std::string& part) {
    if (!part.empty()) out += (out.empty() ? "" : "\n") + part;
  };
  for (const RunRecord& run : material.runs) add(render_run_plot(run, options));
  add(render_overview(material.incidents.tally(), options));
  for (const Incident& incident : std::move(material.incidents).take())
    add(render_plots(incident, options));
  return out;
}

std::string as_html(const ReportCommand& command, Material material) {
  HtmlReport report;
  report.made_unix_ns = local_clock().now_unix_ns;
  report.version = kVersion;
  report.sources = command.files;
  if (command.stored) report.sources.emplace_back("the store of the agent");
  report.runs = std::move(material.runs);
  report.tally = material.incidents.tally();
  report.incidents = std::move(material.incidents).take();
  return render_html(report);
}

Status write(const ReportCommand& command, Material material) {
  const bool to_stdout = !command.output || *command.output == "-";
  const std::string text = writes_text(command) ? as_text(std::move(material), to_stdout)
                                                : as_html(command, std::move(material));
  return to_stdout ? write_all(STDOUT_FILENO, text) : write_file(*command.output, text);
}

}  // namespace

int run_report(const ReportCommand& command) {
  Material material{Gathered(command.most), {}};
  const bool whole = read_all(command, material);
  if (material.empty()) {
    if (!whole) return kFailed;
    print_error({{},
                 "there is no incident to report",
                 "give incidents as `oomwitness trace --json` prints them, or a kernel log"});
    return kNoneFound;
  }
  if (const Status status = write(command, std::move(material)); !status) {
    print_error(status.error());
    return kFailed;
  }
  return whole ? kWritten : kFailed;
}

}  // namespace oomwitness
