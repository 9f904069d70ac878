// SPDX-License-Identifier: BSD-2-Clause
// What the lines of the user-space killers have in common.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "incident/incident.h"
#include "kernlog/scan.h"

namespace oomwitness {

inline constexpr std::uint64_t kMib = 1024ULL * 1024;
inline constexpr std::size_t kMaxReasonBytes = 512;

inline std::string clipped(std::string_view text) {
  return std::string(text.substr(0, kMaxReasonBytes));
}

inline std::string_view trim_left(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  return first == std::string_view::npos ? std::string_view{} : text.substr(first);
}

// "20012" or "  612.5" MiB off the beginning, in bytes; a fraction is cut.
inline Opt<std::uint64_t> mebibytes(Scan& scan) {
  scan.skip_blanks();
  const auto mib = scan.number<std::uint64_t>();
  if (!mib || *mib > (1ULL << 40U)) return std::nullopt;
  return *mib * kMib;
}

// The number that follows `key`, and blanks or one '=', somewhere in `text`.
template <std::integral T>
Opt<T> number_after(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  Scan scan(text.substr(at + key.size()));
  scan.skip("=");
  scan.skip_blanks();
  return scan.number<T>();
}

inline Opt<std::uint64_t> mebibytes_after(std::string_view text, std::string_view key) {
  const auto mib = number_after<std::uint64_t>(text, key);
  return mib && *mib <= (1ULL << 40U) ? Opt<std::uint64_t>(*mib * kMib) : std::nullopt;
}

inline bool starts_with_any(std::string_view text,
                            std::initializer_list<std::string_view> beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [text](std::string_view beginning) { return text.starts_with(beginning); });
}

}  // namespace oomwitness
