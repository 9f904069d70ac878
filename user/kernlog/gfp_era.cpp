// SPDX-License-Identifier: BSD-2-Clause
#include "kernlog/gfp_era.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

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

std::uint32_t used_bits(const Layout& layout) {
  std::uint32_t mask = 0;
  for (std::size_t bit = 0; bit < layout.size(); ++bit) {
    if (!layout.at(bit).empty()) mask |= 1U << bit;
  }
  return mask;
}

bool knows_all(const Era& era, std::uint32_t mask) {
  return (mask & ~used_bits(*era.layout)) == 0;
}

bool may_wait(const Era& era, std::uint32_t mask) {
  // 0: pagefault_out_of_memory
  return mask == 0 ||
         (mask & (mask_of(*era.layout, "WAIT") | mask_of(*era.layout, "DIRECT_RECLAIM"))) != 0;
}

std::vector<std::string> decode(const Era& era, std::uint32_t mask) {
  const Layout& layout = *era.layout;
  std::vector<std::string> flags;
  for (const Composite& composite : kComposites) {
    if (era.first < composite.first || composite.end <= era.first) continue;
    const std::uint32_t bits = mask_of(layout, composite.flags);
    if (bits == 0 || (mask & bits) != bits) continue;
    flags.emplace_back(composite.name);
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

using Eras = std::vector<const Era*>;

// The first release that is no longer of this era.
KernelVersion end_of(const Era& era) {
  const auto* next = std::find_if(kEras.begin(), kEras.end(),
                                  [&era](const Era& other) { return era.first < other.first; });
  return next == kEras.end() ? KernelVersion{99, 99, 99} : next->first;
}

Eras eras_in(const VersionRange& range) {
  Eras found;
  for (const Era& era : kEras) {
    if (era.first <= range.last && range.first < end_of(era)) found.push_back(&era);
  }
  return found;
}

Eras that_can_be(std::uint32_t mask, const Eras& eras) {
  Eras kept;
  std::copy_if(eras.begin(), eras.end(), std::back_inserter(kept),
               [mask](const Era* era) { return knows_all(*era, mask) && may_wait(*era, mask); });
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
  const Eras in_range = eras_in(range);
  Eras eras = that_can_be(oom_mask, in_range);
  // A build of the merge window has the number of the release before it.
  if (eras.empty()) eras = that_can_be(oom_mask, eras_in({range.first, next_release(range.last)}));
  if (eras.empty()) eras = in_range;

  GfpNames names;
  for (const Era* era : eras) {
    const auto bit = disputed_bit(oom_mask, *eras.front(), *era);
    if (!bit) continue;
    names.ambiguous = true;
    names.why = "the bits differ between kernels: " + hex(1U << *bit) + " is " +
                words(*eras.front(), *bit) + ", " + words(*era, *bit);
    if (era->first == eras.front()->first) {
      names.why = "the bits differ with the kernel's configuration: " + hex(1U << *bit) +
                  " is __GFP_" + std::string(eras.front()->layout->at(*bit)) + " or __GFP_" +
                  std::string(era->layout->at(*bit));
    }
    return names;
  }
  // They agree on every bit; the newest has the most names for several.
  if (!eras.empty()) names.flags = decode(*eras.back(), oom_mask);
  return names;
}

}  // namespace oomwitness
