// SPDX-License-Identifier: BSD-2-Clause
// Raw BTF (Documentation/bpf/btf.rst) by type id, every read checked against its bounds.
#pragma once

#include <linux/btf.h>

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "support/result.h"

namespace oomwitness {

class RawBtf {
 public:
  // Keeps a view of `bytes`. One pass over the types; names are checked when they are asked for.
  static Result<RawBtf> parse(std::span<const std::byte> bytes);

  // Types have the ids 1 .. count(); 0 is void.
  std::uint32_t count() const noexcept { return static_cast<std::uint32_t>(offsets_.size()) - 1; }
  // `id` must be in 1 .. count().
  btf_type type(std::uint32_t id) const noexcept { return at<btf_type>(offsets_[id]); }
  // The i-th of the records that follow a type: btf_member, btf_enum, ... `i` must be below its
  // vlen.
  template <typename Record>
  Record record(std::uint32_t id, std::size_t i) const noexcept {
    return at<Record>(offsets_[id] + sizeof(btf_type) + i * sizeof(Record));
  }
  // Ends in NUL, empty for anonymous things; nullptr: not in the string section.
  const char* name(std::uint32_t offset) const noexcept {
    if (offset >= strings_.size()) return nullptr;
    return reinterpret_cast<const char*>(strings_.data()) + offset;
  }

 private:
  RawBtf(std::span<const std::byte> types, std::span<const std::byte> strings)
      : types_(types), strings_(strings) {}

  template <typename T>
  T at(std::size_t offset) const noexcept {
    T value{};
    std::memcpy(&value, types_.data() + offset, sizeof(value));
    return value;
  }

  std::span<const std::byte> types_;
  std::span<const std::byte> strings_;  // ends in NUL
  std::vector<std::uint32_t> offsets_;  // of each type in types_
};

// The first two bytes of names: they tell off nearly all of the kernel's that are not looked for.
class NameFilter {
 public:
  void add(const char* name) { prefixes_.set(prefix(name)); }
  bool may_have(const char* name) const { return prefixes_[prefix(name)]; }

 private:
  static std::size_t prefix(const char* name) {
    const std::size_t first = static_cast<unsigned char>(name[0]);
    return first << 8U | (first == 0 ? 0 : static_cast<unsigned char>(name[1]));
  }
  std::bitset<1U << 16U> prefixes_;
};

}  // namespace oomwitness
