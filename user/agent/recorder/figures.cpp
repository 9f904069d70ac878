// SPDX-License-Identifier: BSD-2-Clause
#include "agent/recorder/figures.h"

#include <array>
#include <charconv>
#include <utility>

namespace oomwitness {
namespace {

using Figure = std::optional<std::uint64_t>;

std::string_view next_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

// "some avg10=0.00 avg60=0.00 avg300=0.00 total=123": the stall in all.
Figure total_of(std::string_view line) {
  constexpr std::string_view kTotal = "total=";
  const std::size_t at = line.find(kTotal);
  return at == std::string_view::npos ? std::nullopt
                                      : first_number(line.substr(at + kTotal.size()));
}

}  // namespace

Figure first_number(std::string_view text) {
  const std::size_t at = text.find_first_not_of(" \t");
  if (at == std::string_view::npos) return std::nullopt;
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data() + at, end, number);
  if (failure != std::errc{}) return std::nullopt;
  return number;
}

void take_meminfo(std::string_view text, HostFigures& figures) {
  const std::array<std::pair<std::string_view, Figure*>, 7> wanted{{
      {"MemAvailable", &figures.available},
      {"MemFree", &figures.free},
      {"AnonPages", &figures.anon},
      {"Cached", &figures.file},
      {"Shmem", &figures.shmem},
      {"Slab", &figures.slab},
      {"PageTables", &figures.page_tables},
  }};
  constexpr std::uint64_t kKib = 1024;
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, colon);
    const Figure kib = first_number(line.substr(colon + 1));
    if (!kib || *kib > UINT64_MAX / kKib) continue;
    for (const auto& [key, figure] : wanted)
      if (key == name) *figure = *kib * kKib;
    if (name == "SwapFree") figures.swap_free = *kib * kKib;
  }
}

void take_pressure(std::string_view text, HostFigures& figures) {
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    if (line.starts_with("some ")) figures.psi_some_us = total_of(line);
    if (line.starts_with("full ")) figures.psi_full_us = total_of(line);
  }
}

Figure resident_of_statm(std::string_view text, std::uint64_t page_bytes) {
  const std::size_t blank = text.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  const Figure pages = first_number(text.substr(blank));
  if (!pages || *pages > UINT64_MAX / page_bytes) return std::nullopt;
  return *pages * page_bytes;
}

}  // namespace oomwitness
