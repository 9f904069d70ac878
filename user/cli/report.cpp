// SPDX-License-Identifier: BSD-2-Clause
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <utility>

#include "capture/log/open_log.h"
#include "capture/log/rotation.h"
#include "cli/commands.h"
#include "cli/local_clock.h"
#include "cli/terminal.h"
#include "cli/version.h"
#include "pipeline/incident_source.h"
#include "sink/gathered.h"
#include "sink/html/report_html.h"
#include "sink/text_overview.h"
#include "support/owned_fd.h"

namespace oomwitness {
namespace {

constexpr int kWritten = 0;
constexpr int kFailed = 1;
constexpr int kNoneFound = 3;

LogReaderOptions reader_options() {
  constexpr std::int64_t kDayNs = 24LL * 3600 * 1'000'000'000;  // clocks differ, and so do zones
  const Clock clock = local_clock();
  return {.newest_unix_ns = clock.now_unix_ns + kDayNs, .to_utc = clock.to_utc};
}

Status read_file(const std::string& path, const ReportCommand& command, Gathered& gathered) {
  TRY(const auto opened, open_log(path));
  return read_incidents(*opened.pieces, reader_options(), [&](const Incident& incident) {
    if (!command.id || incident.id == *command.id) gathered.add(incident);
    return Status{};
  });
}

// A file that cannot be read does not keep the others from being reported.
bool read_all(const ReportCommand& command, Gathered& gathered) {
  bool whole = true;
  for (const LogSet& set : sort_rotated(command.files)) {
    for (const LogSetMember& member : set) {
      const Status status = read_file(member.path, command, gathered);
      if (status) continue;
      print_error(status.error());
      whole = false;
    }
  }
  return whole;
}

bool writes_text(const ReportCommand& command) {
  return command.text || (!command.output && ::isatty(STDOUT_FILENO) == 1);
}

std::string as_text(const Gathered& gathered, bool terminal) {
  const ReportOptions options{.color = terminal && wants_color(STDOUT_FILENO),
                              .utf8 = wants_utf8()};
  std::string out = render_overview(gathered.tally(), options);
  for (const Incident& incident : gathered.incidents())
    out += "\n" + render_plots(incident, options);
  return out;
}

std::string as_html(const ReportCommand& command, Gathered gathered) {
  HtmlReport report;
  report.made_unix_ns = local_clock().now_unix_ns;
  report.version = kVersion;
  report.sources = command.files;
  report.tally = gathered.tally();
  report.incidents = std::move(gathered).take();
  return render_html(report);
}

// Whole or not at all: a browser never opens half a report. What is no regular file (a pipe,
// /dev/stdout) is written as it is.
Status write_file(const std::string& path, const std::string& text) {
  struct stat found {};
  const bool special = ::stat(path.c_str(), &found) == 0 && !S_ISREG(found.st_mode);
  const std::string part = special ? path : path + ".part";
  constexpr mode_t kMode = 0644;
  const OwnedFd file(::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kMode));
  if (file.get() < 0) return fail(errno, "write " + part);
  if (Status status = write_all(file.get(), text); !status)
    return tl::make_unexpected(std::move(status).error().during(part));
  if (!special && ::rename(part.c_str(), path.c_str()) != 0)
    return fail(errno, "rename " + part + " to " + path);
  return {};
}

Status write(const ReportCommand& command, Gathered gathered) {
  const bool to_stdout = !command.output || *command.output == "-";
  const std::string text =
      writes_text(command) ? as_text(gathered, to_stdout) : as_html(command, std::move(gathered));
  return to_stdout ? write_all(STDOUT_FILENO, text) : write_file(*command.output, text);
}

}  // namespace

int run_report(const ReportCommand& command) {
  Gathered gathered(command.most);
  const bool whole = read_all(command, gathered);
  if (gathered.tally().incidents() == 0) {
    if (!whole) return kFailed;
    print_error({{},
                 "there is no incident to report",
                 "give incidents as `oomwitness trace --json` prints them, or a kernel log"});
    return kNoneFound;
  }
  if (const Status status = write(command, std::move(gathered)); !status) {
    print_error(status.error());
    return kFailed;
  }
  return whole ? kWritten : kFailed;
}

}  // namespace oomwitness
