// SPDX-License-Identifier: BSD-2-Clause
#include "kernlog/gfp_era.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <utility>

#include "kernlog/gfp_layouts.h"

namespace oomwitness {

namespace {

using gfp::Composite;
using gfp::Era;
using gfp::kComposites;
using gfp::kEras;
using gfp::Layout;
using gfp::mask_of;

std::string hex(std::uint32_t mask) {
  std::array<char, 8> digits{};
  char* const begin = digits.data();
  const char* const end = std::to_chars(begin, begin + digits.size(), mask, 16).ptr;
  return "0x" + std::string(static_cast<const char*>(begin), end);
}

// An era's table with its names looked up, so that no report waits for that.
struct Table {
  const Era* era = nullptr;
  std::uint32_t used = 0;
  std::uint32_t waits = 0;  // the flag of those who may wait for memory
  std::array<std::uint32_t, kComposites.size()> composites{};  // 0: not in this era
};

constexpr Table table_of(const Era& era) {
  Table table{.era = &era};
  const Layout& layout = *era.layout;
  for (std::size_t bit = 0; bit < layout.size(); ++bit) {
    if (!layout.at(bit).empty()) table.used |= 1U << bit;
  }
  table.waits = mask_of(layout, "WAIT") | mask_of(layout, "DIRECT_RECLAIM");
  for (std::size_t i = 0; i < kComposites.size(); ++i) {
    const Composite& composite = kComposites.at(i);
    const bool in_era = composite.first <= era.first && era.first < composite.end;
    if (in_era) table.composites.at(i) = mask_of(layout, composite.flags);
  }
  return table;
}

// One constant each: a compiler gives up on all of them together.
template <std::size_t I>
constexpr Table kTable = table_of(kEras.at(I));

template <std::size_t... I>
constexpr std::array<Table, sizeof...(I)> all_tables(std::index_sequence<I...> /*eras*/) {
  return {kTable<I>...};
}
constexpr auto kTables = all_tables(std::make_index_sequence<kEras.size()>{});

// Whether a mask that invoked the OOM killer can be of this era. 0: pagefault_out_of_memory.
bool can_be(const Table& table, std::uint32_t mask) {
  return (mask & ~table.used) == 0 && (mask == 0 || (mask & table.waits) != 0);
}

std::vector<std::string> decode(const Table& table, std::uint32_t mask) {
  const Layout& layout = *table.era->layout;
  std::vector<std::string> flags;
  for (std::size_t i = 0; i < kComposites.size(); ++i) {
    const std::uint32_t bits = table.composites.at(i);
    if (bits == 0 || (mask & bits) != bits) continue;
    flags.emplace_back(kComposites.at(i).name);
    mask &= ~bits;
  }
  for (std::size_t bit = 0; bit < layout.size(); ++bit) {
    if ((mask & (1U << bit)) == 0 || layout.at(bit).empty()) continue;
    flags.push_back("__GFP_" + std::string(layout.at(bit)));
    mask &= ~(1U << bit);
  }
  if (mask != 0) flags.push_back(hex(mask));
  return flags;
}

using Tables = std::vector<const Table*>;

// The first release that is no longer of this era.
KernelVersion end_of(const Era& era) {
  const auto* next = std::find_if(kEras.begin(), kEras.end(),
                                  [&era](const Era& other) { return era.first < other.first; });
  return next == kEras.end() ? KernelVersion{99, 99, 99} : next->first;
}

Tables tables_in(const VersionRange& range) {
  Tables found;
  for (const Table& table : kTables) {
    if (table.era->first <= range.last && range.first < end_of(*table.era)) found.push_back(&table);
  }
  return found;
}

Tables that_can_be(std::uint32_t mask, const Tables& tables) {
  Tables kept;
  std::copy_if(tables.begin(), tables.end(), std::back_inserter(kept),
               [mask](const Table* table) { return can_be(*table, mask); });
  return kept;
}

// "__GFP_MOVABLE from 2.6.24 up to before 2.6.31"
std::string words(const Era& era, std::size_t bit) {
  const std::string_view name = era.layout->at(bit);
  const KernelVersion end = end_of(era);
  std::string text = name.empty() ? "unused" : "__GFP_" + std::string(name);
  text += " from " + to_string(era.first);
  if (end.major < 99) text += " up to before " + to_string(end);
  return text;
}

// The first bit of the mask that these two do not agree on.
Opt<std::size_t> disputed_bit(std::uint32_t mask, const Era& one, const Era& other) {
  for (std::size_t bit = 0; bit < one.layout->size(); ++bit) {
    const bool set = (mask & (1U << bit)) != 0;
    if (set && one.layout->at(bit) != other.layout->at(bit)) return bit;
  }
  return std::nullopt;
}

}  // namespace

GfpNames gfp_names(std::uint32_t oom_mask, const VersionRange& range) {
  const Tables in_range = tables_in(range);
  Tables tables = that_can_be(oom_mask, in_range);
  // A build of the merge window has the number of the release before it.
  if (tables.empty())
    tables = that_can_be(oom_mask, tables_in({range.first, next_release(range.last)}));
  if (tables.empty()) tables = in_range;

  GfpNames names;
  if (tables.empty()) return names;
  const Era& first = *tables.front()->era;
  for (const Table* table : tables) {
    const Era& era = *table->era;
    const auto bit = disputed_bit(oom_mask, first, era);
    if (!bit) continue;
    names.ambiguous = true;
    names.why = "the bits differ between kernels: " + hex(1U << *bit) + " is " +
                words(first, *bit) + ", " + words(era, *bit);
    if (era.first == first.first) {
      names.why = "the bits differ with the kernel's configuration: " + hex(1U << *bit) +
                  " is __GFP_" + std::string(first.layout->at(*bit)) + " or __GFP_" +
                  std::string(era.layout->at(*bit));
    }
    return names;
  }
  // They agree on every bit; the newest has the most names for several.
  names.flags = decode(*tables.back(), oom_mask);
  return names;
}

}  // namespace oomwitness
