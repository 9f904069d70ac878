// SPDX-License-Identifier: BSD-2-Clause
#include "capture/bpf/btf_excerpt.h"

#include <sys/mman.h>
#include <unistd.h>

#include <memory>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "capture/bpf/raw_btf.h"

namespace oomwitness {
namespace {

// The name without its flavour: what stands before the last "___" between other characters, as
// libbpf sees it (bpf_core_essential_name_len in libbpf.c).
std::string_view essential_name(std::string_view name) {
  constexpr std::string_view kSeparator = "___";
  for (auto at = name.rfind(kSeparator); at != std::string_view::npos && at > 0;
       at = name.rfind(kSeparator, at - 1)) {
    const auto end = at + kSeparator.size();
    if (name[at - 1] != '_' && end < name.size() && name[end] != '_') return name.substr(0, at);
  }
  return name;
}

bool is_composite(std::uint32_t kind) {
  return kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION;
}

// What the object's own types name. A relocation starts at a type of one of these names and goes
// on by member names, so nothing else is ever looked up.
class Names {
 public:
  explicit Names(const btf* object) {
    for (std::uint32_t id = 1; id < btf__type_cnt(object); ++id) {
      const btf_type* type = btf__type_by_id(object, id);
      const char* name = btf__name_by_offset(object, type->name_off);
      if (*name != '\0' && can_be_root(btf_kind(type))) {
        types_.insert(essential_name(name));
        filter_.add(name);
      }
      if (!is_composite(btf_kind(type))) continue;
      for (std::size_t i = 0; i < btf_vlen(type); ++i) {
        members_.insert(btf__name_by_offset(object, btf_members(type)[i].name_off));
      }
    }
  }

  static bool can_be_root(std::uint32_t kind) {
    constexpr std::uint32_t kRoots =
        1U << BTF_KIND_INT | 1U << BTF_KIND_STRUCT | 1U << BTF_KIND_UNION | 1U << BTF_KIND_ENUM |
        1U << BTF_KIND_ENUM64 | 1U << BTF_KIND_FWD | 1U << BTF_KIND_TYPEDEF | 1U << BTF_KIND_FLOAT;
    return (kRoots >> kind & 1U) != 0;
  }

  bool has_type(const char* name) const {
    return filter_.may_have(name) && types_.contains(essential_name(name));
  }
  bool has_member(std::string_view name) const { return members_.contains(name); }

 private:
  std::unordered_set<std::string_view> types_;
  std::unordered_set<std::string_view> members_;
  NameFilter filter_;
};

// Copies types with all that is reached from them by value. Every type gets its new id when it is
// first mentioned and is written in that order, so nesting costs no stack and cycles end.
class Excerpt {
 public:
  Excerpt(const RawBtf& kernel, const Names& names) : kernel_(kernel), names_(names) {}

  // The new id of a kernel type; an Error when there is no such type.
  Result<std::uint32_t> want(std::uint32_t id) {
    if (id == 0) return 0;
    if (id > kernel_.count()) return fail("BTF: no type " + std::to_string(id));
    const auto next = static_cast<std::uint32_t>(order_.size()) + 1;
    const auto [it, is_new] = new_ids_.try_emplace(id, next);
    if (is_new) order_.push_back(id);
    return it->second;
  }

  Result<std::vector<std::byte>> finish() && {
    // copy() adds to it what it meets for the first time.
    for (std::size_t done = 0; done < order_.size();) CHECK_OK(copy(order_[done++]));
    btf_header header{};
    header.magic = BTF_MAGIC;
    header.version = BTF_VERSION;
    header.hdr_len = sizeof(header);
    header.type_len = static_cast<std::uint32_t>(types_.size());
    header.str_off = header.type_len;
    header.str_len = static_cast<std::uint32_t>(strings_.size());
    std::vector<std::byte> file;
    file.reserve(sizeof(header) + types_.size() + strings_.size());
    append(file, header);
    file.insert(file.end(), types_.begin(), types_.end());
    const auto strings = std::as_bytes(std::span(strings_));
    file.insert(file.end(), strings.begin(), strings.end());
    return file;
  }

 private:
  template <typename T>
  static void append(std::vector<std::byte>& out, const T& value) {
    const auto bytes = std::as_bytes(std::span(&value, 1));
    out.insert(out.end(), bytes.begin(), bytes.end());
  }

  Result<std::string_view> name(std::uint32_t offset) const {
    const char* text = kernel_.name(offset);
    if (text == nullptr) return fail("BTF: a name outside the strings");
    return text;
  }

  Result<std::uint32_t> copy_name(std::uint32_t offset) {
    TRY(const auto text, name(offset));
    if (text.empty()) return 0;
    const auto [it, is_new] =
        new_names_.try_emplace(text, static_cast<std::uint32_t>(strings_.size()));
    if (is_new) strings_.append(text).push_back('\0');
    return it->second;
  }

  Status copy(std::uint32_t id) {
    btf_type type = kernel_.type(id);
    TRY(type.name_off, copy_name(type.name_off));
    switch (BTF_INFO_KIND(type.info)) {
      case BTF_KIND_STRUCT:
      case BTF_KIND_UNION: return copy_composite(id, type);
      case BTF_KIND_ENUM: return copy_enumerators<struct btf_enum>(id, type);
      case BTF_KIND_ENUM64: return copy_enumerators<struct btf_enum64>(id, type);
      case BTF_KIND_ARRAY: return copy_array(id, type);
      case BTF_KIND_INT:
        append(types_, type);
        append(types_, kernel_.record<std::uint32_t>(id, 0));
        return {};
      case BTF_KIND_FWD:
      case BTF_KIND_FLOAT: append(types_, type); return {};
      // Of a pointer a relocation asks only whether it is one (bpf_core_fields_are_compat in
      // relo_core.c); following them would bring in half the kernel.
      case BTF_KIND_PTR: type.type = 0; break;
      case BTF_KIND_TYPEDEF:
      case BTF_KIND_VOLATILE:
      case BTF_KIND_CONST:
      case BTF_KIND_RESTRICT:
      case BTF_KIND_TYPE_TAG: {
        TRY(type.type, want(type.type));
        break;
      }
      // A typedef of a function; only pointers to it can be members.
      case BTF_KIND_FUNC_PROTO: type.info = BTF_KIND_FUNC_PROTO << 24U, type.type = 0; break;
      default: return fail("BTF: type " + std::to_string(id) + " cannot be part of another");
    }
    append(types_, type);
    return {};
  }

  // Keeps the size and, in their order, the members that can be found by name and the anonymous
  // ones. Also the last, whoever it is: an empty array is a flexible one only there (is_flex_arr
  // in relo_core.c).
  Status copy_composite(std::uint32_t id, btf_type type) {
    const std::size_t vlen = BTF_INFO_VLEN(type.info);
    std::vector<btf_member> kept;
    for (std::size_t i = 0; i < vlen; ++i) {
      auto member = kernel_.record<btf_member>(id, i);
      TRY(const auto text, name(member.name_off));
      const bool findable = text.empty() || names_.has_member(text);
      if (!findable && i + 1 < vlen) continue;
      TRY(member.name_off, copy_name(member.name_off));
      TRY(member.type, want(findable ? member.type : 0));
      kept.push_back(member);
    }
    type.info = (type.info & ~std::uint32_t{0xffff}) | static_cast<std::uint32_t>(kept.size());
    append(types_, type);
    for (const btf_member& member : kept) append(types_, member);
    return {};
  }

  template <typename Enumerator>
  Status copy_enumerators(std::uint32_t id, const btf_type& type) {
    append(types_, type);
    for (std::size_t i = 0; i < BTF_INFO_VLEN(type.info); ++i) {
      auto enumerator = kernel_.record<Enumerator>(id, i);
      TRY(enumerator.name_off, copy_name(enumerator.name_off));
      append(types_, enumerator);
    }
    return {};
  }

  Status copy_array(std::uint32_t id, const btf_type& type) {
    auto array = kernel_.record<struct btf_array>(id, 0);
    TRY(array.type, want(array.type));
    TRY(array.index_type, want(array.index_type));
    append(types_, type);
    append(types_, array);
    return {};
  }

  const RawBtf& kernel_;
  const Names& names_;
  std::unordered_map<std::uint32_t, std::uint32_t> new_ids_;
  std::vector<std::uint32_t> order_;  // kernel ids; [i] becomes i + 1
  std::unordered_map<std::string_view, std::uint32_t> new_names_;
  std::vector<std::byte> types_;
  std::string strings_ = std::string(1, '\0');
};

}  // namespace

Result<std::vector<std::byte>> excerpt_btf(const RawBtf& kernel, const btf* object) {
  const Names names(object);
  Excerpt excerpt(kernel, names);
  for (std::uint32_t id = 1; id <= kernel.count(); ++id) {
    const btf_type type = kernel.type(id);
    if (type.name_off == 0 || !Names::can_be_root(BTF_INFO_KIND(type.info))) continue;
    const char* name = kernel.name(type.name_off);
    if (name == nullptr) return fail("BTF: a name outside the strings");
    // All types of one name: libbpf must see that they disagree.
    if (names.has_type(name)) CHECK_OK(excerpt.want(id));
  }
  return std::move(excerpt).finish();
}

ExcerptFile::ExcerptFile(OwnedFd fd)
    : fd_(std::move(fd)), path_("/proc/self/fd/" + std::to_string(fd_.get())) {}

Result<ExcerptFile> ExcerptFile::create() {
  OwnedFd fd(::memfd_create("oomwitness-btf", MFD_CLOEXEC));
  if (fd.get() < 0) return fail(errno, "memfd_create");
  ExcerptFile file(std::move(fd));
  if (::access(file.path_.c_str(), R_OK) != 0) return fail(errno, "open " + file.path_);
  return file;
}

Status ExcerptFile::fill(const RawBtf& kernel, const btf* object) const {
  TRY(const auto excerpt, excerpt_btf(kernel, object));
  std::size_t written = 0;
  while (written < excerpt.size()) {
    const ssize_t n = ::write(fd_.get(), excerpt.data() + written, excerpt.size() - written);
    if (n <= 0) return fail(n < 0 ? errno : EIO, "write " + path_);
    written += static_cast<std::size_t>(n);
  }
  return {};
}

}  // namespace oomwitness
