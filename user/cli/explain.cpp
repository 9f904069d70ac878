// SPDX-License-Identifier: BSD-2-Clause
#include "sink/explain.h"

#include <unistd.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "capture/log/open_log.h"
#include "cli/commands.h"
#include "cli/libexec.h"
#include "cli/log_options.h"
#include "cli/terminal.h"
#include "incident/json.h"
#include "pipeline/incident_source.h"

namespace oomwitness {
namespace {

constexpr int kExplained = 0;
constexpr int kNotRead = 1;
constexpr int kNoneFound = 3;

Status explain_file(const ExplainCommand& command, std::uint64_t& explained) {
  TRY(const auto opened, open_log(command.file));
  const ReportOptions options{.color = wants_color(STDOUT_FILENO), .utf8 = wants_utf8()};
  return read_incidents(*opened.pieces, log_reader_options(), [&](const Incident& incident) {
    if (command.id && incident.id != *command.id) return Status{};
    ++explained;
    return write_all(STDOUT_FILENO, command.json ? to_json(incident) + "\n"
                                                 : render_explanation(incident, options) + "\n");
  });
}

// Crockford's base32, as ids are written; their first ten characters are the time.
bool looks_like_id(std::string_view text) {
  constexpr std::size_t kShortest = 8;
  constexpr std::size_t kWhole = 26;
  constexpr std::string_view kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZabcdefghjkmnpqrstvwxyz";
  return text.size() >= kShortest && text.size() <= kWhole &&
         text.find_first_not_of(kDigits) == std::string_view::npos;
}

Error explain_stored(const ExplainCommand& command) {
  std::vector<std::string> arguments{"--explain", command.file};
  if (command.json) arguments.emplace_back("--json");
  if (command.store) arguments.insert(arguments.end(), {"--store", *command.store});
  return become("oomwitness-history", std::move(arguments));
}

}  // namespace

int run_explain(const ExplainCommand& command) {
  if (looks_like_id(command.file) && ::access(command.file.c_str(), F_OK) != 0) {
    print_error(explain_stored(command));
    return kNotRead;
  }
  std::uint64_t explained = 0;
  if (const Status status = explain_file(command, explained); !status) {
    print_error(status.error());
    return kNotRead;
  }
  return explained > 0 ? kExplained : kNoneFound;
}

}  // namespace oomwitness
