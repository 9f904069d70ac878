// SPDX-License-Identifier: BSD-2-Clause
// What of memory.stat is a size in bytes. The rest counts events and pages (mm/memcontrol.c
// memory_stats[] and memcg_vm_event_stat[], mm/memcontrol-v1.c memcg1_stats[]).
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace oomwitness {

inline constexpr std::array<std::string_view, 35> kMemcgSizes = {
    "anon", "file", "kernel", "kernel_stack", "pagetables", "sec_pagetables", "percpu", "sock",
    "vmalloc", "shmem", "zswap", "zswapped", "file_mapped", "file_dirty", "file_writeback",
    "swapcached", "anon_thp", "file_thp", "shmem_thp", "inactive_anon", "active_anon",
    "inactive_file", "active_file", "unevictable", "slab_reclaimable", "slab_unreclaimable", "slab",
    "hugetlb",
    // v1 only
    "cache", "rss", "rss_huge", "mapped_file", "dirty", "writeback", "swap"};

inline bool is_memcg_size(std::string_view name) {
  return std::find(kMemcgSizes.begin(), kMemcgSizes.end(), name) != kMemcgSizes.end();
}

}  // namespace oomwitness
