// SPDX-License-Identifier: BSD-2-Clause
#include "cli/history_options.h"

#include <sstream>

#include <CLI/CLI.hpp>

#include "cli/local_clock.h"
#include "cli/version.h"
#include "store/default_path.h"
#include "support/when.h"

namespace oomwitness {
namespace {

constexpr std::size_t kMostRows = 1'000'000;

struct RawHistory {
  std::string since;
  std::string until;
  bool json = false;
  bool csv = false;
};

CLI::Validator moment_check(const Clock& clock) {
  return CLI::Validator(
      [clock](std::string& text) {
        const auto moment = parse_when(text, clock);
        return moment ? std::string() : moment.error().message() + ": " + moment.error().hint();
      },
      "");
}

void add_filters(CLI::App& app, HistoryQuery& query) {
  const std::string group = "Filters (victims that fit each kind given; repeat for alternatives)";
  const auto add = [&](const char* name, auto& values, const char* type, const char* text) {
    app.add_option(name, values, text)->type_name(type)->group(group);
  };
  add("--comm", query.comm, "NAME", "The victim's command name");
  add("--unit", query.unit, "UNIT", "The victim's systemd unit");
  add("--cgroup", query.cgroup, "PATH", "The victim's cgroup, or one above it");
  add("--pod", query.pod, "POD", "The victim's pod: NAME or NAMESPACE/NAME");
  add("--container", query.container, "NAME", "The victim's container: name or id");
  add("--cause", query.cause, "CAUSE",
      "What the diagnosis says (oomwitness-explain(8) lists them)");
}

void add_range(CLI::App& app, HistoryQuery& query, RawHistory& raw, const Clock& clock) {
  app.add_option("--since", raw.since, "Only incidents from then on")
      ->type_name("TIME")
      ->check(moment_check(clock));
  app.add_option("--until", raw.until, "Only incidents up to then")
      ->type_name("TIME")
      ->check(moment_check(clock));
  app.add_option("--limit", query.limit, "At most so many, the newest")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{1}, kMostRows))
      ->capture_default_str();
}

}  // namespace

std::variant<HistoryCommand, EarlyExit> parse_history(std::span<const char* const> argv) {
  CLI::App app{"The incidents that the agent has kept, newest first.", "oomwitness history"};
  app.set_version_flag("-V,--version", std::string("oomwitness ") + kVersion);
  app.footer(
      "TIME: 2026-11-23T01:23:45Z, '2026-11-23 01:23', today, '2 hours ago', 1h.\n"
      "Exit codes: 0 found, 3 none found, 1 the store could not be read, 2 bad usage.\n"
      "Data goes to stdout, everything else to stderr.");
  HistoryCommand command{.store = std::string(kDefaultStore), .query = {}, .explain = {}};
  RawHistory raw;
  const Clock clock = local_clock();
  add_filters(app, command.query);
  add_range(app, command.query, raw, clock);
  auto* json = app.add_flag(
      "--json", raw.json, "One JSON object a line, as they were kept (docs/incident.schema.json)");
  app.add_flag("--csv", raw.csv, "A row an incident, for spreadsheets")->excludes(json);
  app.add_option("--explain", command.explain,
                 "The long answer for the incident whose id begins so; `oomwitness explain ID`")
      ->type_name("ID");
  app.add_option("--store", command.store, "The agent's store")
      ->type_name("FILE")
      ->capture_default_str();
  try {
    app.parse(static_cast<int>(argv.size()), argv.data());
  } catch (const CLI::ParseError& error) {  // CLI11's only channel: it stops here
    std::ostringstream out;
    std::ostringstream err;
    const int code = app.exit(error, out, err);
    return EarlyExit{code == 0 ? 0 : 2, out.str(), err.str()};
  }
  if (!raw.since.empty()) command.query.since_unix_ns = *parse_when(raw.since, clock);
  if (!raw.until.empty()) command.query.until_unix_ns = *parse_when(raw.until, clock);
  if (raw.json) command.format = HistoryFormat::kJson;
  if (raw.csv) command.format = HistoryFormat::kCsv;
  return command;
}

}  // namespace oomwitness
