// SPDX-License-Identifier: BSD-2-Clause
// The lines that name a victim: __oom_kill_process, oom_kill_process and oom_reap_task in
// mm/oom_kill.c. Their wording of 2.6.8 to 7.x:
//   Out of Memory: Killed process 6906 (x).                                   to 2.6.17
//   Out of memory: Killed process 15462, UID 500, (x).                        RHEL 5
//   Killed process 2726 (x) vsz:319232kB, anon-rss:8156kB, file-rss:2764kB    2.6.33
//   Killed process 15462, UID 500, (x) total-vm:1kB, anon-rss:1kB, file-rss:0kB     RHEL 6
//   Killed process 5 (x) total-vm:1kB, anon-rss:1kB, file-rss:0kB[, shmem-rss:0kB]  2.6.36, 4.4
//   Out of memory: Killed process 5 (x) total-vm:... shmem-rss:0kB            5.1
//   ... shmem-rss:0kB, UID:0 pgtables:84kB oom_score_adj:0                    5.4
#include <array>
#include <cstddef>
#include <utility>

#include "kernlog/line.h"
#include "kernlog/scan.h"

namespace oomwitness {

namespace {

using namespace std::string_view_literals;

constexpr std::size_t kMaxCommBytes = 15;  // TASK_COMM_LEN - 1, include/linux/sched.h

KillMessage skip_message(Scan& scan) {
  constexpr std::array kMessages = {
      std::pair{"Memory cgroup out of memory: "sv, KillMessage::kMemcg},
      std::pair{"Out of memory: "sv, KillMessage::kGlobal},
      std::pair{"Out of Memory: "sv, KillMessage::kGlobal},
      std::pair{"Out of memory (oom_kill_allocating_task): "sv, KillMessage::kAllocatingTask},
      std::pair{"No available memory in cpuset: "sv, KillMessage::kCpuset},
      std::pair{"No available memory (MPOL_BIND): "sv, KillMessage::kMempolicy}};
  for (const auto& [words, message] : kMessages) {
    if (scan.skip(words)) return message;
  }
  // "Out of memory (in lowmem): ": of patched kernels
  if (scan.rest().starts_with("Out of memory (")) {
    constexpr std::size_t kLongest = 40;
    const std::size_t end = scan.rest().substr(0, kLongest).find("): ");
    if (end == std::string_view::npos) return KillMessage::kUnknown;
    scan = Scan(scan.rest().substr(end + 3));
    return KillMessage::kGlobal;
  }
  return KillMessage::kUnknown;
}

Opt<std::uint32_t> pid_of(Scan& scan) {
  if (scan.rest().starts_with('0')) return std::nullopt;
  return scan.number<std::uint32_t>();
}

void parse_word(std::string_view word, KillLine& line, bool& uid_is_last) {
  constexpr std::array kSizes = {std::pair{"total-vm:"sv, &Memory::total_vm_bytes},
                                 std::pair{"vsz:"sv, &Memory::total_vm_bytes},
                                 std::pair{"anon-rss:"sv, &Memory::anon_rss_bytes},
                                 std::pair{"file-rss:"sv, &Memory::file_rss_bytes},
                                 std::pair{"shmem-rss:"sv, &Memory::shmem_rss_bytes},
                                 std::pair{"pgtables:"sv, &Memory::pgtables_bytes}};
  if (word.ends_with(',')) word.remove_suffix(1);
  Scan field(word);
  uid_is_last = false;
  if (field.skip("UID:")) {
    line.uid = plain_number<std::uint32_t>(field.rest());
    uid_is_last = true;
    line.doubtful |= !line.uid;
  } else if (field.skip("oom_score_adj:")) {
    line.oom_score_adj = plain_number<std::int32_t>(field.rest());
    line.doubtful |= !line.oom_score_adj;
  } else {
    for (const auto& [label, member] : kSizes) {
      if (!field.skip(label)) continue;
      const bool zeros =
          field.rest().size() > 1 && field.rest()[0] == '0' && is_digit(field.rest()[1]);
      const auto size = field.kilobytes();
      // Behind the unit the field is whole, whatever a damaged end of the line has put there.
      if ((field.done() || field.rest().front() == ',') && !zeros) line.memory.*member = size;
      line.doubtful |= !(line.memory.*member) || !field.done();
      return;
    }
    line.doubtful = true;
  }
}

// " total-vm:62428kB, anon-rss:22020kB, ... UID:0 pgtables:84kB oom_score_adj:0"
void parse_kill_fields(std::string_view text, KillLine& line) {
  Scan all(text);
  bool uid_is_last = false;
  for (all.skip_blanks(); !all.done(); all.skip_blanks()) {
    parse_word(all.word(), line, uid_is_last);
  }
  // The page tables follow: the line is cut, and the number may be.
  if (uid_is_last) {
    line.uid.reset();
    line.doubtful = true;
  }
}

// Where the comm at the beginning of `text` ends. No comm is long enough to hold ") total-vm:" with
// a number, ',' and more after it.
Opt<std::size_t> end_of_comm(std::string_view text) {
  for (const std::string_view mark : {") total-vm:"sv, ") vsz:"sv}) {
    const std::size_t end = text.rfind(mark);
    if (end != std::string_view::npos) return end;
  }
  const std::size_t end = text.rfind(')');
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view after = text.substr(end + 1);
  if (after.starts_with('.')) after.remove_prefix(1);
  // What else may stand there is a line cut short: " total-v", " ..."
  const bool cut = after.starts_with(' ') && end <= kMaxCommBytes;
  if (!cut && after.find_first_not_of(' ') != std::string_view::npos) return std::nullopt;
  return end;
}

// "x) score 6 or sacrifice child", from behind the opening bracket on
bool take_comm_and_score(std::string_view text, ChoiceLine& line) {
  constexpr auto kScore = ") score "sv;
  const std::size_t end = text.rfind(kScore);
  if (end == std::string_view::npos) return false;
  Scan scan(text.substr(end + kScore.size()));
  line.score = scan.number<std::int64_t>();
  if (!line.score) return false;
  if (scan.skip(" or sacrifice child")) {
    line.form = LogForm::kKillOrSacrificeChild;
  } else if (scan.skip(" or a child")) {
    line.form = LogForm::kKillOrChild;
  } else if (scan.skip(" and children")) {
    line.form = LogForm::kKillAndChildren;
  } else if (!scan.skip(" or ")) {
    line.score.reset();  // cut, and the number may be
    return false;
  }
  line.comm = text.substr(0, end);
  return true;
}

}  // namespace

Opt<Line> parse_choice(std::string_view text) {
  Scan scan(text);
  ChoiceLine line;
  line.message = skip_message(scan);
  if (!scan.skip("Kill process ") && !scan.skip("kill process ")) return std::nullopt;
  const auto pid = pid_of(scan);
  if (!pid || !scan.skip(" (")) return std::nullopt;
  line.pid = *pid;
  if (take_comm_and_score(scan.rest(), line)) return line;
  // The end is missing; "(x) sharing same memory" is no choice.
  const std::size_t end = scan.rest().rfind(')');
  if (end > kMaxCommBytes) return std::nullopt;  // npos as well
  if (scan.rest().find("sharing same memory") != std::string_view::npos) return std::nullopt;
  line.comm = scan.rest().substr(0, end);
  return line;
}

Opt<Line> parse_kill(std::string_view text) {
  Scan scan(text);
  KillLine line;
  line.message = skip_message(scan);
  if (!scan.skip("Killed process ")) return std::nullopt;
  const auto pid = pid_of(scan);
  if (!pid || *pid == 0) return std::nullopt;
  line.pid = *pid;
  if (scan.skip(", UID ")) {
    line.uid = scan.number<std::uint32_t>();
    scan.skip(",");
    if (!line.uid) return std::nullopt;
  }
  if (!scan.skip(" (")) return std::nullopt;
  const std::string_view rest = scan.rest();
  const auto end = end_of_comm(rest);
  if (!end) {
    line.doubtful = true;
    // Cut inside the comm, or before its end: the pid alone is whole.
    return rest.size() <= kMaxCommBytes ? Opt<Line>(line) : std::nullopt;
  }
  line.comm = rest.substr(0, *end);
  if (*end > kMaxCommBytes) {
    line.comm.reset();
    line.doubtful = true;
  }
  std::string_view fields = rest.substr(*end + 1);
  if (fields.starts_with('.')) fields.remove_prefix(1);
  parse_kill_fields(fields, line);
  if (rest.find(") vsz:") != std::string_view::npos) {
    line.form = LogForm::kKilledVsz;
  } else if (line.memory.pgtables_bytes) {
    line.form = LogForm::kKilledPgtables;
  } else if (line.memory.shmem_rss_bytes) {
    line.form = LogForm::kKilledShmemRss;
  } else if (line.memory.total_vm_bytes) {
    line.form = LogForm::kKilledTotalVm;
  }
  return line;
}

Opt<Line> parse_exiting(std::string_view text) {
  Scan scan(text);
  skip_message(scan);
  if (!scan.skip("OOM victim ")) return std::nullopt;
  const auto pid = pid_of(scan);
  if (!pid || !scan.skip(" (")) return std::nullopt;
  const std::size_t end = scan.rest().rfind(") is already exiting");
  if (end == std::string_view::npos) return std::nullopt;
  return ExitingLine{.pid = *pid, .comm = scan.rest().substr(0, end)};
}

Opt<Line> parse_reaped(std::string_view text) {
  Scan scan(text);
  if (!scan.skip("oom_reaper: ")) return std::nullopt;
  ReapedLine line;
  line.done = scan.skip("reaped process ");
  if (!line.done && !scan.skip("unable to reap pid:")) return std::nullopt;
  const auto tid = pid_of(scan);
  if (!tid || !scan.skip(" (")) return std::nullopt;
  line.tid = *tid;
  const std::size_t end = line.done ? scan.rest().rfind("), now ") : scan.rest().rfind(')');
  if (end <= kMaxCommBytes) line.comm = scan.rest().substr(0, end);
  return line;
}

}  // namespace oomwitness
