// SPDX-License-Identifier: BSD-2-Clause
#include "capture/bpf/raw_btf.h"

#include <array>
#include <optional>
#include <string>

namespace oomwitness {
namespace {

// Bits of btf_type.info that no kind uses up to Linux 7.2.
constexpr std::uint32_t kUnusedInfoBits = 0x60ff0000;

// What follows a btf_type: `fixed` bytes, then `each` bytes btf_type.info's vlen times.
struct Tail {
  bool known = false;
  std::uint8_t fixed = 0;
  std::uint8_t each = 0;
};

constexpr std::array<Tail, 32> kTails = [] {
  std::array<Tail, 32> tails{};
  for (const int kind :
       {BTF_KIND_PTR, BTF_KIND_FWD, BTF_KIND_TYPEDEF, BTF_KIND_VOLATILE, BTF_KIND_CONST,
        BTF_KIND_RESTRICT, BTF_KIND_FUNC, BTF_KIND_FLOAT, BTF_KIND_TYPE_TAG}) {
    tails[static_cast<std::size_t>(kind)] = {.known = true};
  }
  tails[BTF_KIND_INT] = {.known = true, .fixed = sizeof(std::uint32_t)};
  tails[BTF_KIND_ARRAY] = {.known = true, .fixed = sizeof(btf_array)};
  tails[BTF_KIND_VAR] = {.known = true, .fixed = sizeof(btf_var)};
  tails[BTF_KIND_DECL_TAG] = {.known = true, .fixed = sizeof(btf_decl_tag)};
  tails[BTF_KIND_STRUCT] = {.known = true, .each = sizeof(btf_member)};
  tails[BTF_KIND_UNION] = {.known = true, .each = sizeof(btf_member)};
  tails[BTF_KIND_ENUM] = {.known = true, .each = sizeof(btf_enum)};
  tails[BTF_KIND_ENUM64] = {.known = true, .each = sizeof(btf_enum64)};
  tails[BTF_KIND_FUNC_PROTO] = {.known = true, .each = sizeof(btf_param)};
  tails[BTF_KIND_DATASEC] = {.known = true, .each = sizeof(btf_var_secinfo)};
  return tails;
}();

// The bytes of a section, or nullopt when it leaves the file. In 64 bits nothing overflows.
std::optional<std::span<const std::byte>> section(std::span<const std::byte> bytes,
                                                  const btf_header& header, std::uint64_t offset,
                                                  std::uint64_t size) {
  const std::uint64_t begin = header.hdr_len + offset;
  if (begin + size > bytes.size()) return std::nullopt;
  return bytes.subspan(begin, size);
}

}  // namespace

Result<RawBtf> RawBtf::parse(std::span<const std::byte> bytes) {
  btf_header header{};
  if (bytes.size() < sizeof(header)) return fail("BTF: no header");
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.magic != BTF_MAGIC || header.version != BTF_VERSION ||
      header.hdr_len < sizeof(header)) {
    return fail("BTF: an unknown header");
  }
  const auto types = section(bytes, header, header.type_off, header.type_len);
  const auto strings = section(bytes, header, header.str_off, header.str_len);
  if (!types || !strings) return fail("BTF: a section is cut short");
  if (strings->empty() || strings->front() != std::byte{0} || strings->back() != std::byte{0}) {
    return fail("BTF: the strings do not begin and end with NUL");
  }

  RawBtf btf(*types, *strings);
  btf.offsets_.reserve(types->size() / 32);  // a vmlinux has 36 to 40 bytes a type
  btf.offsets_.push_back(0);                 // void
  for (std::size_t offset = 0; offset < types->size();) {
    const std::size_t left = types->size() - offset;
    if (left < sizeof(btf_type)) return fail("BTF: a type is cut short");
    const std::uint32_t info = btf.at<btf_type>(offset).info;
    const Tail& tail = kTails[BTF_INFO_KIND(info)];
    if (!tail.known || (info & kUnusedInfoBits) != 0) {
      return fail("BTF: type " + std::to_string(btf.offsets_.size()) + " is of an unknown kind");
    }
    const std::size_t tail_size = tail.fixed + std::size_t{tail.each} * BTF_INFO_VLEN(info);
    if (tail_size > left - sizeof(btf_type)) return fail("BTF: a type is cut short");
    btf.offsets_.push_back(static_cast<std::uint32_t>(offset));
    offset += sizeof(btf_type) + tail_size;
  }
  return btf;
}

}  // namespace oomwitness
