// SPDX-License-Identifier: BSD-2-Clause
#include "kernlog/mem_info.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "kernlog/scan.h"

namespace oomwitness {

namespace {

using namespace std::string_view_literals;

constexpr std::size_t kMaxZones = 1024;
constexpr std::size_t kMaxSlabs = 16;
constexpr std::size_t kMaxOrders = 32;

struct Name {
  std::string_view kernel;
  std::string_view meminfo;
};

constexpr std::array kCounters = {Name{"active_anon", "Active(anon)"},
                                  Name{"inactive_anon", "Inactive(anon)"},
                                  Name{"active_file", "Active(file)"},
                                  Name{"inactive_file", "Inactive(file)"},
                                  Name{"unevictable", "Unevictable"},
                                  Name{"dirty", "Dirty"},
                                  Name{"writeback", "Writeback"},
                                  Name{"unstable", "NFS_Unstable"},
                                  Name{"slab_reclaimable", "SReclaimable"},
                                  Name{"slab_unreclaimable", "SUnreclaim"},
                                  Name{"slab", "Slab"},
                                  Name{"mapped", "Mapped"},
                                  Name{"shmem", "Shmem"},
                                  Name{"pagetables", "PageTables"},
                                  Name{"bounce", "Bounce"},
                                  Name{"free", "MemFree"},
                                  Name{"free_cma", "CmaFree"},
                                  Name{"Active", "Active"},
                                  Name{"inactive", "Inactive"},
                                  Name{"sec_pagetables", "SecPageTables"},
                                  Name{"Active_anon", "Active(anon)"},  // 2.6.28 to 2.6.30
                                  Name{"isolated_anon", ""},
                                  Name{"isolated_file", ""},
                                  Name{"free_pcp", ""},
                                  Name{"kernel_misc_reclaimable", ""},
                                  Name{"all_unreclaimable?", ""}};

// Per node since 4.8, or per zone before, and not among the counters above.
constexpr std::array kOfNode = {
    Name{"kernel_stack", "KernelStack"},   Name{"anon_thp", "AnonHugePages"},
    Name{"shmem_thp", "ShmemHugePages"},   Name{"shmem_pmdmapped", "ShmemPmdMapped"},
    Name{"writeback_tmp", "WritebackTmp"}, Name{"file_thp", "FileHugePages"}};

template <std::size_t N>
const Name* find_name(const std::array<Name, N>& names, std::string_view kernel) {
  const auto* const at = std::find_if(names.begin(), names.end(),
                                      [&](const Name& one) { return one.kernel == kernel; });
  return at == names.end() ? nullptr : &*at;
}

// "key:12kB" or "key: 12kB" off the front, whatever its value; empty: no more.
std::pair<std::string_view, std::string_view> next_pair(Scan& scan) {
  scan.skip_blanks();
  std::string_view word = scan.word();
  const std::size_t colon = word.rfind(':');
  if (colon == std::string_view::npos) return {word, {}};
  std::string_view value = word.substr(colon + 1);
  if (value.empty()) {
    scan.skip_blanks();
    value = scan.word();
  }
  return {word.substr(0, colon), value};
}

// "12kB", "12KB"
Opt<std::uint64_t> kb(std::string_view text) {
  Scan scan(text);
  const auto value = scan.number<std::uint64_t>();
  if (!value || (scan.rest() != "kB" && scan.rest() != "KB")) return std::nullopt;
  if (*value > std::numeric_limits<std::uint64_t>::max() / 1024) return std::nullopt;
  return *value * 1024;
}

void sum(std::map<std::string, std::uint64_t>& into, std::string_view name, std::uint64_t value) {
  into[std::string(name)] += value;
}

// "Node 0 " off the front
std::uint32_t skip_node(Scan& scan) {
  const Scan before = scan;
  if (!scan.skip("Node ")) return 0;
  const auto node = scan.number<std::uint32_t>();
  if (node && scan.skip(" ")) return *node;
  scan = before;
  return 0;
}

bool is_zone_name(std::string_view name) {
  constexpr std::array kNames = {"DMA"sv,     "DMA32"sv,   "Normal"sv,
                                 "HighMem"sv, "Movable"sv, "Device"sv};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

// "Node 0 DMA per-cpu:", "CPU    0: hi:  186, btch:  31 usd:   0", "cpu 0 hot: low 2, high 6, batch
// 1"
bool is_per_cpu(std::string_view text) {
  if (text.ends_with(" per-cpu:")) return true;
  if (text.starts_with("CPU  ")) return text.find("hi:") != std::string_view::npos;
  return text.starts_with("cpu ") && text.find(": low ") != std::string_view::npos;
}

}  // namespace

Zone* MemInfo::zone(std::uint32_t node, std::string_view name) {
  const auto at = std::find_if(zones_.begin(), zones_.end(), [&](const Zone& one) {
    return one.node == node && one.zone == name;
  });
  if (at != zones_.end()) return &*at;
  if (zones_.size() == kMaxZones) return nullptr;
  Zone& added = zones_.emplace_back();
  added.node = node;
  added.zone = name;
  return &added;
}

// "Node 0 DMA free:900kB boost:0kB min:136kB ... present:15992kB managed:15360kB mlocked:0kB ..."
bool MemInfo::add_zone(std::string_view text) {
  constexpr std::array kFields = {
      std::pair{"free"sv, &Zone::free_bytes},
      std::pair{"boost"sv, &Zone::boost_bytes},
      std::pair{"min"sv, &Zone::min_bytes},
      std::pair{"low"sv, &Zone::low_bytes},
      std::pair{"high"sv, &Zone::high_bytes},
      std::pair{"present"sv, &Zone::present_bytes},
      std::pair{"managed"sv, &Zone::managed_bytes},
      std::pair{"mlocked"sv, &Zone::mlocked_bytes},
      std::pair{"reserved_highatomic"sv, &Zone::reserved_highatomic_bytes}};
  Scan scan(text);
  const std::uint32_t node = skip_node(scan);
  const std::string_view name = scan.word();
  if (!is_zone_name(name) || !scan.rest().starts_with(" free:")) return false;
  Zone* const into = zone(node, name);
  if (into == nullptr) return true;
  last_zone_ = static_cast<std::size_t>(into - zones_.data()) + 1;
  while (!scan.done()) {
    const auto [key, value] = next_pair(scan);
    const auto size = kb(value);
    if (!size) continue;
    for (const auto& [field, member] : kFields) {
      if (field == key) into->*member = *size;
    }
    if (const Name* of_node = find_name(kOfNode, key)) sum(node_bytes_, of_node->meminfo, *size);
    if (key == "mlocked") sum(node_bytes_, "Mlocked", *size);
  }
  return true;
}

// "lowmem_reserve[]: 0 193 193", "protections[]: 8 476 732" to 2.6.9: of the zone before
bool MemInfo::add_reserve(std::string_view text) {
  Scan scan(text);
  if (!scan.skip("lowmem_reserve[]:") && !scan.skip("protections[]:")) return false;
  if (last_zone_ == 0) return true;
  std::vector<std::uint64_t> pages;
  for (scan.skip_blanks(); !scan.done(); scan.skip_blanks()) {
    const auto value = whole_number<std::uint64_t>(scan.word());
    if (!value || pages.size() == kMaxOrders) return true;
    pages.push_back(*value);
  }
  zones_[last_zone_ - 1].lowmem_reserve_pages = std::move(pages);
  return true;
}

// "Node 0 DMA: 1*4kB (M) 2*8kB (UM) ... = 900kB"
bool MemInfo::add_free_list(std::string_view text) {
  Scan scan(text);
  const std::uint32_t node = skip_node(scan);
  std::string_view name = scan.word();
  if (!name.ends_with(':')) return false;
  name.remove_suffix(1);
  if (!is_zone_name(name)) return false;
  std::vector<std::uint64_t> blocks;
  std::uint64_t first_size = 0;
  bool whole = false;
  for (scan.skip_blanks(); !scan.done(); scan.skip_blanks()) {
    const std::string_view word = scan.word();
    if (word == "=") whole = true;
    if (!is_digit(word.front()) || whole) continue;
    Scan block(word);
    const auto count = block.number<std::uint64_t>();
    if (!count || !block.skip("*")) return true;
    const auto size = kb(block.rest());
    // Each size is twice the one before.
    if (!size || blocks.size() == kMaxOrders) return true;
    if (blocks.empty()) first_size = *size;
    if (*size != first_size << blocks.size()) return true;
    blocks.push_back(*count);
  }
  if (blocks.empty()) return true;
  if (!page_size_) page_size_ = first_size;
  if (!whole) return true;
  if (Zone* const into = zone(node, name)) into->free_blocks = std::move(blocks);
  return true;
}

// "Node 0 active_anon:2184kB ... kernel_stack:1016kB ..."
bool MemInfo::add_node(std::string_view text) {
  Scan scan(text);
  if (!scan.skip("Node ") || !scan.number<std::uint32_t>() || !scan.skip(" ")) return false;
  if (!scan.rest().starts_with("active_anon:")) return false;
  while (!scan.done()) {
    const auto [key, value] = next_pair(scan);
    const auto size = kb(value);
    const Name* const name = find_name(kOfNode, key);
    if (size && name != nullptr) sum(node_bytes_, name->meminfo, *size);
  }
  return true;
}

// "Node 0 hugepages_total=4 hugepages_free=1 hugepages_surp=0 hugepages_size=2048kB"
bool MemInfo::add_huge(std::string_view text) {
  Scan scan(text);
  if (scan.skip("Node ")) {
    if (!scan.number<std::uint32_t>()) return false;
    scan.skip(" ");
  }
  if (!scan.skip("hugepages_total=")) return false;
  const auto total = scan.number<std::uint64_t>();
  if (!total || !scan.skip(" hugepages_free=")) return true;
  const auto free = scan.number<std::uint64_t>();
  const std::size_t size_at = scan.rest().find(" hugepages_size=");
  if (!free || size_at == std::string_view::npos) return true;
  const auto size = kb(scan.rest().substr(size_at + " hugepages_size="sv.size()));
  constexpr std::uint64_t kMostPages = 1ULL << 32U;
  if (!size || *total > kMostPages || *free > *total) return true;
  if (*size > std::numeric_limits<std::uint64_t>::max() >> 34U) return true;
  sum(bytes_, "Hugetlb", *total * *size);
  sum(bytes_, "HugePages_Free", *free * *size);
  return true;
}

// "active_anon:546 inactive_anon:49377 isolated_anon:0", in pages
bool MemInfo::add_counters(std::string_view text) {
  Scan scan(text);
  std::string_view first = scan.rest().substr(0, scan.rest().find(':'));
  if (find_name(kCounters, first) == nullptr) return false;
  while (!scan.done()) {
    const auto [key, value] = next_pair(scan);
    const Name* const name = find_name(kCounters, key);
    const auto count = plain_number<std::uint64_t>(value);
    if (name != nullptr && !name->meminfo.empty() && count) {
      pages_.insert_or_assign(std::string(name->meminfo), *count);
    }
  }
  return true;
}

// "65403 pages RAM", "8035 pages reserved", "2026 total pagecache pages"
bool MemInfo::add_pages(std::string_view text) {
  if (text.empty() || !is_digit(text.front())) return false;
  Scan scan(text);
  const auto count = scan.number<std::uint64_t>();
  if (!count) return false;
  const std::string_view what = scan.rest();
  if (what == " pages RAM" || what == " pages of RAM") {
    ram_pages_ = count;
  } else if (what == " pages reserved" || what == " reserved pages") {
    reserved_pages_ = count;
  } else if (what == " pages HighMem" || what == " pages HighMem/MovableOnly" ||
             what == " pages of HIGHMEM") {
    if (*count != 0) pages_.insert_or_assign("HighTotal", *count);
  } else if (what == " pages in swap cache") {
    pages_.insert_or_assign("SwapCached", *count);
  } else if (what == " pages cma reserved") {
    pages_.insert_or_assign("CmaTotal", *count);
  } else if (what == " pages hwpoisoned") {
    pages_.insert_or_assign("HardwareCorrupted", *count);
  } else {
    return what == " total pagecache pages" || what == " pages shared" ||
           what == " pages non-shared" || what == " pages swap cached";
  }
  return true;
}

bool MemInfo::add_swap(std::string_view text) {
  Scan scan(text);
  Opt<std::uint64_t>* into = nullptr;
  if (scan.skip("Free swap  = ")) into = &swap_free_;
  if (into == nullptr && scan.skip("Total swap = ")) into = &swap_total_;
  if (into != nullptr) {
    if (const auto size = kb(scan.rest())) *into = size;
    return true;
  }
  return text.starts_with("Swap cache") || text.starts_with("Free swap:") ||
         text.starts_with("Free pages:");
}

// "Unreclaimable slab info:", "Name    Used    Total", "btrfs_extent_map  26093KB  26093KB"
bool MemInfo::add_slab(std::string_view text) {
  if (text == "Unreclaimable slab info:") return in_slabs_ = true;
  if (!in_slabs_) return false;
  if (text.starts_with("Name ")) return true;
  Scan scan(text);
  const std::string_view name = scan.word();
  scan.skip_blanks();
  const auto used = kb(scan.word());
  scan.skip_blanks();
  const auto total = kb(scan.word());
  if (!used || !total || !scan.done()) {
    in_slabs_ = false;
    return false;
  }
  slabs_.insert_or_assign(std::string(name), *total);
  if (slabs_.size() > kMaxSlabs) {
    slabs_.erase(std::min_element(slabs_.begin(), slabs_.end(), [](const auto& a, const auto& b) {
      return a.second < b.second;
    }));
  }
  return true;
}

bool MemInfo::add(std::string_view text) {
  text = trimmed(text);
  if (text.empty()) return false;
  bool taken = false;
  switch (text.front()) {
    case 'N':
      taken = add_zone(text) || add_free_list(text) || add_node(text) || add_huge(text);
      break;
    case 'D':
    case 'H': taken = add_zone(text) || add_free_list(text); break;
    case 'M': {
      taken = text == "Mem-Info:" || text == "Mem-info:" || add_zone(text) || add_free_list(text);
      break;
    }
    case 'l':
    case 'p': taken = add_reserve(text) || add_counters(text); break;
    case 'F':
    case 'T':
    case 'S': taken = add_swap(text); break;
    case 'h': taken = add_huge(text); break;
    default: taken = add_pages(text) || add_counters(text);
  }
  taken = taken || add_slab(text) || is_per_cpu(text);
  any_ = any_ || taken;
  return taken;
}

Opt<std::uint64_t> MemInfo::total_pages(Opt<std::uint64_t> page_size) const {
  if (!ram_pages_ || !reserved_pages_ || *ram_pages_ < *reserved_pages_) return std::nullopt;
  const std::uint64_t ram = *ram_pages_ - *reserved_pages_;
  if (swap_total_ == 0U) return ram;
  if (!swap_total_ || !page_size || *page_size == 0) return std::nullopt;
  return ram + *swap_total_ / *page_size;
}

System MemInfo::settle(Opt<std::uint64_t> page_size) && {
  System system;
  if (!any_) return system;
  system.meminfo_bytes = std::move(bytes_);
  // Both before 4.8 and after: what the nodes or zones sum up to.
  for (auto& [name, size] : node_bytes_) system.meminfo_bytes.insert_or_assign(name, size);
  if (ram_pages_ && reserved_pages_ && *ram_pages_ >= *reserved_pages_) {
    pages_.insert_or_assign("MemTotal", *ram_pages_ - *reserved_pages_);
  }
  for (const auto& [name, pages] : pages_) {
    if (!page_size || pages > std::numeric_limits<std::uint64_t>::max() / *page_size) continue;
    system.meminfo_bytes.insert_or_assign(name, pages * *page_size);
  }
  if (swap_total_) {
    system.swap_bytes.emplace("total", *swap_total_);
    system.meminfo_bytes.emplace("SwapTotal", *swap_total_);
  }
  if (swap_free_) {
    system.swap_bytes.emplace("free", *swap_free_);
    system.meminfo_bytes.emplace("SwapFree", *swap_free_);
  }
  system.zones = std::move(zones_);
  system.slab_caches_bytes = std::move(slabs_);
  system.source = "log";
  return system;
}

}  // namespace oomwitness
