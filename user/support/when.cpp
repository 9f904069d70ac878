// SPDX-License-Identifier: BSD-2-Clause
#include "support/when.h"

#include <array>
#include <charconv>
#include <chrono>
#include <limits>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace oomwitness {
namespace {

using namespace std::string_view_literals;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;
// The first and the last year of nanoseconds in 64 bits, and a margin for zones.
constexpr std::int64_t kFirstYear = 1970;
constexpr std::int64_t kLastYear = 2261;

constexpr std::array kUnits = {std::pair{"seconds"sv, kSecond}, std::pair{"second"sv, kSecond},
                               std::pair{"sec"sv, kSecond},     std::pair{"s"sv, kSecond},
                               std::pair{"minutes"sv, kMinute}, std::pair{"minute"sv, kMinute},
                               std::pair{"min"sv, kMinute},     std::pair{"m"sv, kMinute},
                               std::pair{"hours"sv, kHour},     std::pair{"hour"sv, kHour},
                               std::pair{"hr"sv, kHour},        std::pair{"h"sv, kHour},
                               std::pair{"days"sv, kDay},       std::pair{"day"sv, kDay},
                               std::pair{"d"sv, kDay},          std::pair{"weeks"sv, 7 * kDay},
                               std::pair{"week"sv, 7 * kDay},   std::pair{"w"sv, 7 * kDay}};

void skip_blanks(std::string_view& text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
}

bool skip(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

// Digits only: no sign.
std::optional<std::int64_t> number(std::string_view& text) {
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

std::optional<std::int64_t> number_of(std::string_view& text, std::size_t digits) {
  std::string_view head = text.substr(0, digits);
  const auto value = number(head);
  if (!value || !head.empty() || text.size() < digits) return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

// "1h 30min", "2 hours ago", "-15min"
std::optional<std::int64_t> time_before(std::string_view text, std::int64_t now) {
  skip(text, "-");
  std::int64_t total = 0;
  do {
    const auto count = number(text);
    skip_blanks(text);
    std::int64_t unit = 0;
    for (const auto& [name, ns] : kUnits) {
      if (unit == 0 && skip(text, name)) unit = ns;
    }
    skip_blanks(text);
    if (!count || unit == 0 || *count > std::numeric_limits<std::int64_t>::max() / unit / 2) {
      return std::nullopt;
    }
    total += *count * unit;
    if (total > now) return std::nullopt;
  } while (!text.empty() && text != "ago");
  return now - total;
}

struct Civil {
  std::int64_t seconds = 0;  // as if it were UTC
  std::int64_t ns = 0;       // of the second
};

std::optional<std::int64_t> day_of(std::string_view& text) {
  const auto year = number_of(text, 4);
  if (!year || *year < kFirstYear || *year > kLastYear || !skip(text, "-")) return std::nullopt;
  const auto month = number_of(text, 2);
  if (!month || !skip(text, "-")) return std::nullopt;
  const auto day = number_of(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count();
}

// "01:23", "01:23:45", "01:23:45.5"
bool add_time_of_day(std::string_view& text, Civil& civil) {
  const auto hour = number_of(text, 2);
  if (!hour || *hour > 23 || !skip(text, ":")) return false;
  const auto minute = number_of(text, 2);
  if (!minute || *minute > 59) return false;
  civil.seconds += *hour * 3600 + *minute * 60;
  if (!skip(text, ":")) return true;
  const auto second = number_of(text, 2);
  if (!second || *second > 60) return false;
  civil.seconds += *second;
  if (!skip(text, ".")) return true;
  std::int64_t scale = kSecond;
  if (text.empty() || text.front() < '0' || text.front() > '9') return false;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    scale /= 10;
    civil.ns += (text.front() - '0') * scale;
    text.remove_prefix(1);
  }
  return true;
}

// "Z", "+01:00"; nothing: absent. False: neither.
bool read_zone(std::string_view& text, std::optional<std::int64_t>& offset_s) {
  if (text.empty()) return true;
  if (skip(text, "Z") || skip(text, "z")) {
    offset_s = 0;
    return text.empty();
  }
  const bool west = text.starts_with('-');
  if (!skip(text, "+") && !skip(text, "-")) return false;
  const auto hours = number_of(text, 2);
  skip(text, ":");
  const auto minutes = number_of(text, 2);
  if (!hours || !minutes || *hours > 23 || *minutes > 59 || !text.empty()) return false;
  offset_s = (*hours * 3600 + *minutes * 60) * (west ? -1 : 1);
  return true;
}

std::optional<std::int64_t> date_and_time(std::string_view text, const Clock& clock) {
  const auto day = day_of(text);
  if (!day) return std::nullopt;
  Civil civil{*day * 24 * 3600, 0};
  std::optional<std::int64_t> offset_s;
  if (!text.empty()) {
    if (!skip(text, "T") && !skip(text, "t") && !skip(text, " ")) return std::nullopt;
    if (!add_time_of_day(text, civil) || !read_zone(text, offset_s)) return std::nullopt;
  }
  const std::int64_t utc = offset_s ? civil.seconds - *offset_s : clock.to_utc(civil.seconds);
  return utc * kSecond + civil.ns;
}

std::int64_t midnight(const Clock& clock, std::int64_t days_back) {
  constexpr std::int64_t kDaySeconds = 24L * 3600;
  const std::int64_t local = clock.to_local(clock.now_unix_ns / kSecond);
  return clock.to_utc(local - local % kDaySeconds - days_back * kDaySeconds) * kSecond;
}

}  // namespace

Result<std::int64_t> parse_when(std::string_view text, const Clock& clock) {
  if (text == "now") return clock.now_unix_ns;
  if (text == "today") return midnight(clock, 0);
  if (text == "yesterday") return midnight(clock, 1);
  std::string_view rest = text;
  if (skip(rest, "@")) {
    const auto seconds = number(rest);
    if (seconds && rest.empty() && *seconds <= std::numeric_limits<std::int64_t>::max() / kSecond) {
      return *seconds * kSecond;
    }
  }
  if (const auto moment = date_and_time(text, clock)) return *moment;
  if (const auto moment = time_before(text, clock.now_unix_ns)) return *moment;
  return fail("'" + std::string(text) + "' is not a time",
              "for example 2026-11-23T01:23:45Z, '2026-11-23 01:23', today, '2 hours ago', 1h");
}

}  // namespace oomwitness
