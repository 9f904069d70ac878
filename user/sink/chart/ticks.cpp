// SPDX-License-Identifier: BSD-2-Clause
#include "sink/chart/ticks.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

#include "support/text.h"

namespace oomwitness {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr double kMinute = 60;
constexpr double kHour = 3600;
constexpr double kDay = 86400;

// Steps in which people read clocks.
constexpr std::array<double, 26> kTimeSteps{
    0.1,          0.2,          0.5,          1,        2,           5,
    10,           15,           30,           kMinute,  2 * kMinute, 5 * kMinute,
    10 * kMinute, 15 * kMinute, 30 * kMinute, kHour,    2 * kHour,   3 * kHour,
    6 * kHour,    12 * kHour,   kDay,         2 * kDay, 7 * kDay,    30 * kDay,
    90 * kDay,    365 * kDay};

double time_step(double span, std::size_t at_most) {
  const auto fits = [&](double step) { return span / step <= static_cast<double>(at_most); };
  const auto* const found = std::find_if(kTimeSteps.begin(), kTimeSteps.end(), fits);
  return found != kTimeSteps.end() ? *found : span;
}

std::string span_text(double seconds) {
  const double s = std::abs(seconds);
  const char* const sign = seconds < 0 ? "-" : "";
  if (s < kMinute) return fmt::format("{}{:g} s", sign, s);
  if (s < kHour) return fmt::format("{}{:g} min", sign, s / kMinute);
  if (s < kDay) return fmt::format("{}{:g} h", sign, s / kHour);
  return fmt::format("{}{:g} d", sign, s / kDay);
}

}  // namespace

std::vector<Tick> byte_ticks(double most, std::size_t at_most) {
  constexpr double kMost = 9e18;  // whole bytes in 64 bits
  most = std::min(most, kMost);
  double step = 1;
  while (most / step > static_cast<double>(at_most)) step *= 2;
  std::vector<Tick> ticks;
  for (std::size_t n = 0; static_cast<double>(n) * step <= most; ++n) {
    const double at = static_cast<double>(n) * step;
    ticks.push_back({at, n == 0 ? "0" : human_size(static_cast<std::uint64_t>(at))});
  }
  return ticks;
}

std::vector<Tick> count_ticks(double most, std::size_t at_most) {
  constexpr std::array<double, 3> kSteps{1, 2, 5};
  double scale = 1;
  for (std::size_t i = 0;; i = (i + 1) % kSteps.size()) {
    const double step = kSteps.at(i) * scale;
    if (i + 1 == kSteps.size()) scale *= 10;
    if (most / step > static_cast<double>(at_most)) continue;
    std::vector<Tick> ticks;
    for (std::size_t n = 0; static_cast<double>(n) * step <= most; ++n) {
      const double at = static_cast<double>(n) * step;
      ticks.push_back({at, thousands(static_cast<std::uint64_t>(at))});
    }
    return ticks;
  }
}

std::vector<Tick> before_ticks(double from_s, std::size_t at_most) {
  std::vector<Tick> ticks;
  if (from_s >= 0) return {{0, "kill"}};
  const double step = time_step(-from_s, at_most);
  for (auto n = static_cast<std::size_t>(std::floor(-from_s / step)); n > 0; --n) {
    const double at = -static_cast<double>(n) * step;
    ticks.push_back({at, span_text(at)});
  }
  ticks.push_back({0, "kill"});
  return ticks;
}

std::vector<Tick> elapsed_ticks(double to_s, std::size_t at_most) {
  std::vector<Tick> ticks{{0, "start"}};
  if (to_s <= 0) return ticks;
  const double step = time_step(to_s, at_most);
  for (std::size_t n = 1; static_cast<double>(n) * step <= to_s; ++n) {
    const double at = static_cast<double>(n) * step;
    ticks.push_back({at, span_text(at)});
  }
  return ticks;
}

std::vector<Tick> wall_ticks(std::int64_t from_unix_ns, std::int64_t to_unix_ns,
                             std::size_t at_most) {
  if (to_unix_ns < from_unix_ns) return {};
  const double span = (static_cast<double>(to_unix_ns) - static_cast<double>(from_unix_ns)) / 1e9;
  const double step_s = std::max(1.0, time_step(std::max(span, 1.0), at_most));
  const auto step = static_cast<std::int64_t>(step_s) * kNsPerSecond;
  // In unsigned arithmetic: the whole range of 64 bits is more than a difference holds.
  const auto left = [&](std::int64_t at) {
    return static_cast<std::uint64_t>(to_unix_ns) - static_cast<std::uint64_t>(at);
  };
  std::vector<Tick> ticks;
  const std::int64_t beyond = from_unix_ns % step;
  const std::uint64_t first =
      beyond > 0 ? static_cast<std::uint64_t>(step - beyond) : static_cast<std::uint64_t>(-beyond);
  if (left(from_unix_ns) < first) return ticks;
  for (std::int64_t at = from_unix_ns + static_cast<std::int64_t>(first);; at += step) {
    // "2026-11-23T01:23:45Z": the date alone, month to minute, or the time of day.
    const std::string whole = rfc3339_utc(at, 0);
    std::string label = step_s >= kDay      ? whole.substr(0, 10)
                        : span > kDay       ? whole.substr(5, 11)
                        : step_s >= kMinute ? whole.substr(11, 5)
                                            : whole.substr(11, 8);
    std::replace(label.begin(), label.end(), 'T', ' ');
    ticks.push_back({span - static_cast<double>(left(at)) / 1e9, std::move(label)});
    if (left(at) < static_cast<std::uint64_t>(step)) return ticks;
  }
}

}  // namespace oomwitness
