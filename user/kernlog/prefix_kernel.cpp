// SPDX-License-Identifier: BSD-2-Clause
// What the kernel itself, dmesg and consoles put in front of a message.
#include "kernlog/prefix_peeler.h"

namespace oomwitness {

// "<4>" of printk, "<4>1 " of RFC 5424, "<4>Jun 20 " of syslog over the wire
bool Peeler::take_priority() {
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

// "6,30574067,3816544225424,-;", also with ",caller=T123" before the semicolon
bool Peeler::take_kmsg() {
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

bool Peeler::take_bracket() {
  return take_uptime_bracket() || (!out_.kernel_tag && (take_ctime_bracket() || take_source()));
}

// "[ 1234.567890] ", "[ 1234.567890][ T5241] ", "[ 1234.567890 <    0.000004>] ", "[  +0.000004]
// "
bool Peeler::take_uptime_bracket() {
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

bool Peeler::skip_delta(Scan& at) {
  Scan delta(trimmed_left(at.rest()));
  if (delta.skip("<")) {
    const std::size_t end = delta.rest().find('>');
    if (end > 16) return false;
    at = Scan(delta.rest().substr(end + 1));
  }
  return at.skip("]");
}

void Peeler::take_caller() {
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

// "[Thu Apr  1 16:45:10 2021] "
bool Peeler::take_ctime_bracket() {
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

bool Peeler::take_short_bracket() {
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

// "kern  :warn  : " of dmesg -x
bool Peeler::take_decoded() {
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
  if (!is_level(trimmed(behind.substr(0, second)))) return false;
  if (facility != "kern") out_.user_space = true;
  out_.stamped = true;
  scan_ = Scan(behind.substr(second + 1));
  skip_blank();
  return true;
}

}  // namespace oomwitness
