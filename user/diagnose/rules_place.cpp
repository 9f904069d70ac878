// SPDX-License-Identifier: BSD-2-Clause
// Memory was there, but not where or not in the form it was asked for: zones, nodes, blocks.
#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include <fmt/format.h>

#include "diagnose/advice.h"
#include "diagnose/rules.h"
#include "diagnose/thresholds.h"
#include "diagnose/words.h"
#include "support/text.h"

namespace oomwitness {
namespace {

using namespace thresholds;

// Zones in the kernel's order; a request takes its highest and every one below.
constexpr std::array<std::string_view, 6> kZones = {"DMA",     "DMA32",   "Normal",
                                                    "HighMem", "Movable", "Device"};
constexpr std::size_t kDma = 0;
constexpr std::size_t kDma32 = 1;
constexpr std::size_t kNormal = 2;
constexpr std::size_t kHighMem = 3;
constexpr std::size_t kMovable = 4;

std::size_t rank_of(std::string_view zone) {
  return static_cast<std::size_t>(std::find(kZones.begin(), kZones.end(), zone) - kZones.begin());
}

bool names_flag(const Gfp& gfp, std::string_view part) {
  return std::any_of(gfp.flags.begin(), gfp.flags.end(),
                     [&](const std::string& flag) { return flag.find(part) != std::string::npos; });
}

// The highest zone a request may use (gfp_zone, include/linux/gfp.h); absent: flags not known.
Opt<std::size_t> highest_zone(const Invoker& invoker) {
  if (!invoker.gfp || invoker.gfp->flags.empty()) return std::nullopt;
  const Gfp& gfp = *invoker.gfp;
  if (names_flag(gfp, "DMA32")) return kDma32;
  if (names_flag(gfp, "GFP_DMA")) return kDma;
  const bool high = names_flag(gfp, "HIGH");  // GFP_HIGHUSER, __GFP_HIGHMEM
  const bool not_zone = names_flag(gfp, "__GFP_HIGH") && !names_flag(gfp, "__GFP_HIGHMEM") &&
                        !names_flag(gfp, "HIGHUSER");
  const bool movable = names_flag(gfp, "MOVABLE");
  if (high && !not_zone) return movable ? kMovable : kHighMem;
  return kNormal;
}

std::uint64_t page_size(const Facts& facts) {
  const std::uint64_t size = facts.incident->host.page_size_bytes;
  return size != 0 ? size : 4 * kKib;
}

// The watermark without what boosting added (rule of thumb 16), plus what is kept from requests
// that could also use higher zones.
Opt<std::uint64_t> floor_of(const Facts& facts, const Zone& zone, std::size_t highest) {
  if (!zone.min_bytes) return std::nullopt;
  const std::uint64_t min = minus(*zone.min_bytes, zone.boost_bytes.value_or(0));
  if (rank_of(zone.zone) == highest || zone.lowmem_reserve_pages.empty()) return min;
  const auto most =
      *std::max_element(zone.lowmem_reserve_pages.begin(), zone.lowmem_reserve_pages.end());
  return plus(min, times(most, page_size(facts)));
}

// The highest rank that this machine's zones have: a request for HighMem on a 64-bit machine is one
// for Normal.
std::size_t populated(const System& system, std::size_t highest) {
  std::size_t best = 0;
  for (const Zone& zone : system.zones) {
    const std::size_t rank = rank_of(zone.zone);
    if (rank <= highest) best = std::max(best, rank);
  }
  return best;
}

std::uint64_t usable(const Zone& zone) {
  return minus(zone.free_bytes.value_or(0), zone.reserved_highatomic_bytes.value_or(0));
}

bool has_block(const Zone& zone, std::int32_t order) {
  for (auto i = static_cast<std::size_t>(order); i < zone.free_blocks.size(); ++i)
    if (zone.free_blocks[i] != 0) return true;
  return false;
}

std::string zone_name(const Zone& zone) {
  return fmt::format("node {} {}", zone.node, safe_name(zone.zone));
}

// "0-2,5" holds 1; absent: not a list.
Opt<bool> holds(std::string_view list, std::uint32_t node) {
  if (list.empty()) return std::nullopt;
  bool found = false;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view part = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    const char* const end = part.data() + part.size();
    std::uint32_t first = 0;
    auto read = std::from_chars(part.data(), end, first);
    std::uint32_t last = first;
    if (read.ec == std::errc{} && read.ptr != end && *read.ptr == '-')
      read = std::from_chars(read.ptr + 1, end, last);
    if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
    found = found || (node >= first && node <= last);
  }
  return found;
}

struct NodeSums {
  std::uint64_t allowed = 0;
  std::uint64_t elsewhere = 0;
  bool others = false;
};

// Free memory on the allowed nodes and elsewhere, where the record has zones.
Opt<NodeSums> free_by_node(const Facts& facts) {
  const Scope& scope = facts.incident->scope;
  const auto& list = scope.nodemask ? scope.nodemask : scope.mems_allowed;
  if (!list) return std::nullopt;
  NodeSums sums;
  for (const Zone& zone : facts.incident->system.zones) {
    const auto inside = holds(*list, zone.node);
    if (!inside || !zone.free_bytes) return std::nullopt;
    std::uint64_t& sum = *inside ? sums.allowed : sums.elsewhere;
    sum = plus(sum, *zone.free_bytes);
    sums.others = sums.others || !*inside;
  }
  return facts.incident->system.zones.empty() ? std::nullopt : Opt<NodeSums>(sums);
}

// The eligible zone with most above its watermark and no block of the order; nullptr: none, or a
// zone could have served the request, or does not show its blocks.
const Zone* above_watermark_in_pieces(const Facts& facts, std::size_t highest, std::int32_t order) {
  const Zone* enough = nullptr;
  for (const Zone& zone : facts.incident->system.zones) {
    if (rank_of(zone.zone) > highest || !zone.free_bytes) continue;
    const auto floor = floor_of(facts, zone, highest);
    if (!floor || usable(zone) <= *floor) continue;
    if (zone.free_blocks.empty() || has_block(zone, order)) return nullptr;
    if (enough == nullptr || usable(zone) > usable(*enough)) enough = &zone;
  }
  return enough;
}

struct Reach {
  const Zone* lowest = nullptr;  // of the zones in reach the highest one
  std::uint64_t eligible = 0;    // free there
  std::uint64_t out = 0;         // free where it may not be taken
};

// Absent: a zone in reach is not at its minimum, or a figure is missing.
Opt<Reach> reach_of(const Facts& facts, std::size_t highest) {
  Reach reach;
  for (const Zone& zone : facts.incident->system.zones) {
    if (!zone.free_bytes) return std::nullopt;
    if (rank_of(zone.zone) > highest) {
      reach.out = plus(reach.out, *zone.free_bytes);
      continue;
    }
    const auto floor = floor_of(facts, zone, highest);
    if (!floor || static_cast<double>(usable(zone)) > kAtMin * static_cast<double>(*floor))
      return std::nullopt;
    reach.eligible = plus(reach.eligible, *zone.free_bytes);
    if (reach.lowest == nullptr || rank_of(zone.zone) > rank_of(reach.lowest->zone))
      reach.lowest = &zone;
  }
  return reach;
}

// Before 5.0 the constraint is not printed, but the nodes are.
bool nodes_were_short(const Facts& facts, const Opt<NodeSums>& sums) {
  return !facts.incident->scope.constraint && is_host_shortage(facts) && sums && sums->others &&
         static_cast<double>(sums->elsewhere) > kElsewhere * static_cast<double>(sums->allowed);
}

std::string constraint_sentence(const Scope& scope) {
  if (scope.constraint == "mempolicy")
    return "The kernel names the constraint itself: memory policy. Every task that may use those "
           "nodes is weighed then: the victim's size says little.";
  return "The kernel names the constraint itself: cpuset" +
         (scope.cpuset ? " " + safe_name(*scope.cpuset) : std::string()) + ".";
}

}  // namespace

Opt<Finding> fragmentation(const Facts& facts) {
  const Invoker& invoker = facts.incident->invoker;
  if (!is_host_shortage(facts) || invoker.order.value_or(0) < 1) return std::nullopt;
  const auto asked = highest_zone(invoker);
  if (!asked) return std::nullopt;
  const std::size_t highest = populated(facts.incident->system, *asked);
  const Zone* const enough = above_watermark_in_pieces(facts, highest, *invoker.order);
  if (enough == nullptr) return std::nullopt;
  const std::uint64_t block = times(page_size(facts), 1ULL << std::min(*invoker.order, 30));
  Finding found;
  found.weight = 90;
  found.confidence = Confidence::kHigh;
  found.summary = fmt::format(
      "Memory is fragmented: {} in a row were asked for, and no block of "
      "that size was free.",
      human_size(block));
  found.evidence = {
      fmt::format("The request was of order {} ({} in a row).", *invoker.order, human_size(block)),
      fmt::format("{} had {} free, above its watermark of {}, but no free block of "
                  "that order or larger.",
                  zone_name(*enough), human_size(usable(*enough)),
                  human_size(floor_of(facts, *enough, highest).value_or(0)))};
  found.advice = {
      "Look at who asks for it (the kernel stack): a driver or file system that can do "
      "with single pages, jumbo frames, a large ring size.",
      "Raise vm.min_free_kbytes, and vm.compaction_proactiveness (5.9 and later), so "
      "that larger blocks stay free."};
  return found;
}

Opt<Finding> zone_exhausted(const Facts& facts) {
  const Incident& incident = *facts.incident;
  if (!is_host_shortage(facts)) return std::nullopt;
  const auto asked = highest_zone(incident.invoker);
  if (!asked) return std::nullopt;
  const std::size_t highest = populated(incident.system, *asked);
  const auto reach = reach_of(facts, highest);
  if (!reach || reach->lowest == nullptr || reach->out == 0 ||
      static_cast<double>(reach->out) <= kElsewhere * static_cast<double>(reach->eligible))
    return std::nullopt;
  const Zone* const lowest = reach->lowest;
  const std::uint64_t out_of_reach = reach->out;
  Finding found;
  found.weight = 91;
  found.confidence = Confidence::kHigh;
  found.summary = fmt::format(
      "The memory that this request may use (zones up to {}) was used up, "
      "while other zones had plenty.",
      safe_name(lowest->zone));
  found.evidence = {
      fmt::format("{}: {} free, at its minimum of {}.", zone_name(*lowest),
                  human_size(*lowest->free_bytes),
                  human_size(floor_of(facts, *lowest, highest).value_or(0))),
      fmt::format("Zones that it may not use had {} free.", human_size(out_of_reach))};
  const auto high = incident.system.meminfo_bytes.find("HighTotal");
  if (high != incident.system.meminfo_bytes.end() && facts.host.total)
    found.evidence.push_back(fmt::format(
        "Of {} of RAM only {} is low memory, where the kernel keeps "
        "its own.",
        human_size(*facts.host.total), human_size(minus(*facts.host.total, high->second))));
  found.advice = {
      "On 32-bit kernels with much RAM use a 64-bit kernel; there only low memory serves "
      "the kernel.",
      "Look at who asks for low memory (the kernel stack, the gfp flags): a device that "
      "can only reach low addresses, or a leak of slab memory."};
  return found;
}

Opt<Finding> cpuset_or_mempolicy(const Facts& facts) {
  const Scope& scope = facts.incident->scope;
  const auto sums = free_by_node(facts);
  const bool said = facts.shortage == Shortage::kNodes;
  const bool seen = nodes_were_short(facts, sums);
  if ((!said && !seen) || facts.incident->killer != "kernel") return std::nullopt;
  const bool policy = scope.constraint == "mempolicy";
  const auto& nodes = scope.nodemask ? scope.nodemask : scope.mems_allowed;
  Finding found;
  found.weight = said ? 93 : 70;
  found.confidence = said ? Confidence::kHigh : Confidence::kMedium;
  found.summary = fmt::format(
      "The memory nodes that {} allows{} were used up; the host as a whole "
      "need not have been short.",
      policy ? "a memory policy" : "a cpuset", nodes ? " (" + safe_name(*nodes) + ")" : "");
  if (said) found.evidence.push_back(constraint_sentence(scope));
  if (sums && sums->others)
    found.evidence.push_back(fmt::format("The allowed nodes had {} free, the others {}.",
                                         human_size(sums->allowed), human_size(sums->elsewhere)));
  found.advice = {policy ? "Bind with preference, not by force (MPOL_PREFERRED, numactl "
                           "--preferred), or bind to more nodes."
                         : "Give the cpuset more memory nodes (cpuset.mems, AllowedMemoryNodes= of "
                           "the unit), or move work off these nodes."};
  return found;
}

}  // namespace oomwitness
