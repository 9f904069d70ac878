// SPDX-License-Identifier: BSD-2-Clause
// The times that logs put in front of their lines.
#pragma once

#include <cstdint>

#include "kernlog/scan.h"

namespace oomwitness {

// What a clock on the wall showed, as ns since 1970 as if it were in UTC.
struct WallStamp {
  std::int64_t civil_ns = 0;
  bool has_zone = false;  // civil_ns is UTC
  bool has_year = true;   // otherwise the year is kYearless
};
inline constexpr int kYearless = 2000;  // a leap year

// Each steps over a stamp that stands here and over nothing else; false: there is none.

// "Jun 20 12:47:02", also with fractions of a second, with a year behind the day, and with the
// month of another language
bool take_rfc3164(Scan& scan, WallStamp& out);
// "2026-09-19T17:27:56.877089+00:00", also with a blank for the T, a comma for the dot, "Z",
// "+0300"
bool take_iso8601(Scan& scan, WallStamp& out);
// "Thu Apr  1 16:45:10 2021", of any language; without a date where the month is not understood
bool take_ctime(Scan& scan, WallStamp& out, bool& dated);
// "1787068905.416344"
bool take_unix_seconds(Scan& scan, WallStamp& out);
// "1234.567890", seconds since boot, as ns
bool take_uptime(Scan& scan, std::uint64_t& ns);

// The stamp without its year, in the last year in which it is not after `newest_ns`.
WallStamp with_year(WallStamp stamp, std::int64_t newest_ns);

}  // namespace oomwitness
