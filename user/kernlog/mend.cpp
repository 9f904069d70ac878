// SPDX-License-Identifier: BSD-2-Clause
// A line is broken where its grammar says that something is still to come, and the next has no
// prefix and is no line of its own. Of the two ways to join them, with a blank and without, the one
// is right that makes more sense of the whole.
#include "kernlog/mend.h"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "kernlog/kernel_release.h"
#include "kernlog/line.h"
#include "kernlog/scan.h"
#include "kernlog/summary.h"

namespace oomwitness {

namespace {

using namespace std::string_view_literals;

constexpr std::size_t kMaxLineBytes = 16384;

using Sense = Mender::Sense;

constexpr int kKnown = 100;  // the kind of the line is known at all

Sense sense_of(const HeaderLine& header) {
  return {.amount = kKnown + (header.gfp ? 2 : 0) + (header.order ? 1 : 0) +
                    (header.oom_score_adj ? 1 : 0) + (header.whole ? 1 : 0),
          .whole = header.oom_score_adj.has_value(),
          .ours = true};
}

Sense sense_of(const CpuLine& cpu) {
  // Where the comm ends is not known here.
  const std::string_view beyond = cpu.comm_and_beyond;
  constexpr std::array kMarks = {"Not tainted "sv, "Tainted: "sv};
  bool release = false;
  for (const std::string_view mark : kMarks) {
    const std::size_t at = beyond.find(mark);
    if (at != std::string_view::npos) release = !release_of(beyond.substr(at)).empty();
  }
  return {.amount = kKnown + (release ? 1 : 0), .whole = release, .ours = true};
}

Sense sense_of(const KillLine& kill) {
  const Memory& memory = kill.memory;
  int fields = 0;
  for (const auto& size : {memory.total_vm_bytes, memory.anon_rss_bytes, memory.file_rss_bytes,
                           memory.shmem_rss_bytes, memory.pgtables_bytes}) {
    fields += size ? 2 : 0;
  }
  fields += (kill.comm ? 2 : 0) + (kill.uid ? 2 : 0) + (kill.oom_score_adj ? 2 : 0);
  return {.amount = kKnown + fields - (kill.doubtful ? 1 : 0),
          .whole = kill.oom_score_adj.has_value(),
          .ours = true};
}

Sense sense_of(const ChoiceLine& choice) {
  return {
      .amount = kKnown + (choice.score ? 1 : 0), .whole = choice.score.has_value(), .ours = true};
}

Sense sense_of(const SummaryLine& summary) {
  const Summary read = parse_summary_line(summary.text, {});
  int fields = 0;
  for (const bool has :
       {read.constraint.has_value(), read.nodemask.has_value(), read.cpuset.has_value(),
        read.mems_allowed.has_value(), read.oom_memcg.has_value(), read.task_memcg.has_value(),
        read.comm.has_value(), read.pid.has_value(), read.uid.has_value()}) {
    fields += has ? 1 : 0;
  }
  return {.amount = kKnown + fields, .whole = read.whole, .ours = true};
}

Sense sense_of(const TableHeadLine& head) {
  constexpr std::array kColumns = {"uid"sv,
                                   "tgid"sv,
                                   "total_vm"sv,
                                   "rss"sv,
                                   "rss_anon"sv,
                                   "rss_file"sv,
                                   "rss_shmem"sv,
                                   "cpu"sv,
                                   "nr_ptes"sv,
                                   "nr_pmds"sv,
                                   "oom_adj"sv,
                                   "swapents"sv,
                                   "pgtables_bytes"sv,
                                   "oom_score_adj"sv,
                                   "name"sv};
  Scan scan(head.text.substr(head.text.find(']') + 1));
  int columns = 0;
  std::string_view word;
  for (scan.skip_blanks(); !scan.done(); scan.skip_blanks()) {
    word = scan.word();
    columns += std::find(kColumns.begin(), kColumns.end(), word) != kColumns.end() ? 1 : -1;
  }
  return {.amount = kKnown + columns, .whole = word == "name", .ours = true};
}

// Numbers of a row behind its pid; it is whole when a name follows all the columns of its table.
Sense sense_of_row(std::string_view text, const TaskTable* table) {
  Scan scan(text.substr(std::min(text.find(']') + 1, text.size())));
  int numbers = 0;
  for (scan.skip_blanks(); !scan.done(); scan.skip_blanks()) {
    const auto value = plain_number<std::int64_t>(scan.word());
    if (!value) break;
    ++numbers;
  }
  const bool named = !scan.done();
  const bool whole = table != nullptr && table->begun() && table->is_whole_row(text);
  return {.amount = kKnown + numbers + (named ? 1 : 0) + (whole ? 50 : 0),
          .whole = whole,
          .ours = true};
}

// "Node 0 DMA free:44kB ...", "Node 0 active_anon:2184kB ...", "DMA: 1*4kB ... = 44kB"
Opt<Sense> sense_of_memory(std::string_view text) {
  Scan scan(text);
  if (scan.skip("Node ")) {
    scan.word();
    scan.skip(" ");
  }
  const std::string_view rest = scan.rest();
  const std::string_view name = scan.word();
  constexpr std::array kZones = {"DMA"sv,     "DMA32"sv,   "Normal"sv,
                                 "HighMem"sv, "Movable"sv, "Device"sv};
  const auto fields = static_cast<int>(std::count(rest.begin(), rest.end(), ':'));
  if (rest.starts_with("active_anon:") && rest.find("kB") != std::string_view::npos) {
    const bool whole = rest.find("all_unreclaimable? ") != std::string_view::npos;
    return Sense{.amount = kKnown + fields, .whole = whole, .ours = true};
  }
  if (std::find(kZones.begin(), kZones.end(), name) != kZones.end() &&
      scan.rest().starts_with(" free:")) {
    const bool whole = rest.find("all_unreclaimable? ") != std::string_view::npos ||
                       rest.find(" free_cma:") != std::string_view::npos;
    return Sense{.amount = kKnown + fields, .whole = whole, .ours = true};
  }
  if (name.ends_with(':') && rest.find('*') != std::string_view::npos &&
      rest.find("kB") != std::string_view::npos &&
      std::find(kZones.begin(), kZones.end(), name.substr(0, name.size() - 1)) != kZones.end()) {
    const std::size_t sum = rest.find(" = ");
    const bool whole = sum != std::string_view::npos && rest.ends_with("kB");
    const auto blocks = static_cast<int>(std::count(rest.begin(), rest.end(), '*'));
    return Sense{.amount = kKnown + blocks + (whole ? 1 : 0), .whole = whole, .ours = true};
  }
  return std::nullopt;
}

// Beginnings of lines that say nothing yet.
bool is_beginning(std::string_view text) {
  constexpr std::array kBeginnings = {"Out of memory"sv,
                                      "Out of Memory"sv,
                                      "Memory cgroup out of memory"sv,
                                      "Killed process"sv,
                                      "Task in /"sv,
                                      "Tasks in /"sv,
                                      "Memory cgroup stats for /"sv,
                                      "oom-kill:"sv,
                                      "memory: usage"sv,
                                      "memory+swap:"sv,
                                      "swap: usage"sv,
                                      "oom_reaper:"sv,
                                      "[ pid"sv,
                                      "[  pid"sv,
                                      "CPU: "sv};
  const auto begins = [&](std::string_view beginning) { return text.starts_with(beginning); };
  if (std::any_of(kBeginnings.begin(), kBeginnings.end(), begins)) return true;
  return text.ends_with(" invoked") || text.find(" invoked oom") != std::string_view::npos;
}

Sense sense_of_line(std::string_view text, const TaskTable* table) {
  const auto line = classify(text);
  if (!line) {
    if (auto memory = sense_of_memory(text)) return *memory;
    return {.amount = 0, .whole = false, .ours = is_beginning(text)};
  }
  if (const auto* row = std::get_if<TableRowLine>(&*line)) return sense_of_row(row->text, table);
  if (const auto* seen = std::get_if<HeaderLine>(&*line)) return sense_of(*seen);
  if (const auto* seen = std::get_if<CpuLine>(&*line)) return sense_of(*seen);
  if (const auto* seen = std::get_if<KillLine>(&*line)) return sense_of(*seen);
  if (const auto* seen = std::get_if<ChoiceLine>(&*line)) return sense_of(*seen);
  if (const auto* seen = std::get_if<SummaryLine>(&*line)) return sense_of(*seen);
  if (const auto* seen = std::get_if<TableHeadLine>(&*line)) return sense_of(*seen);
  if (const auto* seen = std::get_if<TaskInLine>(&*line)) {
    return {.amount = kKnown, .whole = seen->oom_memcg.empty(), .ours = true};
  }
  if (const auto* seen = std::get_if<StatsOfLine>(&*line)) {
    return {.amount = kKnown, .whole = !seen->stats.empty(), .ours = true};
  }
  return {.amount = kKnown, .whole = true, .ours = false};
}

// The line can stand for itself.
bool is_own_line(std::string_view text) {
  const auto line = classify(text);
  if (line && !std::holds_alternative<SummaryPieceLine>(*line)) return true;
  constexpr std::array kBeginnings = {"lowmem_reserve[]:"sv, "Mem-"sv,          "Free swap"sv,
                                      "Total swap"sv,        "Code:"sv,         "RIP:"sv,
                                      "Hardware name:"sv,    "Modules linked"sv};
  const auto begins = [&](std::string_view beginning) { return text.starts_with(beginning); };
  if (std::any_of(kBeginnings.begin(), kBeginnings.end(), begins)) return true;
  return sense_of_memory(text).has_value();
}

// "...", "[...]", "<snip>", "(...snipped...)": somebody left lines out.
bool is_cut_mark(std::string_view text) {
  return text.starts_with('<') || text.starts_with("...") || text.starts_with("[...") ||
         text.starts_with("[snip") || text.starts_with("(...") || text.starts_with('#') ||
         text.starts_with("---");
}

// Paths in the line may go on, and nothing else tells: only a piece without a blank can be theirs.
bool ends_in_path(std::string_view line, const Sense& sense) {
  return sense.amount == kKnown && !sense.whole && line.starts_with("Task in /");
}

}  // namespace

// The name of a task, which ends its row, may itself have been broken, in a log where words are.
bool Mender::is_end_of_name(std::string_view row, std::string_view rest, const Place& place) const {
  constexpr std::size_t kMaxCommBytes = 15;  // TASK_COMM_LEN - 1
  if (!place.stamped || inside_words_ <= 0 || !row.starts_with('[')) return false;
  if (rest.find(' ') != std::string_view::npos || is_own_line(rest) || is_cut_mark(rest))
    return false;
  const std::size_t name = row.rfind(' ') + 1;
  return row.size() - name + rest.size() <= kMaxCommBytes;
}

bool Mender::join(std::string& line, std::string_view next, const Place& place) {
  const std::string_view rest = trimmed_left(next);
  if (rest.empty() || line.empty() || line.size() + next.size() > kMaxLineBytes) return false;
  if (line.back() == '\\') {
    line.pop_back();
    line.append(rest);
    return true;
  }
  const std::string_view body = trimmed(line);
  const Sense before = sense_of_line(body, place.table);
  const bool blank = place.raw_blank_end || rest.size() != next.size();
  if (before.whole && !blank && is_end_of_name(body, rest, place)) {
    line.append(rest);
    return true;
  }
  const bool begins_head = body.ends_with(" invoked") && rest.starts_with("oom-killer: ");
  if (!before.ours || before.whole || is_cut_mark(rest)) return false;
  if (is_own_line(rest) && !begins_head) return false;
  apart_.assign(body).append(" ").append(rest);
  together_.assign(body).append(rest);
  return choose(line, body, rest, before,
                {.stamped = place.stamped, .raw_blank_end = blank, .table = place.table});
}

// Of apart_ and together_ the one that makes more sense, if either makes enough.
bool Mender::choose(std::string& line, std::string_view body, std::string_view rest,
                    const Sense& before, const Place& place) {
  const bool blank = place.raw_blank_end;
  const int apart = sense_of_line(trimmed(apart_), place.table).amount;
  const int together = sense_of_line(trimmed(together_), place.table).amount;
  const bool in_path = ends_in_path(body, before);
  const bool path = place.stamped && in_path && rest.find(' ') == std::string_view::npos;
  // An unfinished line in a log whose lines are stamped goes on in one that is not, unless that
  // makes less of it.
  const int best = std::max(apart, together);
  const bool certain = place.stamped && before.amount >= kKnown && !in_path;
  if (best <= before.amount && !path && !(certain && best == before.amount)) return false;
  bool inside = together > apart;
  if (together == apart && !blank) {
    // Nothing but a name holds blanks in a line of this kind.
    const bool no_blanks =
        body.starts_with("oom-kill:") && body.find(",task=") == std::string_view::npos;
    inside = path || no_blanks || inside_words_ > 0;
  }
  if (!blank && together != apart) inside_words_ += together > apart ? 1 : -1;
  line = inside ? together_ : apart_;
  return true;
}

}  // namespace oomwitness
