// SPDX-License-Identifier: BSD-2-Clause
// Reading a line of the log from its left end, one piece after the other.
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <system_error>

namespace oomwitness {

class Scan {
 public:
  explicit Scan(std::string_view text) : rest_(text) {}

  std::string_view rest() const { return rest_; }
  bool done() const { return rest_.empty(); }

  // Steps over `literal` when it stands here.
  bool skip(std::string_view literal) {
    if (!rest_.starts_with(literal)) return false;
    rest_.remove_prefix(literal.size());
    return true;
  }

  void skip_blanks() {
    const std::size_t first = rest_.find_first_not_of(' ');
    rest_.remove_prefix(first == std::string_view::npos ? rest_.size() : first);
  }

  // What stands before the next blank.
  std::string_view word() {
    const std::string_view found = rest_.substr(0, rest_.find(' '));
    rest_.remove_prefix(found.size());
    return found;
  }

  template <std::integral T>
  std::optional<T> number(int base = 10) {
    T value{};
    const auto [end, error] =
        std::from_chars(rest_.data(), rest_.data() + rest_.size(), value, base);
    if (error != std::errc{}) return std::nullopt;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }

  // "20480kB", in bytes.
  std::optional<std::uint64_t> kilobytes() {
    const auto kb = number<std::uint64_t>();
    if (!kb || !skip("kB") || *kb > std::numeric_limits<std::uint64_t>::max() / 1024) {
      return std::nullopt;
    }
    return *kb * 1024;
  }

 private:
  std::string_view rest_;
};

// The whole text as a number.
template <std::integral T>
std::optional<T> whole_number(std::string_view text) {
  Scan scan(text);
  const auto value = scan.number<T>();
  return scan.done() ? value : std::nullopt;
}

// The same as the kernel prints it: one with leading zeros has been damaged.
template <std::integral T>
std::optional<T> plain_number(std::string_view text) {
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return whole_number<T>(text);
}

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

inline std::string_view trimmed_left(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  return text;
}

inline std::string_view trimmed(std::string_view text) {
  text = trimmed_left(text);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace oomwitness
