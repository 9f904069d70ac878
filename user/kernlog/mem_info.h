// SPDX-License-Identifier: BSD-2-Clause
// Mem-Info, the state of the system's memory (show_mem: lib/show_mem.c, mm/show_mem.c,
// mm/page_alloc.c show_free_areas), and the slab caches that no reclaim can shrink
// (dump_unreclaimable_slab, mm/slab_common.c), of 2.6.8 to 7.x.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "incident/incident.h"

namespace oomwitness {

class MemInfo {
 public:
  // False: the line is none of it.
  bool add(std::string_view text);

  bool empty() const { return !any_; }
  // The kernel's page size: a free list begins with blocks of one page.
  Opt<std::uint64_t> page_size_bytes() const { return page_size_; }
  // RAM the kernel manages and swap, in pages: what oom_badness scales adjustments by. Needs the
  // page size where there is swap.
  Opt<std::uint64_t> total_pages(Opt<std::uint64_t> page_size) const;

  // Figures that the kernel gives in pages need their size; they are absent without it.
  System settle(Opt<std::uint64_t> page_size) &&;

 private:
  bool add_zone(std::string_view text);
  bool add_free_list(std::string_view text);
  bool add_node(std::string_view text);
  bool add_counters(std::string_view text);
  bool add_pages(std::string_view text);
  bool add_swap(std::string_view text);
  bool add_slab(std::string_view text);
  bool add_reserve(std::string_view text);
  bool add_huge(std::string_view text);
  Zone* zone(std::uint32_t node, std::string_view name);

  std::map<std::string, std::uint64_t> pages_;  // names of /proc/meminfo
  std::map<std::string, std::uint64_t> bytes_;
  std::map<std::string, std::uint64_t> node_bytes_;  // sums over the nodes
  std::map<std::string, std::uint64_t> slabs_;
  std::vector<Zone> zones_;
  std::size_t last_zone_ = 0;  // 1 + its place; 0: none
  Opt<std::uint64_t> page_size_;
  Opt<std::uint64_t> ram_pages_;
  Opt<std::uint64_t> reserved_pages_;
  Opt<std::uint64_t> swap_total_;
  Opt<std::uint64_t> swap_free_;
  bool in_slabs_ = false;
  bool any_ = false;
};

}  // namespace oomwitness
