// SPDX-License-Identifier: BSD-2-Clause
#include "cli/options.h"

#include <array>
#include <bit>
#include <sstream>
#include <string_view>

#include <CLI/CLI.hpp>

#include "capture/hook_plan.h"
#include "cli/local_clock.h"
#include "cli/option_values.h"
#include "cli/run_options.h"
#include "cli/version.h"
#include "support/when.h"

namespace oomwitness {
namespace {

constexpr const char* kExitCodes =
    "Exit codes: 0 done (Ctrl-C included), 1 failed, 2 bad usage.\n"
    "Data goes to stdout, everything else to stderr.";

// Whether it works on this kernel is seen later; here, whether there is such a hook and way.
CLI::Validator hook_check() {
  return CLI::Validator(
      [](std::string& choice) {
        const auto plan = HookPlan::make({}, {choice});
        return plan ? std::string() : plan.error().context();
      },
      "");
}

struct RawTrace {
  std::string duration;
  std::string settle;
};

void add_source_options(CLI::App& command, std::vector<std::string>& hooks,
                        std::optional<std::string>& btf, Roots& roots) {
  command
      .add_option("--hook", hooks,
                  "Force the way a hook is taken, or turn it off: oom_kill_process=kprobe, "
                  "oom_badness=none; `oomwitness doctor` lists them")
      ->type_name("NAME=WAY")
      ->check(hook_check());
  command
      .add_option("--btf", btf, "The kernel's types, for kernels without /sys/kernel/btf/vmlinux")
      ->type_name("FILE")
      ->check(CLI::ExistingFile);
  command.add_option("--root", roots.root, "Where the host's files are, seen from here")
      ->type_name("DIR")
      ->check(CLI::ExistingDirectory);
  command.add_option("--proc", roots.proc, "Where the host's procfs is mounted")
      ->type_name("DIR")
      ->check(CLI::ExistingDirectory);
}

void add_filters(CLI::App& command, Filter& filter) {
  const std::string group = "Filters (victims that fit each kind given; repeat for alternatives)";
  const auto add = [&](const char* name, auto& values, const char* type, const char* text) {
    // One value each: what follows may be a FILE.
    command.add_option(name, values, text)->type_name(type)->allow_extra_args(false)->group(group);
  };
  add("--comm", filter.comm, "NAME", "The victim's command name");
  add("--pid", filter.pid, "PID", "The victim's process id");
  add("--uid", filter.uid, "UID", "The victim's user id");
  add("--cgroup", filter.cgroup, "PATH", "The victim's cgroup, or one above it");
  add("--unit", filter.unit, "UNIT", "The victim's systemd unit");
  add("--container", filter.container, "NAME", "The victim's container: name or id");
}

CLI::App* add_trace(CLI::App& app, TraceCommand& trace, RawTrace& raw) {
  CLI::App* command = app.add_subcommand("trace", "Report every OOM kill as it happens");
  command->add_flag("--json", trace.json, "One JSON object a line (docs/incident.schema.json)");
  command->add_option("--count", trace.count, "Stop after this many incidents")
      ->type_name("N")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 62U));
  command->add_option("--duration", raw.duration, "Stop after this time (10s, 5m; bare: seconds)")
      ->check(duration_check(std::chrono::seconds(1)));
  command
      ->add_option("--settle", raw.settle,
                   "Report a kill whose victim lingers after this time (bare: ms)")
      ->check(duration_check(std::chrono::milliseconds(1)))
      ->default_str("500ms");
  auto* since_boot = command->add_flag("--since-boot", trace.since_boot,
                                       "First the kills that the kernel's log still tells of");
  add_filters(*command, trace.filter);
  auto* record =
      command->add_option("--record", trace.record, "Keep the raw events, for --replay elsewhere")
          ->type_name("FILE");
  command->add_option("--replay", trace.replay, "Report a recording's incidents again")
      ->type_name("FILE")
      ->excludes(record)
      ->excludes(since_boot);
  add_source_options(*command, trace.hooks, trace.btf, trace.roots);
  command->add_option("--ring-size", trace.ring_kib, "The BPF ring buffer's size: a power of two")
      ->type_name("KIB")
      ->check(CLI::Range(64U, 1U << 20U))
      ->capture_default_str();
  command->add_flag("--show-secrets", trace.show_secrets,
                    "Do not mask arguments that look like passwords, tokens or keys");
  command->add_flag("-v,--verbose", trace.verbose,
                    "Say why each hook is taken the way it is; libbpf's messages");
  command->footer(kExitCodes);
  return command;
}

struct RawAnalyze {
  std::string since;
  std::string until;
};

CLI::Validator moment_check(const Clock& clock) {
  return CLI::Validator(
      [clock](std::string& text) {
        const auto moment = parse_when(text, clock);
        return moment ? std::string() : moment.error().message() + ": " + moment.error().hint();
      },
      "");
}

void add_log_sources(CLI::App& command, AnalyzeCommand& analyze) {
  auto* files = command.add_option(
      "FILE", analyze.files,
      "Logs, plain or gzip, xz or zstd, in any order; files of the journal; - reads stdin");
  auto* dmesg = command.add_flag("--dmesg", analyze.dmesg, "What the kernel's own buffer holds");
  auto* journal = command.add_flag("--journal", analyze.journal,
                                   "systemd's journal: the kernel's lines and the killers'");
  auto* directory = command
                        .add_option("--journal-directory", analyze.journal_directory,
                                    "The journal in this folder, as journalctl --directory")
                        ->type_name("DIR");
  files->excludes(dmesg)->excludes(journal)->excludes(directory);
  dmesg->excludes(journal)->excludes(directory);
  command
      .add_option("--boot", analyze.boot,
                  "Of the journal only this boot: 0 the newest, -1 the one before, or its id")
      ->type_name("BOOT")
      ->excludes(files)
      ->excludes(dmesg);
  command.add_flag("--follow", analyze.follow, "Go on with what is added, until Ctrl-C");
}

CLI::App* add_analyze(CLI::App& app, AnalyzeCommand& analyze, RawAnalyze& raw, const Clock& clock) {
  CLI::App* command = app.add_subcommand("analyze", "The same incidents out of kernel logs");
  add_log_sources(*command, analyze);
  auto* json = command->add_flag("--json", analyze.json,
                                 "One JSON object a line (docs/incident.schema.json)");
  command->add_flag("--summary", analyze.summary, "A line for each incident, and totals")
      ->excludes(json);
  command->add_option("--since", raw.since, "Only incidents from then on")
      ->type_name("TIME")
      ->check(moment_check(clock));
  command->add_option("--until", raw.until, "Only incidents up to then")
      ->type_name("TIME")
      ->check(moment_check(clock));
  command->add_option("--count", analyze.count, "Stop after this many incidents")
      ->type_name("N")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 62U));
  add_filters(*command, analyze.filter);
  command->footer(
      "TIME: 2026-11-23T01:23:45Z, '2026-11-23 01:23', today, '2 hours ago', 1h.\n"
      "Exit codes: 0 found, 3 none found, 1 something could not be read, 2 bad usage.\n"
      "Data goes to stdout, everything else to stderr.");
  return command;
}

CLI::App* add_explain(CLI::App& app, ExplainCommand& explain) {
  CLI::App* command =
      app.add_subcommand("explain", "The long answer for one incident: why, evidence, what to do");
  command->add_option("FILE|ID", explain.file,
                      "Incidents as `trace --json` and `analyze --json` print them, or a kernel "
                      "log; - (the default) reads stdin; or the id of an incident that the agent "
                      "has kept, or its beginning");
  command->add_option("--id", explain.id, "Only the incident with this id")->type_name("ID");
  command->add_option("--store", explain.store, "The agent's store, for an ID")->type_name("FILE");
  command->add_flag("--json", explain.json,
                    "The incidents with their diagnosis, one JSON object a line");
  command->footer(
      "Exit codes: 0 explained, 3 no such incident, 1 something could not be read, 2 bad usage.\n"
      "Data goes to stdout, everything else to stderr.");
  return command;
}

CLI::App* add_report(CLI::App& app, ReportCommand& report) {
  CLI::App* command =
      app.add_subcommand("report", "Incidents as one self-contained HTML file with plots");
  command->add_option("FILE", report.files,
                      "Incidents as `trace --json` and `analyze --json` print them, records of "
                      "`run --json`, or kernel logs, any number of them; - (the default) reads "
                      "stdin");
  command
      ->add_option("--store", report.store,
                   "The newest incidents that the agent has kept; FILE where the store is not in "
                   "its usual place")
      ->type_name("[FILE]")
      ->expected(0, 1);
  command
      ->add_option("-o,--output", report.output,
                   "Where to write it; without it, HTML to stdout, or to a terminal text")
      ->type_name("FILE");
  command->add_flag("--text", report.text, "Text with small plots, in place of HTML");
  command->add_option("--id", report.id, "Only the incident with this id")->type_name("ID");
  command->add_option("--max", report.most, "List so many incidents, the newest; all are counted")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 20U))
      ->capture_default_str();
  command->footer(
      "Exit codes: 0 written, 3 no incident, 1 something could not be read or written, 2 bad "
      "usage.");
  return command;
}

Command finish(AnalyzeCommand analyze, const RawAnalyze& raw, const Clock& clock,
               const CLI::App& command) {
  analyze.journal = analyze.journal || !analyze.journal_directory.empty();
  if (analyze.files.empty() && !analyze.dmesg && !analyze.journal) {
    return EarlyExit{2, "", "FILE, --dmesg or --journal is required\n" + command.help()};
  }
  if (!raw.since.empty()) analyze.since_unix_ns = *parse_when(raw.since, clock);
  if (!raw.until.empty()) analyze.until_unix_ns = *parse_when(raw.until, clock);
  return analyze;
}

// Their own --help and their own options: all that follows is theirs.
struct Libexec {
  const char* name;
  const char* program;
  const char* text;
};
constexpr std::array kLibexec{
    Libexec{"agent", "oomwitness-agent", "The service: keeps every OOM kill and sends it on"},
    Libexec{"history", "oomwitness-history", "The incidents that the agent has kept"},
};

std::optional<LibexecCommand> libexec_command(std::span<const char* const> argv) {
  if (argv.size() < 2) return std::nullopt;
  for (const Libexec& one : kLibexec) {
    if (std::string_view(argv[1]) != one.name) continue;
    return LibexecCommand{one.program, {argv.begin() + 2, argv.end()}};
  }
  return std::nullopt;
}

}  // namespace

Command parse_command_line(std::span<const char* const> argv) {
  if (auto libexec = libexec_command(argv)) return *std::move(libexec);
  CLI::App app{
      "The witness to every out-of-memory kill: what died, who asked, whose limit was hit, "
      "why this one.",
      "oomwitness"};
  app.set_version_flag("-V,--version", std::string("oomwitness ") + kVersion);
  app.require_subcommand(0, 1);  // none is said below, after what is unknown has been named
  app.footer(kExitCodes);
  TraceCommand trace;
  DoctorCommand doctor;
  AnalyzeCommand analyze;
  ExplainCommand explain;
  ReportCommand report;
  RawTrace raw;
  RawAnalyze raw_analyze;
  const Clock clock = local_clock();
  CLI::App* trace_app = add_trace(app, trace, raw);
  CLI::App* analyze_app = add_analyze(app, analyze, raw_analyze, clock);
  CLI::App* explain_app = add_explain(app, explain);
  RunCommand run;
  FitCommand fit;
  CLI::App* run_app = add_run(app, run);
  CLI::App* fit_app = add_fit(app, fit);
  CLI::App* report_app = add_report(app, report);
  CLI::App* doctor_app = app.add_subcommand(
      "doctor", "What this host allows, hook by hook, and what each missing one costs");
  doctor_app->add_flag("--json", doctor.json, "As one JSON object");
  add_source_options(*doctor_app, doctor.hooks, doctor.btf, doctor.roots);
  for (const Libexec& one : kLibexec) app.add_subcommand(one.name, one.text);
  doctor_app->footer("Exit codes: 0 kills can be seen, 1 they cannot, 2 bad usage.");
  const SplitLine line = split_command(argv);
  try {
    app.parse(static_cast<int>(line.ours.size()), line.ours.data());
  } catch (const CLI::ParseError& error) {  // CLI11's only channel: it stops here
    std::ostringstream out;
    std::ostringstream err;
    const int code = app.exit(error, out, err);
    return EarlyExit{code == 0 ? 0 : 2, out.str(), err.str()};
  }
  if (doctor_app->parsed()) return doctor;
  if (fit_app->parsed()) return finish(std::move(fit), line, *fit_app);
  if (run_app->parsed()) return finish(std::move(run), line, *run_app);
  if (explain_app->parsed()) return explain;
  if (report_app->parsed()) {
    report.stored = report_app->count("--store") > 0;
    if (report.store && report.store->empty()) report.store.reset();
    if (report.files.empty() && !report.stored) report.files = {"-"};
    return report;
  }
  if (analyze_app->parsed()) return finish(std::move(analyze), raw_analyze, clock, *analyze_app);
  if (!trace_app->parsed()) return EarlyExit{2, "", "A command is required.\n" + app.help()};
  if (!std::has_single_bit(trace.ring_kib)) {
    return EarlyExit{2, "",
                     "--ring-size: " + std::to_string(trace.ring_kib) + " is not a power of two\n"};
  }
  if (!raw.duration.empty()) trace.duration = parse_duration(raw.duration, std::chrono::seconds(1));
  if (!raw.settle.empty()) {
    trace.settle = *parse_duration(raw.settle, std::chrono::milliseconds(1));
  }
  return trace;
}

}  // namespace oomwitness
