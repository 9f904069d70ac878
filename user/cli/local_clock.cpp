// SPDX-License-Identifier: BSD-2-Clause
#include "cli/local_clock.h"

#include <chrono>
#include <ctime>
#include <optional>
#include <utility>

namespace oomwitness {
namespace {

// mktime looks each time whether /etc/localtime has changed; zones change at whole minutes, and a
// log has many stamps of one.
class AsUtc {
 public:
  std::int64_t operator()(std::int64_t local_s) {
    const std::int64_t second = ((local_s % 60) + 60) % 60;
    const std::int64_t minute = local_s - second;
    if (!known_ || known_->first != minute) known_ = {minute, ask(minute)};
    return known_->second + second;
  }

 private:
  static std::int64_t ask(std::int64_t local_s) {
    std::tm civil{};
    const std::time_t shown = local_s;
    if (::gmtime_r(&shown, &civil) == nullptr) return local_s;
    civil.tm_isdst = -1;
    return ::mktime(&civil);
  }

  std::optional<std::pair<std::int64_t, std::int64_t>>
      known_;  // a local minute and the same in UTC
};

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
          .to_utc = AsUtc(),
          .to_local = as_local};
}

}  // namespace oomwitness
