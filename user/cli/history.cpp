// SPDX-License-Identifier: BSD-2-Clause
// oomwitness-history: what the agent has kept, as `oomwitness history` and `oomwitness explain ID`
// show it. A program of its own, so that a trace does not load the database's library.
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

#include "cli/history_options.h"
#include "cli/terminal.h"
#include "incident/json.h"
#include "sink/explain.h"
#include "sink/history_table.h"
#include "store/store.h"

namespace oomwitness {
namespace {

constexpr int kFound = 0;
constexpr int kNotRead = 1;
constexpr int kNoneFound = 3;

// to_json writes nothing else: other bytes are damage, and not for a terminal.
bool is_line_of_ascii(const std::string& json) {
  return std::all_of(json.begin(), json.end(),
                     [](char byte) { return byte >= ' ' && byte <= '~'; });
}

Result<std::string> as_json(const StoredIncident& stored) {
  if (stored.json.empty() || !is_line_of_ascii(stored.json))
    return fail("it is damaged: not a line of JSON");
  return stored.json + "\n";
}

Result<std::string> as_row(const StoredIncident& stored, HistoryFormat format, bool utf8) {
  TRY(const auto incident, incident_from_json(stored.json));
  return format == HistoryFormat::kCsv ? csv_line(incident) : history_line(incident, utf8);
}

Status write_head(HistoryFormat format) {
  if (format == HistoryFormat::kJson) return {};
  return write_all(STDOUT_FILENO, format == HistoryFormat::kCsv ? csv_head() : history_head());
}

// One that cannot be read does not keep the others from being shown.
Result<int> show(const HistoryCommand& command, const std::vector<StoredIncident>& found) {
  if (found.empty()) return kNoneFound;
  CHECK_OK(write_head(command.format));
  const bool utf8 = wants_utf8();
  int code = kFound;
  for (const StoredIncident& one : found) {
    const auto text =
        command.format == HistoryFormat::kJson ? as_json(one) : as_row(one, command.format, utf8);
    if (!text) {
      print_error(
          Error(text.error()).during("the incident with number " + std::to_string(one.seq)));
      code = kNotRead;
      continue;
    }
    CHECK_OK(write_all(STDOUT_FILENO, *text));
  }
  return code;
}

Result<int> explain(const HistoryCommand& command, Store& store) {
  TRY(const auto found, store.find(*command.explain));
  if (found.empty()) return kNoneFound;
  if (found.size() > 1)
    return fail("more than one incident has an id that begins with " + *command.explain,
                "give more of it: " + found[0].id + ", " + found[1].id + "...");
  if (command.format == HistoryFormat::kJson) return show(command, found);
  TRY(const auto incident, incident_from_json(found.front().json));
  const ReportOptions options{.color = wants_color(STDOUT_FILENO), .utf8 = wants_utf8()};
  CHECK_OK(write_all(STDOUT_FILENO, render_explanation(incident, options)));
  return kFound;
}

Result<int> run(const HistoryCommand& command) {
  TRY(auto store, Store::open_to_read(command.store));
  if (command.explain) return explain(command, store);
  TRY(const auto found, store.query(command.query));
  return show(command, found);
}

int exit_early(const EarlyExit& early) {
  if (const Status written = write_all(STDOUT_FILENO, early.out); !written) {
    print_error(written.error());
    return kNotRead;
  }
  return write_all(STDERR_FILENO, early.err) ? early.code : kNotRead;
}

}  // namespace
}  // namespace oomwitness

int main(int argc, char** argv) {
  using namespace oomwitness;
  std::signal(SIGPIPE, SIG_IGN);  // a reader that went away is an error to report
  const auto command =
      parse_history(std::span<const char* const>(argv, static_cast<std::size_t>(argc)));
  if (const auto* early = std::get_if<EarlyExit>(&command)) return exit_early(*early);
  const auto code = run(std::get<HistoryCommand>(command));
  if (code) return *code;
  print_error(code.error());
  return kNotRead;
}
