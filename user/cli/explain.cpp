// SPDX-License-Identifier: BSD-2-Clause
#include "sink/explain.h"

#include <unistd.h>

#include <string>

#include "capture/log/open_log.h"
#include "cli/commands.h"
#include "cli/local_clock.h"
#include "cli/terminal.h"
#include "incident/json.h"
#include "pipeline/incident_source.h"

namespace oomwitness {
namespace {

constexpr int kExplained = 0;
constexpr int kNotRead = 1;
constexpr int kNoneFound = 3;

LogReaderOptions reader_options() {
  constexpr std::int64_t kDayNs = 24LL * 3600 * 1'000'000'000;  // clocks differ, and so do zones
  const Clock clock = local_clock();
  return {.newest_unix_ns = clock.now_unix_ns + kDayNs, .to_utc = clock.to_utc};
}

Status explain_file(const ExplainCommand& command, std::uint64_t& explained) {
  TRY(const auto opened, open_log(command.file));
  const ReportOptions options{.color = wants_color(STDOUT_FILENO), .utf8 = wants_utf8()};
  return read_incidents(*opened.pieces, reader_options(), [&](const Incident& incident) {
    if (command.id && incident.id != *command.id) return Status{};
    ++explained;
    return write_all(STDOUT_FILENO, command.json ? to_json(incident) + "\n"
                                                 : render_explanation(incident, options) + "\n");
  });
}

}  // namespace

int run_explain(const ExplainCommand& command) {
  std::uint64_t explained = 0;
  if (const Status status = explain_file(command, explained); !status) {
    print_error(status.error());
    return kNotRead;
  }
  return explained > 0 ? kExplained : kNoneFound;
}

}  // namespace oomwitness
