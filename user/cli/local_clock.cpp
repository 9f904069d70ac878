// SPDX-License-Identifier: BSD-2-Clause
#include "cli/local_clock.h"

#include <chrono>
#include <ctime>

namespace oomwitness {
namespace {

std::int64_t as_utc(std::int64_t local_s) {
  std::tm civil{};
  const std::time_t shown = local_s;
  if (::gmtime_r(&shown, &civil) == nullptr) return local_s;
  civil.tm_isdst = -1;
  return ::mktime(&civil);
}

std::int64_t as_local(std::int64_t utc_s) {
  std::tm civil{};
  const std::time_t moment = utc_s;
  if (::localtime_r(&moment, &civil) == nullptr) return utc_s;
  return ::timegm(&civil);
}

}  // namespace

Clock local_clock() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return {.now_unix_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count(),
          .to_utc = as_utc,
          .to_local = as_local};
}

}  // namespace oomwitness
