// SPDX-License-Identifier: BSD-2-Clause
// Memory that is not the tasks' own, by kind: shared memory and tmpfs, the kernel's, what nothing
// accounts for, locked and pinned memory, huge pages, page cache that nobody writes back.
#include <algorithm>

#include <fmt/format.h>

#include "diagnose/advice.h"
#include "diagnose/rules.h"
#include "diagnose/thresholds.h"
#include "diagnose/words.h"
#include "support/text.h"

namespace oomwitness {
namespace {

using namespace thresholds;

std::uint64_t anon_of_tasks(const Facts& facts) {
  if (facts.tasks_bytes) return *facts.tasks_bytes;
  return facts.host.anon.value_or(0);
}

// Of what is shared, what the tasks still map; absent: the table does not tell it apart.
Opt<std::uint64_t> mapped_shmem(const Facts& facts) {
  std::uint64_t most = 0;
  bool told = false;
  for (const Candidate& c : facts.incident->candidates.top) {
    if (!c.memory.shmem_rss_bytes) continue;
    told = true;
    most = std::max(most, *c.memory.shmem_rss_bytes);
  }
  return told ? Opt<std::uint64_t>(most) : std::nullopt;
}

Finding shmem_found(const Facts& facts, std::uint64_t shmem, double part, bool of_cgroup) {
  Finding found;
  const auto mapped = mapped_shmem(facts);
  // A database that maps its own shared buffers is a consumer like any other.
  const bool owned = mapped && share(mapped, shmem).value_or(0) >= 0.5;
  found.weight = owned ? 30 : weight_of(std::min(part, 1.0)) + 4;
  found.confidence = owned ? Confidence::kLow : mapped ? Confidence::kHigh : Confidence::kMedium;
  const std::string size = of_cgroup ? of_limit_text(facts, shmem) : of_ram_text(facts, shmem);
  found.summary = fmt::format("Shared memory or tmpfs files fill {}: no kill gives that back.",
                              of_cgroup ? "the limit" : "the host's memory");
  found.evidence = {fmt::format("Shared memory and tmpfs hold {}.", size)};
  if (mapped)
    found.evidence.push_back(fmt::format(
        "The most of it that one listed task maps is {}{}.", human_size(*mapped),
        owned ? "" : ": the rest belongs to files in a tmpfs or to segments that nobody maps"));
  found.advice = {
      "Look for large files in tmpfs mounts (`df -t tmpfs`, /dev/shm, /run, /tmp, "
      "memory-backed emptyDir volumes) and for orphaned segments (`ipcs -m`); remove "
      "them, and mount tmpfs with size=.",
      of_cgroup ? look_at_cgroup_stat(facts) : ""};
  return found;
}

std::string kernel_parts(const Uses& uses) {
  std::string out;
  const auto add = [&](const char* what, const Opt<std::uint64_t>& size) {
    if (!size) return;
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", what, human_size(*size));
  };
  add("slab", uses.slab);
  add("page tables", uses.page_tables);
  add("kernel stacks", uses.kernel_stacks);
  return out;
}

std::string largest_cache(const Incident& incident, std::uint64_t at_least) {
  const auto& caches = incident.system.slab_caches_bytes;
  const auto most =
      std::max_element(caches.begin(), caches.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  if (most == caches.end() || most->second < at_least) return "";
  return fmt::format("The largest slab cache is {} with {}.", safe_name(most->first),
                     human_size(most->second));
}

const char* const kKernelAdvice =
    "See what the kernel holds: `slabtop -sc`, /proc/meminfo (PageTables, KernelStack, "
    "VmallocUsed), and whether a driver, a leak or very many mappings cause it.";

Opt<Finding> kernel_of_cgroup(const Facts& facts) {
  const auto part = share(facts.cgroup.kernel, facts.limit_bytes);
  if (!is_limit_hit(facts) || part.value_or(0) <= kKernelOfLimit) return std::nullopt;
  Finding found;
  found.weight = 66;
  found.confidence = Confidence::kHigh;
  found.summary = fmt::format("The kernel's own memory fills the limit of {}.", limit_name(facts));
  found.evidence = {fmt::format("Kernel memory charged to the cgroup: {} ({}).",
                                of_limit_text(facts, *facts.cgroup.kernel),
                                kernel_parts(facts.cgroup))};
  found.advice = {look_at_cgroup_stat(facts),
                  "Many open files, sockets, mappings or directories make kernel memory: look for "
                  "what the tasks do in large numbers."};
  return found;
}

}  // namespace

Opt<Finding> shmem_tmpfs(const Facts& facts) {
  if (is_limit_hit(facts)) {
    const auto part = share(facts.cgroup.shmem, facts.limit_bytes);
    if (part.value_or(0) < kShmemOfLimit) return std::nullopt;
    return shmem_found(facts, *facts.cgroup.shmem, *part, true);
  }
  if (!is_host_shortage(facts) || !facts.host.shmem) return std::nullopt;
  const auto part = share(facts.host.shmem, facts.host.total);
  if (part.value_or(0) <= kKindOfRam) return std::nullopt;
  return shmem_found(facts, *facts.host.shmem, *part, false);
}

Opt<Finding> kernel_memory(const Facts& facts) {
  if (auto of_cgroup = kernel_of_cgroup(facts)) return of_cgroup;
  if (!is_host_shortage(facts)) return std::nullopt;
  const auto part = share(facts.host.kernel, facts.host.total);
  const std::string cache = largest_cache(*facts.incident, kLargeCache);
  const bool large = part.value_or(0) > kKindOfRam && *facts.host.kernel > anon_of_tasks(facts);
  const bool certain = part.value_or(0) > kKernelCertain;
  const bool cache_alone = !part && !cache.empty();
  if (!large && !certain && !cache_alone) return std::nullopt;
  Finding found;
  found.weight = certain ? 89 : part ? weight_of(*part) + 10 : 55;
  found.confidence = certain ? Confidence::kHigh : Confidence::kMedium;
  found.summary = "The kernel's own memory used up the host: killing processes hardly helps.";
  if (part)
    found.evidence.push_back(fmt::format("The kernel held {} ({}).",
                                         of_ram_text(facts, *facts.host.kernel),
                                         kernel_parts(facts.host)));
  if (facts.tasks_bytes)
    found.evidence.push_back(
        fmt::format("All tasks together held {}.", held_text(facts, facts.tasks_bytes)));
  if (const std::string most = largest_cache(*facts.incident, 0); !most.empty())
    found.evidence.push_back(most);
  found.advice = {kKernelAdvice};
  return found;
}

Opt<Finding> unaccounted(const Facts& facts) {
  if (!is_host_shortage(facts)) return std::nullopt;
  const auto part = share(facts.host.unaccounted, facts.host.total);
  if (part.value_or(0) <= kUnaccountedOfRam) return std::nullopt;
  const bool slab_known = facts.host.slab.has_value();
  Finding found;
  found.weight = weight_of(std::min(*part * 1.2, 1.0));
  found.confidence = slab_known && *part > kKindOfRam ? Confidence::kHigh : Confidence::kMedium;
  found.summary =
      slab_known ? fmt::format("{} of memory is in none of the kernel's accounts.",
                               human_size(*facts.host.unaccounted))
                 : fmt::format(
                       "{} of memory is the kernel's or in none of its accounts; the report lacks "
                       "the slab lines that would tell which.",
                       human_size(*facts.host.unaccounted));
  found.evidence = {fmt::format(
      "RAM less everything that the report names (free, anonymous, file cache, unevictable{}, page "
      "tables, kernel stacks, huge pages) leaves {}.",
      slab_known ? ", slab" : "", of_ram_text(facts, *facts.host.unaccounted))};
  found.advice = {
      "Look at what takes pages without accounting them: a balloon driver of the "
      "hypervisor, swap in compressed RAM (zram), GPU and network drivers, the ZFS ARC "
      "(/proc/spl/kstat/zfs/arcstats), "
      "DRBD and the like. On kernels with page_owner=on, /sys/kernel/debug/page_owner "
      "names the callers."};
  return found;
}

Opt<Finding> mlocked(const Facts& facts) {
  if (!is_host_shortage(facts)) return std::nullopt;
  const auto part = share(facts.host.mlocked, facts.host.total);
  if (part.value_or(0) <= kKindOfRam) return std::nullopt;
  Finding found;
  // What is locked is some task's: whoever holds it is the better answer where it is known.
  found.weight = weight_of(std::min(*part, 1.0)) - 2;
  found.confidence = Confidence::kHigh;
  found.summary = fmt::format(
      "{} of memory is locked (mlock): it can neither be swapped nor "
      "reclaimed.",
      human_size(*facts.host.mlocked));
  found.evidence = {fmt::format("mlocked: {}.", of_ram_text(facts, *facts.host.mlocked))};
  found.advice = {
      "Find who locks it (VmLck in /proc/*/status) and bound it: LimitMEMLOCK= of the "
      "unit, ulimit -l; virtual machines and databases often lock all they have."};
  return found;
}

Opt<Finding> ramfs(const Facts& facts) {
  if (!is_host_shortage(facts) || !facts.host.unevictable || !facts.host.mlocked)
    return std::nullopt;
  const std::uint64_t pinned = minus(*facts.host.unevictable, *facts.host.mlocked);
  const auto part = share(pinned, facts.host.total);
  if (part.value_or(0) <= kKindOfRam) return std::nullopt;
  Finding found;
  const bool shmem = facts.host.shmem && static_cast<double>(*facts.host.shmem) >=
                                             kPinnedShmem * static_cast<double>(pinned);
  found.weight = shmem ? 40 : weight_of(std::min(*part, 1.0)) + 5;
  found.confidence = shmem ? Confidence::kLow : Confidence::kMedium;
  found.summary =
      fmt::format("{} of memory is unevictable without being locked: {}.", human_size(pinned),
                  shmem ? "pinned shared memory, or ramfs" : "a ramfs, most likely");
  found.evidence = {fmt::format("Unevictable: {}; of it {} is mlocked, the rest is not.",
                                of_ram_text(facts, *facts.host.unevictable),
                                human_size(*facts.host.mlocked))};
  found.advice = {
      "Look for ramfs mounts (`findmnt -t ramfs`): they have no size limit and are never "
      "reclaimed. Use tmpfs with size= in their place."};
  return found;
}

Opt<Finding> hugetlb(const Facts& facts) {
  if (!is_host_shortage(facts)) return std::nullopt;
  const auto part = share(facts.host.hugetlb, facts.host.total);
  if (part.value_or(0) <= kKindOfRam) return std::nullopt;
  Finding found;
  const double unused = share(facts.host.hugetlb_free, facts.host.hugetlb).value_or(0);
  found.weight = weight_of(std::min(*part, 1.0)) + (unused >= 0.5 ? 8 : 0);
  found.confidence = Confidence::kHigh;
  found.summary =
      fmt::format("The pool of huge pages keeps {} of RAM from everything else.", percent(*part));
  found.evidence = {
      fmt::format("The hugetlb pool has {}{}.", of_ram_text(facts, *facts.host.hugetlb),
                  facts.host.hugetlb_free
                      ? fmt::format(", {} of it unused", human_size(*facts.host.hugetlb_free))
                      : "")};
  found.advice = {
      "Lower vm.nr_hugepages (or hugepages= on the kernel command line) to what is "
      "used; ordinary allocations cannot take these pages."};
  return found;
}

Opt<Finding> dirty_page_cache(const Facts& facts) {
  const bool limit = is_limit_hit(facts);
  if (!limit && !is_host_shortage(facts)) return std::nullopt;
  const Uses& uses = limit ? facts.cgroup : facts.host;
  const Opt<std::uint64_t>& whole = limit ? facts.limit_bytes : facts.host.total;
  const auto dirty = share(uses.dirty, whole);
  const auto writeback = share(uses.writeback, whole);
  if (dirty.value_or(0) <= (limit ? kDirtyOfLimit : kDirtyOfRam) || !writeback ||
      *writeback > kNoWriteback)
    return std::nullopt;
  Finding found;
  found.weight = 76;
  found.confidence = Confidence::kHigh;
  found.summary = fmt::format("{} is full of dirty page cache that nothing writes back.",
                              limit ? "The limit" : "Memory");
  found.evidence = {
      fmt::format("{} of page cache is dirty; only {} is being written back.",
                  limit ? of_limit_text(facts, *uses.dirty) : of_ram_text(facts, *uses.dirty),
                  human_size(*uses.writeback))};
  found.advice = {limit ? "Write less at a time (O_DIRECT, sync_file_range, smaller "
                          "batches), set memory.high below the limit so that writers are slowed, "
                          "and prefer cgroup v2: v1 does not throttle writers by cgroup."
                        : "See why writeback stands still (a hung disk or network file system), "
                          "and lower vm.dirty_bytes."};
  if (limit) found.advice.push_back(raise_limit(facts));
  return found;
}

}  // namespace oomwitness
