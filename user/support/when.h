// SPDX-License-Identifier: BSD-2-Clause
// Moments as people write them. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "support/result.h"

namespace oomwitness {

struct Clock {
  std::int64_t now_unix_ns = 0;
  // UTC seconds of a local time, which is given as if it were UTC, and the other way round.
  std::function<std::int64_t(std::int64_t)> to_utc;
  std::function<std::int64_t(std::int64_t)> to_local;
};

// Understood: RFC 3339 ("2026-11-23T01:23:45.5Z", "+01:00"); the same without a zone, with a blank
// for the T, without seconds or without the time of day: local time; "now", "today", "yesterday";
// "2 hours ago", "1h", "1h 30min", "-15min": before now; "@1793491200". The result: ns since 1970.
Result<std::int64_t> parse_when(std::string_view text, const Clock& clock);

}  // namespace oomwitness
