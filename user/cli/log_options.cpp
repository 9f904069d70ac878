// SPDX-License-Identifier: BSD-2-Clause
#include "cli/log_options.h"

#include <cstdint>

#include "cli/local_clock.h"

namespace oomwitness {

LogReaderOptions log_reader_options() {
  constexpr std::int64_t kDayNs = 24LL * 3600 * 1'000'000'000;  // clocks differ, and so do zones
  const Clock clock = local_clock();
  return {.newest_unix_ns = clock.now_unix_ns + kDayNs, .to_utc = clock.to_utc};
}

}  // namespace oomwitness
