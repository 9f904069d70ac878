// SPDX-License-Identifier: BSD-2-Clause
#include <charconv>
#include <cmath>
#include <string_view>

#include "support/text.h"

namespace oomwitness {

std::optional<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::string_view kUnits = "KMGT";
  constexpr double kMost = 4611686018427387904.0;  // 2^62
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (error != std::errc{} || !(number > 0)) return std::nullopt;
  std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  if (!unit.empty() && unit != "B") {
    const char letter =
        unit.front() >= 'a' ? static_cast<char>(unit.front() - 'a' + 'A') : unit.front();
    const auto power = kUnits.find(letter);
    if (power == std::string_view::npos) return std::nullopt;
    unit.remove_prefix(1);
    if (!unit.empty() && unit != "B" && unit != "iB") return std::nullopt;
    number = std::ldexp(number, 10 * (static_cast<int>(power) + 1));
  }
  if (number > kMost || number < 1) return std::nullopt;
  return static_cast<std::uint64_t>(std::llround(number));
}

}  // namespace oomwitness
