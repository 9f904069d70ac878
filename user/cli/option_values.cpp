// SPDX-License-Identifier: BSD-2-Clause
#include "cli/option_values.h"

#include <charconv>

namespace oomwitness {

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text,
                                                       std::chrono::nanoseconds bare) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, err] = std::from_chars(text.data(), end, number);
  if (err != std::errc{} || !(number >= 0)) return std::nullopt;
  const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  std::chrono::nanoseconds scale = bare;
  if (unit == "ms")
    scale = std::chrono::milliseconds(1);
  else if (unit == "s")
    scale = std::chrono::seconds(1);
  else if (unit == "m")
    scale = std::chrono::minutes(1);
  else if (unit == "h")
    scale = std::chrono::hours(1);
  else if (!unit.empty())
    return std::nullopt;
  const double ns = number * static_cast<double>(scale.count());
  constexpr double kLongest = 1e18;  // 31 years, and still a count of nanoseconds
  if (ns > kLongest) return std::nullopt;
  return std::chrono::nanoseconds(static_cast<std::int64_t>(ns));
}

CLI::Validator duration_check(std::chrono::nanoseconds bare) {
  return CLI::Validator(
      [bare](std::string& text) {
        if (parse_duration(text, bare)) return std::string();
        return "'" + text + "' is not a duration: expected a number with ms, s, m or h";
      },
      "DURATION");
}

CLI::Validator size_check() {
  return CLI::Validator(
      [](std::string& text) {
        if (parse_size(text)) return std::string();
        return "'" + text + "' is not a size: expected a number of bytes, or one with K, M, G or T";
      },
      "SIZE");
}

CLI::Validator size_or_zero_check() {
  return CLI::Validator(
      [](std::string& text) { return text == "0" ? std::string() : size_check()(text); }, "SIZE");
}

}  // namespace oomwitness
