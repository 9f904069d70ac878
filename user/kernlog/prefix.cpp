// SPDX-License-Identifier: BSD-2-Clause
#include "kernlog/prefix.h"

#include <algorithm>
#include <array>
#include <utility>

namespace oomwitness {

namespace {

using namespace std::string_view_literals;

constexpr int kMostLayers = 6;

bool is_kernel_tag(std::string_view word) {
  return word == "kernel:" || (word.starts_with("kernel[") && word.ends_with("]:"));
}

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
  constexpr std::array kLevels = {"emerg"sv, "alert"sv,  "crit"sv, "err"sv,
                                  "warn"sv,  "notice"sv, "info"sv, "debug"sv};
  const std::string_view level = word.substr(dot + 1);
  return std::find(kLevels.begin(), kLevels.end(), level) != kLevels.end() &&
         word.find_first_not_of("abcdefghijklmnopqrstuvwxyz01234567") == dot;
}

// "systemd-oomd" of "systemd-oomd[612]:"
std::string_view program_of(std::string_view tag) {
  if (tag.ends_with(':')) tag.remove_suffix(1);
  return tag.substr(0, tag.find('['));
}

class Peeler {
 public:
  explicit Peeler(std::string_view line, const Prefix& known = {}) : scan_(line), out_(known) {}

  // One layer off; false: none is left.
  bool peel_one() { return peel(); }
  std::string_view rest() const { return scan_.rest(); }
  const Prefix& so_far() const { return out_; }

  Prefix take() {
    for (int layer = 0; layer < kMostLayers && peel(); ++layer) {
    }
    out_.text = scan_.rest();
    return out_;
  }

 private:
  void skip_blank() { scan_.skip(" "); }

  bool peel() {
    Scan blank(trimmed_left(scan_.rest()));
    if (blank.done()) return false;
    const Scan before = std::exchange(scan_, blank);
    const bool found = peel_here(blank.rest().front());
    if (!found) scan_ = before;
    return found;
  }

  bool peel_here(char first) {
    // Behind these comes what the kernel itself prints.
    if (out_.uptime_ns != 0) return false;
    if (out_.kernel_tag) return first == '[' && take_bracket();
    switch (first) {
      case '<': return take_priority();
      case '>': return take_quote();
      case '[': return take_bracket();
      default: break;
    }
    if (is_digit(first)) return take_kmsg() || take_dated();
    return take_tag() || take_dated() || take_decoded();
  }

  bool take_quote() {
    while (scan_.skip(">")) scan_.skip_blanks();
    return true;
  }

  // "<4>" of printk, "<4>1 " of RFC 5424, "<4>Jun 20 " of syslog over the wire
  bool take_priority() {
    Scan at = scan_;
    at.skip("<");
    const auto priority = at.number<unsigned>();
    if (!priority || *priority > 191 || !at.skip(">")) return false;
    if ((*priority >> 3U) != 0) out_.user_space = true;
    out_.stamped = true;
    scan_ = at;
    if (scan_.rest().starts_with("1 ")) take_rfc5424();
    return true;
  }

  // "1 2014-05-17T14:22:02.000000+09:00 host kernel - - - "
  void take_rfc5424() {
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
  static bool skip_structured(Scan& at) {
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

  // "6,30574067,3816544225424,-;", also with ",caller=T123" before the semicolon
  bool take_kmsg() {
    Scan at = scan_;
    const auto priority = at.number<unsigned>();
    if (!priority || !at.skip(",") || !at.number<std::uint64_t>() || !at.skip(",")) return false;
    const auto us = at.number<std::uint64_t>();
    if (!us || !at.skip(",")) return false;
    const std::string_view rest = at.rest();
    const std::size_t end = rest.find(';');
    if (end == std::string_view::npos) return false;
    const std::size_t caller = rest.substr(0, end).find(",caller=");
    if (caller != std::string_view::npos) out_.caller = rest.substr(caller + 8, end - caller - 8);
    if (*us < 9'000'000'000'000'000ULL) out_.uptime_ns = *us * 1000;
    if ((*priority >> 3U) != 0) out_.user_space = true;
    out_.stamped = out_.kernel_tag = out_.record = out_.escaped = true;
    scan_ = Scan(rest.substr(end + 1));
    return true;
  }

  bool take_bracket() {
    return take_uptime_bracket() || (!out_.kernel_tag && (take_ctime_bracket() || take_source()));
  }

  // "[ 1234.567890] ", "[ 1234.567890][ T5241] ", "[ 1234.567890 <    0.000004>] ", "[  +0.000004]
  // "
  bool take_uptime_bracket() {
    Scan at = scan_;
    at.skip("[");
    at.skip_blanks();
    std::uint64_t ns = 0;
    const bool delta = at.skip("+");
    if (!take_uptime(at, ns)) return false;
    if (!skip_delta(at)) return false;
    if (!delta) out_.uptime_ns = ns;
    out_.stamped = true;
    scan_ = at;
    take_caller();
    skip_blank();
    take_monotonic_host();
    return true;
  }

  static bool skip_delta(Scan& at) {
    Scan delta(trimmed_left(at.rest()));
    if (delta.skip("<")) {
      const std::size_t end = delta.rest().find('>');
      if (end > 16) return false;
      at = Scan(delta.rest().substr(end + 1));
    }
    return at.skip("]");
  }

  void take_caller() {
    Scan at(trimmed_left(scan_.rest()));
    if (!at.skip("[")) return;
    at.skip_blanks();
    const std::string_view start = at.rest();
    if (!at.skip("T") && !at.skip("C")) return;
    if (!at.number<std::uint32_t>()) return;
    const std::string_view caller =
        start.substr(0, static_cast<std::size_t>(at.rest().data() - start.data()));
    if (!at.skip("]")) return;
    out_.caller = caller;
    scan_ = at;
  }

  // "host kernel: " behind the stamp of journalctl's short-monotonic
  void take_monotonic_host() {
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

  // "systemd[1]:"
  static bool is_pid_tag(std::string_view tag) {
    const std::size_t bracket = tag.rfind('[');
    if (bracket == std::string_view::npos || bracket == 0 || !tag.ends_with("]:")) return false;
    return whole_number<std::uint32_t>(tag.substr(bracket + 1, tag.size() - bracket - 3))
        .has_value();
  }

  // "[Thu Apr  1 16:45:10 2021] "
  bool take_ctime_bracket() {
    Scan at = scan_;
    at.skip("[");
    WallStamp wall;
    bool dated = false;
    if (!take_ctime(at, wall, dated)) {
      // "[Apr 1 16:45] " of dmesg -e, "[2021-04-01T16:45:10,123456+00:00] "
      if (!take_iso8601(at, wall)) return take_short_bracket();
      dated = true;
    }
    if (!skip_delta(at)) return false;
    if (dated) out_.wall = wall;
    out_.stamped = true;
    scan_ = at;
    take_caller();
    skip_blank();
    return true;
  }

  bool take_short_bracket() {
    Scan at = scan_;
    at.skip("[");
    const std::string_view month = at.word();
    at.skip_blanks();
    if (month.size() < 3 || !at.number<unsigned>() || !at.skip(" ")) return false;
    if (!at.number<unsigned>() || !at.skip(":") || !at.number<unsigned>()) return false;
    if (!at.skip("]")) return false;
    out_.stamped = true;
    scan_ = at;
    skip_blank();
    return true;
  }

  // "[pod/name/container] " of kubectl logs --prefix
  bool take_source() {
    Scan at = scan_;
    if (!at.skip("[pod/")) return false;
    const std::size_t end = at.rest().find("] ");
    if (end == std::string_view::npos) return false;
    scan_ = Scan(at.rest().substr(end + 2));
    return true;
  }

  // "kernel: ", "host kernel: "
  bool take_tag() {
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

  // "kern  :warn  : " of dmesg -x
  bool take_decoded() {
    Scan at = scan_;
    const std::string_view rest = at.rest();
    const std::size_t colon = rest.find(':');
    if (colon > 9 || colon < 3) return false;
    const std::string_view facility = trimmed(rest.substr(0, colon));
    if (facility.find_first_not_of("abcdefghijklmnopqrstuvwxyz01234567") != std::string_view::npos)
      return false;
    const std::string_view behind = rest.substr(colon + 1);
    const std::size_t second = behind.find(':');
    if (second > 8 || second < 3) return false;
    if (!is_facility_level(trimmed(behind.substr(0, second)))) return false;
    if (facility != "kern") out_.user_space = true;
    out_.stamped = true;
    scan_ = Scan(behind.substr(second + 1));
    skip_blank();
    return true;
  }

  static bool is_facility_level(std::string_view level) {
    constexpr std::array kLevels = {"emerg"sv, "alert"sv,  "crit"sv, "err"sv,
                                    "warn"sv,  "notice"sv, "info"sv, "debug"sv};
    return std::find(kLevels.begin(), kLevels.end(), level) != kLevels.end();
  }

  // A date of the wall clock, then whatever tells host and program.
  bool take_dated() {
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

  static void skip_zone_name(Scan& at) {
    Scan zone = at;
    if (!zone.skip(" ")) return;
    const std::string_view name = zone.word();
    if (name.size() <= 5 && name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ+-0123456789") ==
                                std::string_view::npos) {
      at = zone;
    }
  }

  // "stdout F " of container runtimes
  bool take_cri() {
    Scan at = scan_;
    if (!at.skip("stdout ") && !at.skip("stderr ")) return false;
    if (!at.skip("F ") && !at.skip("P ")) return false;
    scan_ = at;
    return true;
  }

  // "host kernel: ", "kernel: ", "host program[1]: ", "kern.warn kernel: ", "host kern.warn kernel:
  // "
  void take_program(bool hosted) {
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

  void take_facility(std::string_view host, std::string_view facility, Scan at) {
    at.skip_blanks();
    const std::string_view program = at.word();
    finish_program(host, program, at, is_kernel_tag(program) && facility.starts_with("kern."));
  }

  void finish_program(std::string_view host, std::string_view tag, const Scan& at, bool kernel) {
    if (!host.empty()) out_.host = host;
    out_.program = program_of(tag);
    out_.kernel_tag = kernel;
    if (!kernel) out_.user_space = true;
    scan_ = at;
    skip_blank();
  }

  Scan scan_;
  Prefix out_;
};

}  // namespace

Prefix parse_prefix(std::string_view line) {
  return Peeler(line).take();
}

namespace {

// "host kernel: " or "host program[1]: " may stand at the front.
bool may_name_host(std::string_view text) {
  const std::size_t blank = text.find(' ');
  if (blank == 0 || blank == std::string_view::npos) return false;
  const std::string_view rest = text.substr(blank + 1);
  return rest.starts_with("kernel") || rest.substr(0, rest.find(' ')).ends_with("]:");
}

// The most common line of all, "[ 1234.567890] text", without any detour.
bool take_plain_dmesg(std::string_view line, Prefix& out) {
  if (!line.starts_with('[')) return false;
  Scan scan(line.substr(1));
  if (!take_uptime(scan, out.uptime_ns) || !scan.skip("] ")) return false;
  if (scan.rest().starts_with('[') || may_name_host(scan.rest())) return false;
  out.text = scan.rest();
  return out.stamped = true;
}

}  // namespace

Prefix PrefixParser::parse(std::string_view line) {
  if (Prefix plain; take_plain_dmesg(line, plain)) return plain;
  if (!front_.empty() && line.starts_with(front_)) {
    Prefix known = known_;
    known.host = line.substr(host_at_, host_size_);
    return Peeler(line.substr(front_.size()), known).take();
  }
  front_.clear();
  Peeler peeler(line);
  if (peeler.peel_one()) {
    const Prefix& found = peeler.so_far();
    const std::string_view front = line.substr(0, line.size() - peeler.rest().size());
    // What counts from the boot, or tells who printed, changes with every line; what does not name
    // the kernel leaves the program to be told by what follows.
    const bool settled = found.kernel_tag || front.ends_with("] ");
    if (found.wall && settled && found.uptime_ns == 0 && found.caller.empty() &&
        !found.user_space) {
      front_ = front;
      known_ = found;
      host_size_ = found.host.size();
      host_at_ = found.host.empty() ? 0 : static_cast<std::size_t>(found.host.data() - line.data());
      known_.host = known_.text = {};
    }
  }
  return peeler.take();
}

std::size_t find_uptime(std::string_view line) {
  for (std::size_t at = line.find('['); at != std::string_view::npos; at = line.find('[', at + 1)) {
    Scan scan(line.substr(at + 1));
    std::uint64_t ns = 0;
    if (take_uptime(scan, ns) && scan.rest().starts_with(']')) return at;
  }
  return std::string_view::npos;
}

}  // namespace oomwitness
