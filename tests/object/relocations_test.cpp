// SPDX-License-Identifier: BSD-2-Clause
// Every CO-RE relocation of the object is of a kind that an excerpt of the kernel's BTF serves.
#include <bpf/btf.h>
#include <libelf.h>
#include <linux/bpf.h>

#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "capture/bpf/skeleton.h"

namespace oomwitness {
namespace {

// The head of .BTF.ext (libbpf_internal.h has it, which nobody else may include).
struct BtfExtHeader {
  std::uint16_t magic;
  std::uint8_t version;
  std::uint8_t flags;
  std::uint32_t hdr_len;
  std::uint32_t func_info_off, func_info_len;
  std::uint32_t line_info_off, line_info_len;
  std::uint32_t core_relo_off, core_relo_len;
};

template <typename T>
T take(std::span<const char>& bytes) {
  T value{};
  EXPECT_GE(bytes.size(), sizeof(T));
  if (bytes.size() < sizeof(T)) return value;
  std::memcpy(&value, bytes.data(), sizeof(T));
  bytes = bytes.subspan(sizeof(T));
  return value;
}

std::vector<char> elf_section(std::vector<char> object, const char* wanted) {
  elf_version(EV_CURRENT);
  const std::unique_ptr<Elf, int (*)(Elf*)> elf(elf_memory(object.data(), object.size()), elf_end);
  std::size_t names = 0;
  elf_getshdrstrndx(elf.get(), &names);
  for (Elf_Scn* section = elf_nextscn(elf.get(), nullptr); section != nullptr;
       section = elf_nextscn(elf.get(), section)) {
    if (std::strcmp(elf_strptr(elf.get(), names, elf64_getshdr(section)->sh_name), wanted) != 0) {
      continue;
    }
    const Elf_Data* content = elf_rawdata(section, nullptr);
    const auto* begin = static_cast<const char*>(content->d_buf);
    return {begin, begin + content->d_size};
  }
  return {};
}

std::vector<bpf_core_relo> relocations() {
  std::size_t size = 0;
  const auto* object = static_cast<const char*>(oomwitness_bpf::elf_bytes(&size));
  const auto ext = elf_section({object, object + size}, ".BTF.ext");
  std::span<const char> rest(ext);
  const auto header = take<BtfExtHeader>(rest);
  rest = std::span<const char>(ext).subspan(header.hdr_len + header.core_relo_off,
                                            header.core_relo_len);
  std::vector<bpf_core_relo> all;
  EXPECT_EQ(take<std::uint32_t>(rest), sizeof(bpf_core_relo));
  while (!rest.empty()) {
    take<std::uint32_t>(rest);  // the section's name
    const auto count = take<std::uint32_t>(rest);
    for (std::uint32_t i = 0; i < count && !rest.empty(); ++i) {
      all.push_back(take<bpf_core_relo>(rest));
    }
  }
  return all;
}

bool served(bpf_core_relo_kind kind) {
  switch (kind) {
    case BPF_CORE_FIELD_BYTE_OFFSET:
    case BPF_CORE_FIELD_BYTE_SIZE:
    case BPF_CORE_FIELD_EXISTS:
    case BPF_CORE_FIELD_SIGNED:
    case BPF_CORE_FIELD_LSHIFT_U64:
    case BPF_CORE_FIELD_RSHIFT_U64:
    case BPF_CORE_TYPE_EXISTS:
    case BPF_CORE_TYPE_SIZE:
    case BPF_CORE_ENUMVAL_EXISTS:
    case BPF_CORE_ENUMVAL_VALUE: return true;
    default: return false;
  }
}

TEST(Relocations, AreOfKindsThatAnExcerptServes) {
  auto opened = Opened::open();
  ASSERT_TRUE(opened) << opened.error().message();
  const btf* object = bpf_object__btf((*opened)->obj);
  const auto all = relocations();
  EXPECT_GT(all.size(), 50U);
  for (const bpf_core_relo& relocation : all) {
    const btf_type* root = btf__type_by_id(object, relocation.type_id);
    const std::string name = btf__name_by_offset(object, root->name_off);
    SCOPED_TRACE(name + " " + btf__name_by_offset(object, relocation.access_str_off));
    EXPECT_TRUE(served(relocation.kind)) << "kind " << relocation.kind;
    EXPECT_NE(name, "");
    while (btf_is_typedef(root)) root = btf__type_by_id(object, root->type);
    // A declaration finds no definition; what a typedef stands for is not kept beyond a pointer.
    EXPECT_TRUE(btf_is_composite(root) || btf_is_any_enum(root)) << "BTF kind " << btf_kind(root);
  }
}

}  // namespace
}  // namespace oomwitness
