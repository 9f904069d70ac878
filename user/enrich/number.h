// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string_view>

namespace oomwitness {

// A whole string as a number: no sign for unsigned types, no spaces, no overflow.
template <std::integral T>
std::optional<T> parse_number(std::string_view text, int base = 10) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace oomwitness
