// SPDX-License-Identifier: BSD-2-Clause
#include "kernlog/stamp.h"

#include <array>
#include <chrono>
#include <utility>

namespace oomwitness {

namespace {

using namespace std::string_view_literals;

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr std::int64_t kNsPerDay = 86400 * kNsPerSecond;

// ns since 1970; nothing for a day that is in no calendar.
std::optional<std::int64_t> midnight(int year, unsigned month, unsigned day) {
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!date.ok() || year < 1970 || year > 2200) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count() * kNsPerDay;
}

std::optional<unsigned> month_of(std::string_view word) {
  // English and the languages that are most often met; four letters where three mean two months.
  constexpr std::array kMonths = {std::pair{"juil"sv, 7U},
                                  std::pair{"juin"sv, 6U},
                                  std::pair{"jan"sv, 1U},
                                  std::pair{"feb"sv, 2U},
                                  std::pair{"mar"sv, 3U},
                                  std::pair{"apr"sv, 4U},
                                  std::pair{"may"sv, 5U},
                                  std::pair{"jun"sv, 6U},
                                  std::pair{"jul"sv, 7U},
                                  std::pair{"aug"sv, 8U},
                                  std::pair{"sep"sv, 9U},
                                  std::pair{"oct"sv, 10U},
                                  std::pair{"nov"sv, 11U},
                                  std::pair{"dec"sv, 12U},
                                  std::pair{"ene"sv, 1U},
                                  std::pair{"gen"sv, 1U},
                                  std::pair{"fev"sv, 2U},
                                  std::pair{"f\xc3\xa9v"sv, 2U},
                                  std::pair{"m\xc3\xa4r"sv, 3U},
                                  std::pair{"mrt"sv, 3U},
                                  std::pair{"avr"sv, 4U},
                                  std::pair{"abr"sv, 4U},
                                  std::pair{"mai"sv, 5U},
                                  std::pair{"mei"sv, 5U},
                                  std::pair{"mag"sv, 5U},
                                  std::pair{"giu"sv, 6U},
                                  std::pair{"lug"sv, 7U},
                                  std::pair{"ao\xc3\xbb"sv, 8U},
                                  std::pair{"ago"sv, 8U},
                                  std::pair{"set"sv, 9U},
                                  std::pair{"okt"sv, 10U},
                                  std::pair{"ott"sv, 10U},
                                  std::pair{"out"sv, 10U},
                                  std::pair{"d\xc3\xa9"
                                            "c"sv,
                                            12U},
                                  std::pair{"dez"sv, 12U},
                                  std::pair{"dic"sv, 12U}};
  constexpr std::size_t kLongest = 10;
  if (word.size() < 3 || word.size() > kLongest) return std::nullopt;
  if (is_digit(word.front())) {
    Scan scan(word);
    const auto number = scan.number<unsigned>();
    const bool month = scan.rest() == "\xe6\x9c\x88" || scan.rest() == "\xec\x9b\x94";
    return number && month && *number >= 1 && *number <= 12 ? number : std::nullopt;
  }
  std::array<char, kLongest> lower{};
  for (std::size_t i = 0; i < word.size(); ++i) {
    lower[i] = word[i] >= 'A' && word[i] <= 'Z' ? static_cast<char>(word[i] + 32) : word[i];
  }
  const std::string_view folded(lower.data(), word.size());
  for (const auto& [name, month] : kMonths) {
    // Nearly every line has one: most names are ruled out by their first letter.
    if (folded.front() == name.front() && folded.starts_with(name)) return month;
  }
  return std::nullopt;
}

// Exactly `digits` digits.
std::optional<unsigned> fixed(Scan& scan, std::size_t digits) {
  const std::string_view text = scan.rest();
  if (text.size() < digits) return std::nullopt;
  unsigned value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (!is_digit(text[i])) return std::nullopt;
    value = value * 10 + static_cast<unsigned>(text[i] - '0');
  }
  scan = Scan(text.substr(digits));
  return value;
}

// "17:27:56", "17:27:56.877089"
std::optional<std::int64_t> take_clock(Scan& scan) {
  const auto hour = fixed(scan, 2);
  if (!hour || *hour > 23 || !scan.skip(":")) return std::nullopt;
  const auto minute = fixed(scan, 2);
  if (!minute || *minute > 59 || !scan.skip(":")) return std::nullopt;
  const auto second = fixed(scan, 2);
  if (!second || *second > 60) return std::nullopt;
  std::int64_t ns = (*hour * 3600LL + *minute * 60LL + *second) * kNsPerSecond;
  const Scan before = scan;
  if (!scan.skip(".") && !scan.skip(",")) return ns;
  if (scan.done() || !is_digit(scan.rest().front())) {
    scan = before;
    return ns;
  }
  std::int64_t unit = kNsPerSecond / 10;
  std::size_t digits = 0;
  for (const std::string_view rest = scan.rest(); digits < rest.size() && is_digit(rest[digits]);
       ++digits, unit /= 10) {
    ns += (rest[digits] - '0') * unit;
  }
  scan = Scan(scan.rest().substr(digits));
  return ns;
}

// "Z", "+00:00", "-0330"; nothing is no zone.
void take_zone(Scan& scan, WallStamp& out) {
  if (scan.skip("Z")) {
    out.has_zone = true;
    return;
  }
  const Scan before = scan;
  const bool west = scan.rest().starts_with('-');
  if (!west && !scan.rest().starts_with('+')) return;
  scan = Scan(scan.rest().substr(1));
  const auto hours = fixed(scan, 2);
  scan.skip(":");
  const auto minutes = hours ? fixed(scan, 2) : std::nullopt;
  if (!minutes) {
    scan = before;
    return;
  }
  const std::int64_t offset = (*hours * 3600LL + *minutes * 60LL) * kNsPerSecond;
  out.civil_ns += west ? offset : -offset;
  out.has_zone = true;
}

// "12" of "Jun 12"; "\xe6\x97\xa5" may stand behind it
std::optional<unsigned> take_day(Scan& scan) {
  scan.skip_blanks();
  if (scan.rest().starts_with('0')) scan = Scan(scan.rest().substr(1));
  const auto day = scan.number<unsigned>();
  scan.skip("\xe6\x97\xa5");
  return day && *day >= 1 && *day <= 31 ? day : std::nullopt;
}

}  // namespace

bool take_rfc3164(Scan& scan, WallStamp& out) {
  Scan at = scan;
  const auto month = month_of(at.word());
  if (!month) return false;
  const auto day = take_day(at);
  if (!day || !at.skip(" ")) return false;
  int year = kYearless;
  Scan clock = at;
  const auto told_year = fixed(clock, 4);
  if (told_year && clock.skip(" ")) {
    year = static_cast<int>(*told_year);
    at = clock;
  }
  const auto time = take_clock(at);
  const auto date = midnight(year, *month, *day);
  if (!time || !date) return false;
  out = {.civil_ns = *date + *time, .has_zone = false, .has_year = year != kYearless};
  scan = at;
  return true;
}

bool take_iso8601(Scan& scan, WallStamp& out) {
  Scan at = scan;
  const auto year = fixed(at, 4);
  if (!year || (!at.skip("-") && !at.skip("/"))) return false;
  const auto month = fixed(at, 2);
  if (!month || (!at.skip("-") && !at.skip("/"))) return false;
  const auto day = fixed(at, 2);
  if (!day || (!at.skip("T") && !at.skip(" "))) return false;
  const auto time = take_clock(at);
  const auto date = midnight(static_cast<int>(*year), *month, *day);
  if (!time || !date) return false;
  out = {.civil_ns = *date + *time, .has_zone = false, .has_year = true};
  take_zone(at, out);
  // journalctl's short-full names the zone
  for (const std::string_view utc : {" UTC "sv, " GMT "sv}) {
    if (!out.has_zone && at.rest().starts_with(utc)) {
      at = Scan(at.rest().substr(4));
      out.has_zone = true;
    }
  }
  scan = at;
  return true;
}

bool take_ctime(Scan& scan, WallStamp& out, bool& dated) {
  Scan at = scan;
  // What comes before the clock, in whatever language: a weekday, a month, a day.
  std::array<std::string_view, 3> words;
  for (std::string_view& word : words) {
    at.skip_blanks();
    word = at.word();
    if (word.empty() || word.size() > 20) return false;
  }
  at.skip_blanks();
  const auto time = take_clock(at);
  if (!time || !at.skip(" ")) return false;
  Scan zone = at;
  if (!fixed(zone, 4)) {  // "Thu Apr  1 16:45:10 UTC 2021"
    at.word();
    at.skip_blanks();
  }
  const auto year = fixed(at, 4);
  if (!year) return false;
  auto month = month_of(words[1]);
  Scan day_scan(words[2]);
  auto day = take_day(day_scan);
  if (!month) {  // "Do 1. Apr" and the like
    month = month_of(words[2]);
    day_scan = Scan(words[1]);
    day = take_day(day_scan);
  }
  const auto date = month && day ? midnight(static_cast<int>(*year), *month, *day) : std::nullopt;
  dated = date.has_value();
  if (dated) out = {.civil_ns = *date + *time, .has_zone = false, .has_year = true};
  scan = at;
  return true;
}

bool take_unix_seconds(Scan& scan, WallStamp& out) {
  Scan at = scan;
  const auto seconds = fixed(at, 10);
  if (!seconds || !at.skip(".")) return false;
  const auto us = fixed(at, 6);
  if (!us || (!at.done() && is_digit(at.rest().front()))) return false;
  out = {.civil_ns = *seconds * kNsPerSecond + *us * 1000LL, .has_zone = true, .has_year = true};
  scan = at;
  return true;
}

bool take_uptime(Scan& scan, std::uint64_t& ns) {
  // By hand: nearly every line of a log has one.
  constexpr std::size_t kMostDigits = 9;  // 31 years
  constexpr std::size_t kFraction = 6;
  const std::string_view text = scan.rest();
  std::size_t at = 0;
  while (at < text.size() && text[at] == ' ') ++at;
  const std::size_t first = at;
  std::uint64_t seconds = 0;
  for (; at < text.size() && is_digit(text[at]); ++at) {
    seconds = seconds * 10 + static_cast<std::uint64_t>(text[at] - '0');
    if (at - first == kMostDigits) return false;
  }
  if (at == first || at + kFraction >= text.size() || text[at] != '.') return false;
  std::uint64_t us = 0;
  for (std::size_t i = 0; i < kFraction; ++i) {
    if (!is_digit(text[++at])) return false;
    us = us * 10 + static_cast<std::uint64_t>(text[at] - '0');
  }
  ns = seconds * 1'000'000'000 + us * 1000;
  scan = Scan(text.substr(at + 1));
  return true;
}

WallStamp with_year(WallStamp stamp, std::int64_t newest_ns) {
  using std::chrono::sys_days;
  const sys_days day{std::chrono::days(stamp.civil_ns / kNsPerDay)};
  const std::chrono::year_month_day date(day);
  const std::chrono::year_month_day newest(sys_days{std::chrono::days(newest_ns / kNsPerDay)});
  for (int year = static_cast<int>(newest.year()); year > static_cast<int>(newest.year()) - 9;
       --year) {
    const auto then =
        midnight(year, static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
    const std::int64_t ns = then.value_or(0) + stamp.civil_ns % kNsPerDay;
    if (!then || ns > newest_ns) continue;
    stamp.civil_ns = ns;
    stamp.has_year = true;
    return stamp;
  }
  return stamp;
}

}  // namespace oomwitness
