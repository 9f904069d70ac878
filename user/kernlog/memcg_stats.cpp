// SPDX-License-Identifier: BSD-2-Clause
#include "kernlog/memcg_stats.h"

#include <limits>

#include "incident/memcg_stat.h"
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
    if (!kb || value.rest() != "KB" || !is_memcg_size(name)) continue;
    if (*kb <= std::numeric_limits<std::uint64_t>::max() / 1024) {
      sizes_.emplace(std::string(name), *kb * 1024);
    }
  }
}

bool MemcgStats::add(std::string_view text) {
  if (!open_) return false;
  Scan scan(text);
  std::string_view name = scan.word();
  if (name.empty() || !scan.skip(" ")) return false;
  const auto value = plain_number<std::uint64_t>(trimmed(scan.rest()));
  if (!value || name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789") != name.npos) {
    return false;
  }
  constexpr std::string_view kSubtree = "total_";  // v1: of the cgroup with all below it
  const bool subtree = name.starts_with(kSubtree);
  if (subtree) name.remove_prefix(kSubtree.size());
  if (!is_memcg_size(name)) return true;
  if (subtree) {
    sizes_.insert_or_assign(std::string(name), *value);
  } else {
    sizes_.try_emplace(std::string(name), *value);
  }
  return true;
}

}  // namespace oomwitness
