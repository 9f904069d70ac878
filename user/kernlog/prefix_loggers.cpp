// SPDX-License-Identifier: BSD-2-Clause
// What syslog daemons, the journal and containers put in front of a message: dates, hosts,
// programs.
#include <algorithm>
#include <array>

#include "kernlog/prefix_peeler.h"

namespace oomwitness {

using namespace std::string_view_literals;

bool is_kernel_tag(std::string_view word) {
  return word == "kernel:" || (word.starts_with("kernel[") && word.ends_with("]:"));
}

bool is_pid_tag(std::string_view tag) {
  const std::size_t bracket = tag.rfind('[');
  if (bracket == std::string_view::npos || bracket == 0 || !tag.ends_with("]:")) return false;
  return whole_number<std::uint32_t>(tag.substr(bracket + 1, tag.size() - bracket - 3)).has_value();
}

bool is_level(std::string_view word) {
  constexpr std::array kLevels = {"emerg"sv, "alert"sv,  "crit"sv, "err"sv,
                                  "warn"sv,  "notice"sv, "info"sv, "debug"sv};
  return std::find(kLevels.begin(), kLevels.end(), word) != kLevels.end();
}

std::string_view program_of(std::string_view tag) {
  if (tag.ends_with(':')) tag.remove_suffix(1);
  return tag.substr(0, tag.find('['));
}

namespace {

// Words with a colon that begin or nearly begin lines of a report, where syslog has the program.
bool is_kernel_word(std::string_view word) {
  constexpr std::array kWords = {
      "Mem-Info:"sv,  "Mem-info:"sv, "DMA:"sv,    "DMA32:"sv,  "Normal:"sv,
      "HighMem:"sv,   "Movable:"sv,  "memory:"sv, "swap:"sv,   "memory+swap:"sv,
      "kmem:"sv,      "CPU:"sv,      "Pid:"sv,    "Trace:"sv,  "lowmem_reserve[]:"sv,
      "Code:"sv,      "RIP:"sv,      "memory:"sv, "Memory:"sv, "oom_reaper:"sv,
      "oom-killer:"sv};
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

// "kern.warn", "user.notice", as busybox and OpenWrt write them
bool is_facility(std::string_view word) {
  const std::size_t dot = word.find('.');
  if (dot == std::string_view::npos) return false;
  return is_level(word.substr(dot + 1)) &&
         word.find_first_not_of("abcdefghijklmnopqrstuvwxyz01234567") == dot;
}

}  // namespace

// "1 2014-05-17T14:22:02.000000+09:00 host kernel - - - "
void Peeler::take_rfc5424() {
  Scan at = scan_;
  at.skip("1 ");
  WallStamp wall;
  if (take_iso8601(at, wall)) out_.wall = wall;
  if (!out_.wall && !at.skip("-")) return;
  if (!at.skip(" ")) return;
  const std::string_view host = at.word();
  at.skip(" ");
  const std::string_view program = at.word();
  at.skip(" ");
  at.word();  // process
  at.skip(" ");
  at.word();  // message id
  at.skip(" ");
  if (!skip_structured(at)) return;
  if (host != "-") out_.host = host;
  out_.kernel_tag = program == "kernel";
  out_.program = program_of(program);
  if (!out_.kernel_tag) out_.user_space = true;
  scan_ = at;
  skip_blank();
  scan_.skip("\xef\xbb\xbf");
}

// "-", or "[id name=\"value\"]..." whose values escape ']' with a backslash
bool Peeler::skip_structured(Scan& at) {
  if (at.skip("-")) return true;
  const std::string_view text = at.rest();
  std::size_t i = 0;
  while (i < text.size() && text[i] == '[') {
    for (; i < text.size() && text[i] != ']'; ++i) {
      if (text[i] == '\\') ++i;
    }
    ++i;
  }
  if (i == 0 || i > text.size()) return false;
  at = Scan(text.substr(i));
  return true;
}

// "host kernel: " behind the stamp of journalctl's short-monotonic
void Peeler::take_monotonic_host() {
  if (out_.kernel_tag || scan_.done() || scan_.rest().front() == ' ') return;
  Scan at = scan_;
  const std::string_view host = at.word();
  if (host.empty() || !at.skip(" ")) return;
  const std::string_view tag = at.word();
  const bool program = tag.ends_with("]:") && tag.find('[') != std::string_view::npos;
  if (!is_kernel_tag(tag) && !(program && !host.ends_with(':') && is_pid_tag(tag))) return;
  out_.host = host;
  out_.kernel_tag = is_kernel_tag(tag);
  out_.program = program_of(tag);
  if (!out_.kernel_tag) out_.user_space = true;
  scan_ = at;
  skip_blank();
}

// "[pod/name/container] " of kubectl logs --prefix
bool Peeler::take_source() {
  Scan at = scan_;
  if (!at.skip("[pod/")) return false;
  const std::size_t end = at.rest().find("] ");
  if (end == std::string_view::npos) return false;
  scan_ = Scan(at.rest().substr(end + 2));
  return true;
}

// "kernel: ", "host kernel: "
bool Peeler::take_tag() {
  Scan at = scan_;
  const std::string_view first = at.word();
  if (!is_kernel_tag(first)) {
    if (out_.stamped || first.find(':') != std::string_view::npos || !at.skip(" ")) return false;
    if (!is_kernel_tag(at.word())) return false;
    out_.host = first;
  }
  out_.stamped = out_.kernel_tag = true;
  scan_ = at;
  skip_blank();
  return true;
}

// A date of the wall clock, then whatever tells host and program.
bool Peeler::take_dated() {
  Scan at = scan_;
  WallStamp wall;
  bool dated = true;
  bool hosted = true;  // syslog: a host stands first even where no program does
  if (take_iso8601(at, wall)) {
    hosted = false;
  } else if (!take_rfc3164(at, wall) && !take_unix_seconds(at, wall)) {
    Scan weekday = at;
    weekday.word();
    weekday.skip_blanks();
    if (take_iso8601(weekday, wall)) {  // "Thu 2021-04-01 16:45:10 CEST host kernel: "
      at = weekday;
      if (!wall.has_zone) skip_zone_name(at);
    } else if (!take_ctime(at, wall, dated)) {
      return false;
    }
  }
  if (!at.done() && !at.skip(" ") && !at.skip(":")) return false;
  if (dated) out_.wall = wall;
  out_.stamped = true;
  at.skip_blanks();
  scan_ = at;
  if (!take_cri()) take_program(hosted);
  return true;
}

void Peeler::skip_zone_name(Scan& at) {
  Scan zone = at;
  if (!zone.skip(" ")) return;
  const std::string_view name = zone.word();
  if (name.size() <= 5 &&
      name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ+-0123456789") == std::string_view::npos) {
    at = zone;
  }
}

// "stdout F " of container runtimes
bool Peeler::take_cri() {
  Scan at = scan_;
  if (!at.skip("stdout ") && !at.skip("stderr ")) return false;
  if (!at.skip("F ") && !at.skip("P ")) return false;
  scan_ = at;
  return true;
}

// "host kernel: ", "kernel: ", "host program[1]: ", "kern.warn kernel: ", "host kern.warn kernel:
// "
void Peeler::take_program(bool hosted) {
  Scan at = scan_;
  std::string_view first = at.word();
  if (is_kernel_tag(first)) return finish_program({}, first, at, true);
  if (is_facility(first)) return take_facility({}, first, at);
  if (first.empty() || first.front() == '[') return;
  at.skip_blanks();
  Scan behind_first = at;
  const std::string_view second = at.word();
  if (is_kernel_tag(second)) return finish_program(first, second, at, true);
  if (is_facility(second)) return take_facility(first, second, at);
  if (first.ends_with(':') && !is_kernel_word(first))
    return finish_program({}, first, behind_first, false);
  if (second.ends_with(':') && !is_kernel_word(second) && !first.ends_with(':')) {
    // Without a host these are two words of a message.
    if (hosted || is_pid_tag(second)) return finish_program(first, second, at, false);
    return;
  }
  if (!hosted || is_kernel_word(first)) return;
  out_.host = first;
  scan_ = behind_first;
}

void Peeler::take_facility(std::string_view host, std::string_view facility, Scan at) {
  at.skip_blanks();
  const std::string_view program = at.word();
  finish_program(host, program, at, is_kernel_tag(program) && facility.starts_with("kern."));
}

void Peeler::finish_program(std::string_view host, std::string_view tag, const Scan& at,
                            bool kernel) {
  if (!host.empty()) out_.host = host;
  out_.program = program_of(tag);
  out_.kernel_tag = kernel;
  if (!kernel) out_.user_space = true;
  scan_ = at;
  skip_blank();
}

}  // namespace oomwitness
