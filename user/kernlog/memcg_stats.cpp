// SPDX-License-Identifier: BSD-2-Clause
#include "kernlog/memcg_stats.h"

#include <algorithm>
#include <limits>

#include "kernlog/scan.h"

namespace oomwitness {

void MemcgStats::begin(std::string_view path, std::string_view same_line) {
  open_ = path_.empty() && same_line.empty();
  if (!path_.empty()) return;
  path_ = path;
  Scan scan(same_line);
  for (scan.skip_blanks(); !scan.done(); scan.skip_blanks()) {
    const std::string_view word = scan.word();
    const std::size_t colon = word.find(':');
    if (colon == std::string_view::npos) continue;
    Scan value(word.substr(colon + 1));
    const auto kb = value.number<std::uint64_t>();
    const std::string_view name = word.substr(0, colon);
    // A line cut short ends inside a number or before its unit.
    const std::size_t place = place_of(name);
    if (!kb || value.rest() != "KB" || place == sizes_.size()) continue;
    if (*kb <= std::numeric_limits<std::uint64_t>::max() / 1024) sizes_[place] = *kb * 1024;
  }
}

bool MemcgStats::add(std::string_view text) {
  if (!open_) return false;
  Scan scan(text);
  std::string_view name = scan.word();
  if (name.empty() || !scan.skip(" ")) return false;
  const auto value = plain_number<std::uint64_t>(trimmed(scan.rest()));
  const auto of_name = [](char c) { return (c >= 'a' && c <= 'z') || c == '_' || is_digit(c); };
  if (!value || !std::all_of(name.begin(), name.end(), of_name)) return false;
  constexpr std::string_view kSubtree = "total_";  // v1: of the cgroup with all below it
  const bool subtree = name.starts_with(kSubtree);
  if (subtree) name.remove_prefix(kSubtree.size());
  const std::size_t place = place_of(name);
  if (place == sizes_.size()) return true;
  if (subtree || !sizes_[place]) sizes_[place] = *value;
  return true;
}

std::size_t MemcgStats::place_of(std::string_view name) {
  if (next_ < kMemcgSizes.size() && kMemcgSizes[next_] == name) return next_++;
  const auto* const found = std::find(kMemcgSizes.begin(), kMemcgSizes.end(), name);
  const auto place = static_cast<std::size_t>(found - kMemcgSizes.begin());
  if (place != kMemcgSizes.size()) next_ = place + 1;
  return place;
}

std::map<std::string, std::uint64_t> MemcgStats::sizes() const {
  std::map<std::string, std::uint64_t> out;
  for (std::size_t i = 0; i < sizes_.size(); ++i) {
    if (sizes_[i]) out.emplace(std::string(kMemcgSizes[i]), *sizes_[i]);
  }
  return out;
}

}  // namespace oomwitness
