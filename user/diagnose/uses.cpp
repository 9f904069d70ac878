// SPDX-License-Identifier: BSD-2-Clause
// Memory by what it is used for: /proc/meminfo's names (and the kernel log's counters under them)
// for the host, memory.stat's for a cgroup.
#include <algorithm>
#include <initializer_list>
#include <map>

#include "diagnose/facts.h"

namespace oomwitness {
namespace {

using Sizes = std::map<std::string, std::uint64_t>;

Opt<std::uint64_t> value_of(const Sizes& sizes, const char* key) {
  const auto found = sizes.find(key);
  return found == sizes.end() ? std::nullopt : Opt<std::uint64_t>(found->second);
}

// The sum of all keys; absent when one of them is.
Opt<std::uint64_t> all_of(const Sizes& sizes, std::initializer_list<const char*> keys) {
  std::uint64_t sum = 0;
  for (const char* key : keys) {
    const auto value = value_of(sizes, key);
    if (!value) return std::nullopt;
    sum = plus(sum, *value);
  }
  return sum;
}

Opt<std::uint64_t> first_of(std::initializer_list<Opt<std::uint64_t>> values) {
  for (const auto& value : values)
    if (value) return value;
  return std::nullopt;
}

Opt<std::uint64_t> zone_sum(const System& system, Opt<std::uint64_t> Zone::*member) {
  Opt<std::uint64_t> sum;
  for (const Zone& zone : system.zones) {
    if (!(zone.*member)) return std::nullopt;
    sum = plus(sum, zone.*member);
  }
  return sum;
}

// Kernel stacks are vmalloc memory where VMAP_STACK is set: the larger of both, not the sum.
Opt<std::uint64_t> stacks_and_vmalloc(const Sizes& info) {
  const auto stacks = value_of(info, "KernelStack");
  const auto vmalloc = value_of(info, "VmallocUsed");
  if (!stacks || !vmalloc) return stacks ? stacks : vmalloc;
  return std::max(*stacks, *vmalloc);
}

Uses of_host(const System& system) {
  const Sizes& info = system.meminfo_bytes;
  Uses uses;
  uses.total = first_of({value_of(info, "MemTotal"), zone_sum(system, &Zone::managed_bytes)});
  uses.free = first_of({value_of(info, "MemFree"), zone_sum(system, &Zone::free_bytes)});
  const auto lru_anon = all_of(info, {"Active(anon)", "Inactive(anon)"});
  // The LRU's anonymous lists hold shared memory too.
  const auto on_lists = lru_anon ? lru_anon : all_of(info, {"AnonPages", "Shmem"});
  uses.shmem = value_of(info, "Shmem");
  uses.anon = value_of(info, "AnonPages");
  if (!uses.anon && lru_anon && uses.shmem) uses.anon = minus(*lru_anon, *uses.shmem);
  if (!uses.anon) uses.anon = lru_anon;
  uses.file = all_of(info, {"Active(file)", "Inactive(file)"});
  uses.unevictable = value_of(info, "Unevictable");
  uses.mlocked = first_of({value_of(info, "Mlocked"), zone_sum(system, &Zone::mlocked_bytes)});
  uses.slab = first_of({all_of(info, {"SReclaimable", "SUnreclaim"}), value_of(info, "Slab")});
  uses.page_tables = plus(value_of(info, "PageTables"), value_of(info, "SecPageTables"));
  uses.kernel_stacks = value_of(info, "KernelStack");
  uses.kernel = plus(plus(uses.slab, uses.page_tables),
                     plus(stacks_and_vmalloc(info), value_of(info, "Percpu")));
  uses.hugetlb = value_of(info, "Hugetlb");
  uses.hugetlb_free = value_of(info, "HugePages_Free");
  uses.dirty = value_of(info, "Dirty");
  uses.writeback = value_of(info, "Writeback");
  if (uses.total && uses.free && on_lists && uses.file && uses.page_tables) {
    // A pool of huge pages that is not told of is none in a record that has the rest.
    const auto known = plus(plus(plus(uses.free, on_lists), plus(uses.file, uses.unevictable)),
                            plus(uses.kernel, uses.hugetlb));
    uses.unaccounted = minus(*uses.total, known.value_or(0));
  }
  return uses;
}

// The names of v2, or those of v1.
Uses of_cgroup(const Sizes& stat, const Opt<std::uint64_t>& usage) {
  Uses uses;
  uses.total = usage;
  uses.anon = first_of({value_of(stat, "anon"), value_of(stat, "rss")});
  uses.shmem = value_of(stat, "shmem");
  const auto cache = first_of({value_of(stat, "file"), value_of(stat, "cache")});
  if (cache) uses.file = minus(*cache, uses.shmem.value_or(0));
  uses.unevictable = value_of(stat, "unevictable");
  uses.slab =
      first_of({value_of(stat, "slab"), all_of(stat, {"slab_reclaimable", "slab_unreclaimable"})});
  uses.page_tables = value_of(stat, "pagetables");
  uses.kernel_stacks = value_of(stat, "kernel_stack");
  uses.kernel = first_of(
      {value_of(stat, "kernel"),
       plus(plus(uses.slab, uses.page_tables),
            plus(uses.kernel_stacks, plus(value_of(stat, "percpu"), value_of(stat, "vmalloc"))))});
  uses.dirty = first_of({value_of(stat, "file_dirty"), value_of(stat, "dirty")});
  uses.writeback = first_of({value_of(stat, "file_writeback"), value_of(stat, "writeback")});
  return uses;
}

}  // namespace

void find_uses(Facts& facts) {
  const System& system = facts.incident->system;
  facts.swap_total =
      first_of({value_of(system.swap_bytes, "total"), value_of(system.meminfo_bytes, "SwapTotal")});
  facts.swap_free =
      first_of({value_of(system.swap_bytes, "free"), value_of(system.meminfo_bytes, "SwapFree")});
  facts.host = of_host(system);
  if (facts.incident->scope.memcg)
    facts.cgroup =
        of_cgroup(facts.incident->scope.memcg->stat, facts.incident->scope.memcg->self.usage_bytes);
}

}  // namespace oomwitness
