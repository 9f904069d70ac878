// SPDX-License-Identifier: BSD-2-Clause
// What each bit of a gfp mask has meant, as data. Sources: include/linux/gfp.h, since 6.1
// gfp_types.h, of the releases named; include/trace/events/mmflags.h for the order of the names.
//
// A flag that took a bit which no kernel of the era had used needs no era of its own: no earlier
// mask has that bit.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "kernlog/kernel_version.h"

namespace oomwitness::gfp {

using Layout = std::array<std::string_view, 32>;  // bit -> name without "__GFP_"; empty: unused

struct Place {
  std::size_t bit;
  std::string_view name;
};

constexpr Layout with(const Layout& base, std::initializer_list<Place> changes) {
  Layout layout;
  // Each one: GCC 12 takes what it fills in by itself for a change of a constant.
  for (std::size_t bit = 0; bit < layout.size(); ++bit) layout.at(bit) = base.at(bit);
  for (const Place& change : changes) layout.at(change.bit) = change.name;
  return layout;
}

// "IO|FS" as a mask; 0 when the layout lacks one of them.
constexpr std::uint32_t mask_of(const Layout& layout, std::string_view flags) {
  std::uint32_t mask = 0;
  while (!flags.empty()) {
    const std::string_view name = flags.substr(0, flags.find('|'));
    flags.remove_prefix(name.size() == flags.size() ? name.size() : name.size() + 1);
    std::size_t bit = 0;
    while (bit < layout.size() && layout.at(bit) != name) ++bit;
    if (bit == layout.size()) return 0;
    mask |= 1U << bit;
  }
  return mask;
}

// A name for several bits, in the releases from `first` up to and without `end`, and there only
// where the layout has all of its flags.
struct Composite {
  std::string_view name;
  std::string_view flags;
  KernelVersion first{};
  KernelVersion end{99, 0, 0};
};

// The layout of the releases from `first` to the next era.
struct Era {
  KernelVersion first;
  const Layout* layout = nullptr;
};

// ---------------------------------------------------------------- bits

// NOLINTBEGIN(readability-identifier-naming): version numbers
inline constexpr Layout kLinux2_6_0 = with({}, {{0, "DMA"},
                                                {1, "HIGHMEM"},
                                                {4, "WAIT"},
                                                {5, "HIGH"},
                                                {6, "IO"},
                                                {7, "FS"},
                                                {8, "COLD"},
                                                {9, "NOWARN"},
                                                {10, "REPEAT"},
                                                {11, "NOFAIL"},
                                                {12, "NORETRY"},
                                                {13, "NO_GROW"},
                                                {14, "COMP"},
                                                {15, "ZERO"},         // 2.6.11
                                                {16, "NOMEMALLOC"},   // 2.6.12
                                                {17, "NORECLAIM"}});  // 2.6.13
inline constexpr Layout kLinux2_6_14 = with(kLinux2_6_0, {{18, "HARDWALL"}});
inline constexpr Layout kLinux2_6_15 =
    with(kLinux2_6_0, {{2, "DMA32"}, {17, "HARDWALL"}, {18, "THISNODE"}});  // THISNODE: 2.6.19
inline constexpr Layout kLinux2_6_23 = with(kLinux2_6_15, {{13, ""}, {19, "MOVABLE"}});
inline constexpr Layout kLinux2_6_24 = with(kLinux2_6_23, {{19, "RECLAIMABLE"}, {20, "MOVABLE"}});
inline constexpr Layout kLinux2_6_31 = with(kLinux2_6_24, {{3, "MOVABLE"},
                                                           {13, "MEMALLOC"},
                                                           {20, "KMEMCG"},  // 3.6, 3.8
                                                           {21, "NOTRACK"},
                                                           {22, "NO_KSWAPD"},  // 2.6.31, 2.6.38
                                                           {23, "OTHER_NODE"},
                                                           {24, "WRITE"}});  // 2.6.39, 3.3
inline constexpr Layout kLinux4_1 = with(kLinux2_6_31, {{20, "NOACCOUNT"}});
inline constexpr Layout kLinux4_4 =
    with(kLinux4_1,
         {{4, "RECLAIMABLE"}, {19, "ATOMIC"}, {22, "DIRECT_RECLAIM"}, {25, "KSWAPD_RECLAIM"}});
inline constexpr Layout kLinux4_5 = with(kLinux4_4, {{20, "ACCOUNT"}});
inline constexpr Layout kLinux4_10 =
    with(kLinux4_5, {{23, "WRITE"}, {24, "KSWAPD_RECLAIM"}, {25, "NOLOCKDEP"}});  // 4.12
inline constexpr Layout kLinux4_13 = with(kLinux4_10, {{10, "RETRY_MAYFAIL"}});
inline constexpr Layout kLinux4_18 = with(kLinux4_13, {{8, "WRITE"},
                                                       {21, "DIRECT_RECLAIM"},
                                                       {22, "KSWAPD_RECLAIM"},
                                                       {23, "NOLOCKDEP"},
                                                       {24, ""},
                                                       {25, ""}});
inline constexpr Layout kLinux5_1 = with({}, {{0, "DMA"},
                                              {1, "HIGHMEM"},
                                              {2, "DMA32"},
                                              {3, "MOVABLE"},
                                              {4, "RECLAIMABLE"},
                                              {5, "HIGH"},
                                              {6, "IO"},
                                              {7, "FS"},
                                              {8, "ZERO"},
                                              {9, "ATOMIC"},
                                              {10, "DIRECT_RECLAIM"},
                                              {11, "KSWAPD_RECLAIM"},
                                              {12, "WRITE"},
                                              {13, "NOWARN"},
                                              {14, "RETRY_MAYFAIL"},
                                              {15, "NOFAIL"},
                                              {16, "NORETRY"},
                                              {17, "MEMALLOC"},
                                              {18, "COMP"},
                                              {19, "NOMEMALLOC"},
                                              {20, "HARDWALL"},
                                              {21, "THISNODE"},
                                              {22, "ACCOUNT"},
                                              {23, "NOLOCKDEP"}});
inline constexpr Layout kLinux5_14 =
    with(kLinux5_1, {{23, "ZEROTAGS"}, {24, "SKIP_KASAN_POISON"}, {25, "NOLOCKDEP"}});
inline constexpr Layout kLinux5_18 = with(
    kLinux5_14,
    {{24, "SKIP_ZERO"}, {25, "SKIP_KASAN_UNPOISON"}, {26, "SKIP_KASAN_POISON"}, {27, "NOLOCKDEP"}});
inline constexpr Layout kLinux6_3 = with(kLinux5_18, {{9, ""}});
inline constexpr Layout kLinux6_4 =
    with(kLinux6_3, {{25, "SKIP_KASAN"}, {26, "NOLOCKDEP"}, {27, ""}});
// From 6.10 on the last bits are given out by configuration: CONFIG_KASAN_HW_TAGS, CONFIG_LOCKDEP.
inline constexpr Layout kLinux6_10 = with(kLinux6_4, {{24, "NO_OBJ_EXT"}, {25, ""}, {26, ""}});
inline constexpr Layout kLinux6_10Lockdep =
    with(kLinux6_10, {{24, "NOLOCKDEP"}, {25, "NO_OBJ_EXT"}});
inline constexpr Layout kLinux6_10HwTags =
    with(kLinux6_10, {{24, "SKIP_ZERO"}, {25, "SKIP_KASAN"}, {26, "NO_OBJ_EXT"}});
inline constexpr Layout kLinux6_10HwTagsLockdep =
    with(kLinux6_10HwTags, {{26, "NOLOCKDEP"}, {27, "NO_OBJ_EXT"}});

// NOLINTEND(readability-identifier-naming)

// ---------------------------------------------------------------- eras

// Oldest first. Eras of one release differ by the kernel's configuration.
inline constexpr std::array kEras = {
    Era{{2, 6, 0}, &kLinux2_6_0},
    // "cpusets: new __GFP_HARDWALL flag"
    Era{{2, 6, 14}, &kLinux2_6_14},
    // "mm: gfp_noreclaim cleanup" moves it
    Era{{2, 6, 15}, &kLinux2_6_15},
    // 769848c03895 ("Add __GFP_MOVABLE for callers to flag allocations from high memory...")
    Era{{2, 6, 23}, &kLinux2_6_23},
    // e12ba74d8ff3 ("Group short-lived and reclaimable kernel allocations")
    Era{{2, 6, 24}, &kLinux2_6_24},
    // b70d94ee438b ("page-allocator: use integer fields lookup for gfp_zone...")
    Era{{2, 6, 31}, &kLinux2_6_31},
    // 8f4fc071b192 ("gfp: add __GFP_NOACCOUNT")
    Era{{4, 1, 0}, &kLinux4_1},
    // 016c13daa5c9, d0164adc89f6 ("mm, page_alloc: distinguish between being unable to sleep...")
    Era{{4, 4, 0}, &kLinux4_4},
    // a9bb7e620efd ("memcg: only account kmem allocations marked as __GFP_ACCOUNT")
    Era{{4, 5, 0}, &kLinux4_5},
    Era{{4, 6, 0}, &kLinux4_5},  // GFP_TRANSHUGE does not reclaim
    Era{{4, 8, 0}, &kLinux4_5},  // GFP_TRANSHUGE_LIGHT
    // 41b6167e8f74 ("mm: get rid of __GFP_OTHER_NODE")
    Era{{4, 10, 0}, &kLinux4_10},
    // dcda9b04713c ("mm, tree wide: replace __GFP_REPEAT by __GFP_RETRY_MAYFAIL...")
    Era{{4, 13, 0}, &kLinux4_13},
    Era{{4, 14, 0}, &kLinux4_13},  // 0ee931c4e31a ("mm: treewide: remove GFP_TEMPORARY...")
    // "mm: save two stranding bit in gfp_mask"
    Era{{4, 18, 0}, &kLinux4_18},
    // "mm: shuffle GFP_* flags"
    Era{{5, 1, 0}, &kLinux5_1},
    // 013bb59dbb7c, c275c5c6d50a ("kasan: disable freed user page poisoning with HW tags")
    Era{{5, 14, 0}, &kLinux5_14},
    // "kasan, mm: only define ___GFP_SKIP_KASAN_POISON with HW_TAGS" and its series
    Era{{5, 18, 0}, &kLinux5_18},
    // 2973d8229b78 ("mm: discard __GFP_ATOMIC")
    Era{{6, 3, 0}, &kLinux6_3},
    // 0a54864f8dfb ("kasan: remove PG_skip_kasan_poison flag")
    Era{{6, 4, 0}, &kLinux6_4},
    Era{{6, 7, 0}, &kLinux6_4},  // 16f5dfbc851b ("gfp: include __GFP_NOWARN in GFP_NOWAIT")
    // 772dd0342727 ("mm: enumerate all gfp flags"), "slab: introduce __GFP_NO_OBJ_EXT..."
    Era{{6, 10, 0}, &kLinux6_10},
    Era{{6, 10, 0}, &kLinux6_10Lockdep},
    Era{{6, 10, 0}, &kLinux6_10HwTags},
    Era{{6, 10, 0}, &kLinux6_10HwTagsLockdep},
};

// ---------------------------------------------------------------- names of several bits

// As the kernel tries them: the first that fits takes its bits.
inline constexpr std::array kComposites = {
    Composite{"GFP_TRANSHUGE",
              "WAIT|IO|FS|HARDWALL|HIGHMEM|MOVABLE|COMP|NOMEMALLOC|NORETRY|NOWARN|NO_KSWAPD"},
    Composite{"GFP_TRANSHUGE",
              "IO|FS|HARDWALL|HIGHMEM|MOVABLE|COMP|NOMEMALLOC|NORETRY|NOWARN|DIRECT_RECLAIM",
              {4, 4},
              {4, 6}},
    Composite{"GFP_TRANSHUGE",
              "IO|FS|HARDWALL|HIGHMEM|MOVABLE|COMP|NOMEMALLOC|NORETRY|NOWARN",
              {4, 6},
              {4, 8}},
    Composite{"GFP_TRANSHUGE",
              "IO|FS|HARDWALL|HIGHMEM|MOVABLE|COMP|NOMEMALLOC|NOWARN|SKIP_KASAN_POISON|"
              "DIRECT_RECLAIM",
              {5, 14},
              {5, 18}},
    Composite{"GFP_TRANSHUGE",
              "IO|FS|HARDWALL|HIGHMEM|MOVABLE|COMP|NOMEMALLOC|NOWARN|DIRECT_RECLAIM",
              {4, 8}},
    Composite{
        "GFP_TRANSHUGE_LIGHT", "IO|FS|HARDWALL|HIGHMEM|MOVABLE|COMP|NOMEMALLOC|NOWARN", {4, 8}},
    Composite{"GFP_HIGHUSER_MOVABLE", "WAIT|IO|FS|HARDWALL|HIGHMEM|MOVABLE"},
    Composite{"GFP_HIGHUSER_MOVABLE",
              "DIRECT_RECLAIM|KSWAPD_RECLAIM|IO|FS|HARDWALL|HIGHMEM|MOVABLE|SKIP_KASAN_POISON|"
              "SKIP_KASAN_UNPOISON"},
    Composite{"GFP_HIGHUSER_MOVABLE",
              "DIRECT_RECLAIM|KSWAPD_RECLAIM|IO|FS|HARDWALL|HIGHMEM|MOVABLE|SKIP_KASAN_POISON"},
    Composite{"GFP_HIGHUSER_MOVABLE",
              "DIRECT_RECLAIM|KSWAPD_RECLAIM|IO|FS|HARDWALL|HIGHMEM|MOVABLE|SKIP_KASAN"},
    Composite{"GFP_HIGHUSER_MOVABLE",
              "DIRECT_RECLAIM|KSWAPD_RECLAIM|IO|FS|HARDWALL|HIGHMEM|MOVABLE"},
    Composite{"GFP_HIGHUSER", "WAIT|IO|FS|HARDWALL|HIGHMEM"},
    Composite{"GFP_HIGHUSER", "WAIT|IO|FS|HIGHMEM", {}, {2, 6, 14}},
    Composite{"GFP_HIGHUSER", "DIRECT_RECLAIM|KSWAPD_RECLAIM|IO|FS|HARDWALL|HIGHMEM"},
    Composite{"GFP_USER", "WAIT|IO|FS|HARDWALL"},
    Composite{"GFP_USER", "DIRECT_RECLAIM|KSWAPD_RECLAIM|IO|FS|HARDWALL"},
    Composite{"GFP_TEMPORARY", "WAIT|IO|FS|RECLAIMABLE"},
    Composite{"GFP_TEMPORARY", "DIRECT_RECLAIM|KSWAPD_RECLAIM|IO|FS|RECLAIMABLE", {}, {4, 14}},
    Composite{"GFP_KERNEL_ACCOUNT", "DIRECT_RECLAIM|KSWAPD_RECLAIM|IO|FS|ACCOUNT"},
    Composite{"GFP_KERNEL", "WAIT|IO|FS"},
    Composite{"GFP_KERNEL", "DIRECT_RECLAIM|KSWAPD_RECLAIM|IO|FS"},
    Composite{"GFP_NOFS", "WAIT|IO"},
    Composite{"GFP_NOFS", "DIRECT_RECLAIM|KSWAPD_RECLAIM|IO"},
    Composite{"GFP_ATOMIC", "HIGH", {}, {4, 4}},
    Composite{"GFP_ATOMIC", "HIGH|ATOMIC|KSWAPD_RECLAIM"},
    Composite{"GFP_ATOMIC", "HIGH|KSWAPD_RECLAIM", {6, 3}},
    Composite{"GFP_NOIO", "WAIT"},
    Composite{"GFP_NOIO", "DIRECT_RECLAIM|KSWAPD_RECLAIM"},
    Composite{"GFP_NOWAIT", "KSWAPD_RECLAIM", {}, {6, 7}},
    Composite{"GFP_NOWAIT", "KSWAPD_RECLAIM|NOWARN", {6, 7}},
    Composite{"GFP_DMA", "DMA"},
    Composite{"GFP_DMA32", "DMA32"},
};

}  // namespace oomwitness::gfp
