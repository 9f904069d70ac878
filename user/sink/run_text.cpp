// SPDX-License-Identifier: BSD-2-Clause
#include "sink/run_text.h"

#include <algorithm>
#include <csignal>
#include <cstring>

#include <fmt/format.h>

#include "support/text.h"

namespace oomwitness {
namespace {

constexpr std::size_t kReports = 3;
constexpr std::size_t kKillsListed = 10;

std::string signal_name(int number) {
  const char* name = ::sigabbrev_np(number);
  return name != nullptr ? fmt::format("SIG{}", name) : fmt::format("signal {}", number);
}

std::string count_of(std::uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", thousands(count), count == 1 ? one : many);
}

bool is_run_cgroup(const RunRecord& record, const std::string& cgroup) {
  // Inside a cgroup namespace our path is the end of the kernel's.
  return record.cgroup.way != "own" && !record.cgroup.path.empty() &&
         cgroup.ends_with(record.cgroup.path.substr(record.cgroup.path.rfind('/')));
}

// Whose limit was hit, as far as it is known.
std::string at_what_limit(const RunRecord& record, const RunKill& kill, Charset charset) {
  if (kill.limit_cgroup) {
    const std::string size = kill.limit_bytes ? ", " + human_size(*kill.limit_bytes) : "";
    if (is_run_cgroup(record, *kill.limit_cgroup)) return " at the memory limit of the run" + size;
    return " at the memory limit of " + name_in_sentence(*kill.limit_cgroup, charset) + size;
  }
  if (kill.incident) {
    const auto found =
        std::find_if(record.incidents.begin(), record.incidents.end(),
                     [&kill](const Incident& each) { return each.id == *kill.incident; });
    if (found != record.incidents.end() && found->scope.constraint == "none")
      return " for the host's memory, which had run out";
  }
  if (!record.limits.effective_bytes) return "";
  return fmt::format(" (the lowest memory limit over it is {}, that of {})",
                     human_size(*record.limits.effective_bytes),
                     is_run_cgroup(record, record.limits.effective_cgroup.value_or(""))
                         ? "the run"
                         : name_in_sentence(record.limits.effective_cgroup.value_or("?"), charset));
}

std::string how_command_ended(const RunRecord& record) {
  if (record.timed_out) return "the command then ran into its time limit";
  if (record.command_signal)
    return "the command itself died of " + signal_name(*record.command_signal);
  if (record.command_exit_code)
    return fmt::format("the command itself ended with exit code {}", *record.command_exit_code);
  return "";
}

std::string oom_headline(const RunRecord& record, Charset charset) {
  std::string text = "OOM kill: ";
  if (record.kills.empty()) return text + "a process was killed; " + how_command_ended(record);
  const RunKill& first = record.kills.front();
  const std::size_t more = record.kills.size() - 1;
  text += killed_name(first, charset);
  if (more > 0) text += fmt::format(" and {} more", thousands(more));
  text += more > 0 ? " were killed" : " was killed";
  text += at_what_limit(record, first, charset);
  const std::string end = how_command_ended(record);
  return end.empty() ? text : text + "; " + end;
}

std::string signal_headline(const RunRecord& record) {
  const int number = record.command_signal.value_or(0);
  std::string text = "signal: the command died of " + signal_name(number);
  if (record.passed_signal == number) return text + ", which was passed on to it";
  if (number != SIGKILL) return text;
  if (record.oom_kills) return text + ", which was not an OOM kill: its cgroup counts none";
  return text + "; whether it was an OOM kill is not known";
}

std::string memory_fact(const RunRecord& record) {
  const RunUsage& usage = record.usage;
  std::string text;
  if (usage.peak_bytes) {
    text = "peak " + human_size(*usage.peak_bytes);
    if (record.limits.effective_bytes) text += " of " + human_size(*record.limits.effective_bytes);
    if (usage.peak_source) text += " (" + *usage.peak_source + ")";
  }
  const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (usage.swap_peak_bytes && *usage.swap_peak_bytes > 0)
    add("swap peak " + human_size(*usage.swap_peak_bytes));
  if (usage.limit_hits && *usage.limit_hits > 0)
    add("limit met " + count_of(*usage.limit_hits, "time", "times"));
  return text;
}

std::string stall_fact(const RunUsage& usage) {
  if (!usage.stall_some_ns || !usage.stall_full_ns) return "";
  if (*usage.stall_some_ns == 0) return "never waited for memory (memory.pressure)";
  return fmt::format("{} waiting for memory, {} of it with nothing else running (memory.pressure)",
                     human_duration(*usage.stall_some_ns), human_duration(*usage.stall_full_ns));
}

std::string time_fact(const RunUsage& usage) {
  if (!usage.wall_ns) return "";
  return fmt::format("{}; CPU {} user, {} system", human_duration(*usage.wall_ns),
                     human_duration(usage.user_ns.value_or(0)),
                     human_duration(usage.system_ns.value_or(0)));
}

// The first reason of a list that has one a line.
std::string first_reason(std::string_view why, Charset charset) {
  const auto first = why.find('\n');
  if (first == std::string_view::npos) return escape_for_terminal(why, charset);
  std::string_view next = why.substr(first + 1);
  next = next.substr(0, next.find('\n'));
  next.remove_prefix(std::min(next.size(), next.find_first_not_of(' ')));
  return escape_for_terminal(why.substr(0, first), charset) + " " +
         escape_for_terminal(next, charset);
}

std::string depth_fact(const RunRecord& record, Charset charset) {
  std::string text;
  switch (record.depth) {
    case RunDepth::kBpf: text = "BPF: first of three depths"; break;
    case RunDepth::kKernelLog: text = "the kernel's log: second of three depths"; break;
    case RunDepth::kCgroup: text = "the cgroup's counters: third of three depths"; break;
    case RunDepth::kWaitStatus: text = "the wait status alone: no memory cgroup"; break;
  }
  for (const char* field : {"depth", "cgroup"}) {
    const auto why = record.missing.find(field);
    if (why != record.missing.end()) text += "; no deeper: " + first_reason(why->second, charset);
  }
  return text;
}

std::string kill_fact(const RunKill& kill, Charset charset) {
  std::string text = killed_name(kill, charset);
  if (kill.cmdline && !kill.cmdline->empty()) text += ": " + command_line(*kill.cmdline, charset);
  if (kill.ms) text += ", after " + human_duration(*kill.ms * 1'000'000);
  return text;
}

}  // namespace

std::string command_line(const std::vector<std::string>& argv, Charset charset) {
  std::string line;
  for (const std::string& word : argv) {
    if (!line.empty()) line += ' ';
    line += quoted_unless_plain(escape_for_terminal(word, charset));
  }
  return line;
}

std::string killed_name(const RunKill& kill, Charset charset) {
  if (!kill.comm && !kill.pid) return "a process";
  const std::string name = kill.comm ? name_in_sentence(*kill.comm, charset) : "a process";
  return kill.pid ? fmt::format("{} (pid {})", name, *kill.pid) : name;
}

std::string run_headline(const RunRecord& record, Charset charset) {
  switch (record.verdict) {
    case RunVerdict::kOom: return oom_headline(record, charset);
    case RunVerdict::kTimeout:
      return "timeout: the command ran longer than " +
             human_duration(record.limits.timeout_ns.value_or(0)) + " and was ended";
    case RunVerdict::kSignal: return signal_headline(record);
    case RunVerdict::kFailure:
      return fmt::format("failure: the command ended with exit code {}{}",
                         record.command_exit_code.value_or(0),
                         record.oom_kills ? "; no OOM kill" : "");
    case RunVerdict::kNotRun:
      return "not run: " +
             command_line({record.command.begin(),
                           record.command.begin() + (record.command.empty() ? 0 : 1)},
                          charset) +
             ": " + escape_for_terminal(record.error, charset);
    case RunVerdict::kSuccess: break;
  }
  return "success: the command ended with exit code 0";
}

std::vector<std::pair<std::string, std::string>> run_facts(const RunRecord& record,
                                                           Charset charset) {
  std::vector<std::pair<std::string, std::string>> facts;
  const auto add = [&facts](const char* label, std::string text) {
    if (!text.empty()) facts.emplace_back(label, std::move(text));
  };
  for (const RunKill& kill : record.kills) {
    if (!kill.pid || facts.size() >= kKillsListed) break;
    add("killed", kill_fact(kill, charset));
  }
  add("memory", memory_fact(record));
  add("stalled", stall_fact(record.usage));
  add("time", time_fact(record.usage));
  if (record.ended_processes > 0)
    add("ended", count_of(record.ended_processes, "process", "processes") +
                     " that the command had left running");
  if (record.cgroup.version)
    add("cgroup", fmt::format("version {}, {} ({})", *record.cgroup.version,
                              name_in_sentence(record.cgroup.path, charset), record.cgroup.way));
  if (const auto why = record.missing.find("cgroup.way"); why != record.missing.end())
    add("shared", escape_for_terminal(why->second, charset));
  add("seen by", depth_fact(record, charset));
  return facts;
}

std::string render_run(const RunRecord& record, const ReportOptions& options) {
  const Charset charset = options.utf8 ? Charset::kUtf8 : Charset::kAscii;
  std::string head = run_headline(record, charset);
  if (record.verdict == RunVerdict::kOom) head += fmt::format("; exit code {}", record.exit_code);
  const char* color = record.verdict == RunVerdict::kSuccess ? "\033[32m" : "\033[1;31m";
  std::string text = options.color ? fmt::format("oomwitness: {}{}\033[0m\n", color, head)
                                   : fmt::format("oomwitness: {}\n", head);
  for (const auto& [label, fact] : run_facts(record, charset))
    text += fmt::format("  {:<9} {}\n", label, fact);
  const std::size_t shown = std::min(record.incidents.size(), kReports);
  for (std::size_t at = 0; at < shown; ++at)
    text += "\n" + render_report(record.incidents[at], options);
  if (shown < record.incidents.size())
    text += "\n" + count_of(record.incidents.size() - shown, "more OOM kill", "more OOM kills") +
            " not shown here; --json has them all\n";
  return text;
}

}  // namespace oomwitness
