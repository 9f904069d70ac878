// SPDX-License-Identifier: BSD-2-Clause
// Excerpts of made BTF.
#include "capture/bpf/btf_excerpt.h"

#include <linux/btf.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "capture/bpf/btf_file.h"
#include "capture/bpf/skeleton.h"
#include "capture/bpf/tracing_targets.h"

namespace oomwitness {
namespace {

struct BtfDeleter {
  void operator()(btf* types) const noexcept { btf__free(types); }
};
using BtfPtr = std::unique_ptr<btf, BtfDeleter>;

std::vector<std::byte> raw(const btf* types) {
  std::uint32_t size = 0;
  const auto* begin = static_cast<const std::byte*>(btf__raw_data(types, &size));
  return {begin, begin + size};
}

// What an object names: struct task { pid, flag, tail }, task_alias, enum color, struct gone.
BtfPtr made_object() {
  BtfPtr types(btf__new_empty());
  const int number = btf__add_int(types.get(), "int", 4, BTF_INT_SIGNED);
  btf__add_struct(types.get(), "task___v9", 8);
  btf__add_field(types.get(), "pid", number, 0, 0);
  btf__add_field(types.get(), "flag", number, 32, 0);
  btf__add_field(types.get(), "inner", number, 32, 0);
  btf__add_field(types.get(), "tail", number, 32, 0);
  btf__add_enum(types.get(), "color", 4);
  btf__add_enum_value(types.get(), "RED", 0);
  btf__add_struct(types.get(), "gone", 0);
  return types;
}

Result<std::vector<std::byte>> excerpt_of(std::span<const std::byte> kernel, const btf* object) {
  TRY(const auto types, RawBtf::parse(kernel));
  return excerpt_btf(types, object);
}

class Excerpt : public testing::Test {
 protected:
  void make() {
    auto bytes = excerpt_of(raw(kernel_.get()), object_.get());
    ASSERT_TRUE(bytes) << bytes.error().message();
    excerpt_.reset(btf__new(bytes->data(), static_cast<std::uint32_t>(bytes->size())));
    ASSERT_NE(excerpt_, nullptr);
  }

  const btf_type* find(const char* name, std::uint32_t kind) const {
    const int id = btf__find_by_name_kind(excerpt_.get(), name, kind);
    return id < 0 ? nullptr : btf__type_by_id(excerpt_.get(), static_cast<std::uint32_t>(id));
  }
  const btf_type* target(const btf_type* type, std::uint32_t member) const {
    return btf__type_by_id(excerpt_.get(), btf_members(type)[member].type);
  }
  std::vector<std::string> members(const btf_type* type) const {
    std::vector<std::string> names;
    for (std::uint32_t i = 0; i < btf_vlen(type); ++i) {
      names.emplace_back(btf__name_by_offset(excerpt_.get(), btf_members(type)[i].name_off));
    }
    return names;
  }

  BtfPtr kernel_{btf__new_empty()};
  BtfPtr object_ = made_object();
  BtfPtr excerpt_;
  int number_ = btf__add_int(kernel_.get(), "int", 4, BTF_INT_SIGNED);
};

TEST_F(Excerpt, KeepsWantedMembersTheirPlacesAndTheSize) {
  btf__add_struct(kernel_.get(), "task", 400);
  btf__add_field(kernel_.get(), "before", number_, 0, 0);
  btf__add_field(kernel_.get(), "pid", number_, 320, 0);
  btf__add_field(kernel_.get(), "between", number_, 384, 0);
  btf__add_field(kernel_.get(), "tail", number_, 640, 0);
  make();
  const btf_type* task = find("task", BTF_KIND_STRUCT);
  ASSERT_NE(task, nullptr);
  EXPECT_EQ(task->size, 400U);
  EXPECT_THAT(members(task), testing::ElementsAre("pid", "tail"));
  EXPECT_EQ(btf_member_bit_offset(task, 0), 320U);
  EXPECT_EQ(btf_member_bit_offset(task, 1), 640U);
  EXPECT_TRUE(btf_is_int(target(task, 0)));
}

TEST_F(Excerpt, LeavesOutWhatTheObjectDoesNotName) {
  btf__add_struct(kernel_.get(), "other", 4);
  btf__add_field(kernel_.get(), "pid", number_, 0, 0);
  btf__add_struct(kernel_.get(), "tas", 4);
  btf__add_struct(kernel_.get(), "task_group", 4);
  make();
  EXPECT_EQ(find("other", BTF_KIND_STRUCT), nullptr);
  EXPECT_EQ(find("tas", BTF_KIND_STRUCT), nullptr);
  EXPECT_EQ(find("task_group", BTF_KIND_STRUCT), nullptr);
  EXPECT_EQ(find("gone", BTF_KIND_STRUCT), nullptr);
  EXPECT_EQ(btf__type_cnt(excerpt_.get()), 2U);  // void and int
}

// The kernel has several of one name; libbpf refuses where they disagree, so it has to see all.
TEST_F(Excerpt, KeepsEveryTypeOfOneNameAndItsFlavours) {
  for (const auto& [name, size] : {std::pair{"task", 4U}, {"task", 8U}, {"task___old", 12U}}) {
    btf__add_struct(kernel_.get(), name, size);
    btf__add_field(kernel_.get(), "pid", number_, 0, 0);
  }
  btf__add_struct(kernel_.get(), "task____not", 16);
  make();
  std::vector<std::uint32_t> sizes;
  for (std::uint32_t id = 1; id < btf__type_cnt(excerpt_.get()); ++id) {
    const btf_type* type = btf__type_by_id(excerpt_.get(), id);
    if (btf_is_struct(type)) sizes.push_back(type->size);
  }
  EXPECT_THAT(sizes, testing::ElementsAre(4, 8, 12));
}

TEST_F(Excerpt, LooksIntoAnonymousUnionsInOrder) {
  const int anonymous = btf__add_union(kernel_.get(), nullptr, 4);
  btf__add_field(kernel_.get(), "noise", number_, 0, 0);
  btf__add_field(kernel_.get(), "flag", number_, 0, 0);
  btf__add_struct(kernel_.get(), "task", 12);
  btf__add_field(kernel_.get(), "noise", number_, 0, 0);
  btf__add_field(kernel_.get(), nullptr, anonymous, 32, 0);
  btf__add_field(kernel_.get(), "pid", number_, 64, 0);
  make();
  const btf_type* task = find("task", BTF_KIND_STRUCT);
  ASSERT_NE(task, nullptr);
  EXPECT_THAT(members(task), testing::ElementsAre("", "pid"));
  ASSERT_TRUE(btf_is_union(target(task, 0)));
  EXPECT_THAT(members(target(task, 0)), testing::ElementsAre("flag"));
}

TEST_F(Excerpt, KeepsBitFields) {
  btf__add_struct(kernel_.get(), "task", 4);
  btf__add_field(kernel_.get(), "noise", number_, 0, 3);
  btf__add_field(kernel_.get(), "flag", number_, 3, 5);
  make();
  const btf_type* task = find("task", BTF_KIND_STRUCT);
  ASSERT_NE(task, nullptr);
  EXPECT_THAT(members(task), testing::ElementsAre("flag"));
  EXPECT_EQ(btf_member_bit_offset(task, 0), 3U);
  EXPECT_EQ(btf_member_bitfield_size(task, 0), 5U);
}

// A zero-length array is a flexible one only as the last member.
TEST_F(Excerpt, TheLastMemberStaysTheLast) {
  const int array = btf__add_array(kernel_.get(), number_, number_, 0);
  btf__add_struct(kernel_.get(), "task", 8);
  btf__add_field(kernel_.get(), "tail", array, 0, 0);
  btf__add_field(kernel_.get(), "end", number_, 0, 0);
  make();
  EXPECT_THAT(members(find("task", BTF_KIND_STRUCT)), testing::ElementsAre("tail", "end"));
}

TEST_F(Excerpt, FollowsValuesAndStopsAtPointers) {
  const int unseen = btf__add_struct(kernel_.get(), "unseen", 4);
  const int pointer = btf__add_ptr(kernel_.get(), unseen);
  const int inner = btf__add_struct(kernel_.get(), "by_value", 16);
  btf__add_field(kernel_.get(), "flag", pointer, 0, 0);
  btf__add_field(kernel_.get(), "noise", number_, 64, 0);
  btf__add_field(kernel_.get(), "noise2", number_, 96, 0);
  const int constant = btf__add_const(kernel_.get(), inner);
  const int name = btf__add_typedef(kernel_.get(), "by_value_t", constant);
  const int array = btf__add_array(kernel_.get(), number_, name, 3);
  btf__add_struct(kernel_.get(), "task", 48);
  btf__add_field(kernel_.get(), "inner", array, 0, 0);
  make();
  const btf_type* task = find("task", BTF_KIND_STRUCT);
  ASSERT_NE(task, nullptr);
  ASSERT_TRUE(btf_is_array(target(task, 0)));
  EXPECT_EQ(btf__resolve_size(excerpt_.get(), btf_members(task)[0].type), 48);
  const btf_type* by_value = find("by_value", BTF_KIND_STRUCT);
  ASSERT_NE(by_value, nullptr);
  EXPECT_THAT(members(by_value), testing::ElementsAre("flag", "noise2"));
  ASSERT_TRUE(btf_is_ptr(target(by_value, 0)));
  EXPECT_EQ(target(by_value, 0)->type, 0U);
  EXPECT_EQ(find("unseen", BTF_KIND_STRUCT), nullptr);
}

TEST_F(Excerpt, KeepsEnumeratorsOfBothWidths) {
  btf__add_enum64(kernel_.get(), "color", 8, false);
  btf__add_enum64_value(kernel_.get(), "RED", 1ULL << 40U);
  btf__add_enum64_value(kernel_.get(), "GREEN", 2);
  btf__add_enum(kernel_.get(), "color", 4);
  btf__add_enum_value(kernel_.get(), "RED", -7);
  make();
  const btf_type* wide = find("color", BTF_KIND_ENUM64);
  ASSERT_NE(wide, nullptr);
  ASSERT_EQ(btf_vlen(wide), 2U);
  EXPECT_EQ(btf_enum64_value(btf_enum64(wide)), 1ULL << 40U);
  const btf_type* narrow = find("color", BTF_KIND_ENUM);
  ASSERT_NE(narrow, nullptr);
  EXPECT_STREQ(btf__name_by_offset(excerpt_.get(), btf_enum(narrow)->name_off), "RED");
  EXPECT_EQ(btf_enum(narrow)->val, -7);
}

TEST_F(Excerpt, EveryTruncationIsAnError) {
  btf__add_struct(kernel_.get(), "task", 4);
  btf__add_field(kernel_.get(), "pid", number_, 0, 0);
  const auto whole = raw(kernel_.get());
  ASSERT_TRUE(excerpt_of(whole, object_.get()));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::vector<std::byte> cut(whole.begin(), whole.begin() + static_cast<long>(size));
    EXPECT_FALSE(excerpt_of(cut, object_.get())) << size << " of " << whole.size();
  }
}

TEST_F(Excerpt, BadReferencesAndKindsAreErrors) {
  const int id = btf__add_struct(kernel_.get(), "task", 4);
  btf__add_field(kernel_.get(), "pid", number_, 0, 0);
  const auto whole = raw(kernel_.get());
  const auto at = sizeof(btf_header) + sizeof(btf_type) + sizeof(std::uint32_t);  // after int
  ASSERT_EQ(id, 2);
  const auto with = [&](std::size_t offset, std::uint32_t value) {
    auto bytes = whole;
    std::memcpy(bytes.data() + at + offset, &value, sizeof(value));
    return excerpt_of(bytes, object_.get());
  };
  constexpr std::uint32_t kStruct = BTF_KIND_STRUCT << 24U;
  ASSERT_TRUE(with(offsetof(btf_type, info), kStruct | 1U));
  EXPECT_FALSE(with(offsetof(btf_type, info), kStruct | 2U));
  EXPECT_FALSE(with(offsetof(btf_type, info), 31U << 24U));
  EXPECT_FALSE(with(offsetof(btf_type, info), kStruct | 1U | 1U << 20U));
  EXPECT_FALSE(with(offsetof(btf_type, name_off), 0xffffff));
  EXPECT_FALSE(with(sizeof(btf_type) + offsetof(btf_member, name_off), 0xffffff));
  EXPECT_FALSE(with(sizeof(btf_type) + offsetof(btf_member, type), 3));
}

// Broken BTF of a kernel: types that contain themselves end, and cost no stack.
TEST_F(Excerpt, CyclesEnd) {
  btf__add_struct(kernel_.get(), "task", 4);
  btf__add_field(kernel_.get(), "pid", 2, 0, 0);
  make();
  EXPECT_THAT(members(find("task", BTF_KIND_STRUCT)), testing::ElementsAre("pid"));
}

TEST(BtfFile, SaysWhyItCannotBeRead) {
  const auto missing = BtfFile::open("/nonexistent/btf");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message(), "open /nonexistent/btf: No such file or directory");
  const auto empty = BtfFile::open("/dev/null");
  EXPECT_TRUE(!empty || !RawBtf::parse(empty->bytes()));
}

// A function and a struct may share a name, and so may a tracepoint's typedef and anything.
TEST(FindTargets, TakesNamesOfTheRightKind) {
  const BtfPtr kernel(btf__new_empty());
  const int number = btf__add_int(kernel.get(), "int", 4, BTF_INT_SIGNED);
  const int proto = btf__add_func_proto(kernel.get(), number);
  btf__add_struct(kernel.get(), "oom_badness", 4);
  const int badness = btf__add_func(kernel.get(), "oom_badness", BTF_FUNC_GLOBAL, proto);
  btf__add_func(kernel.get(), "btf_trace_mark_victim", BTF_FUNC_GLOBAL, proto);
  const int mark = btf__add_typedef(kernel.get(), "btf_trace_mark_victim", proto);
  btf__add_typedef(kernel.get(), "mark_victim", proto);
  const auto bytes = raw(kernel.get());
  const auto types = RawBtf::parse(bytes);
  ASSERT_TRUE(types) << types.error().message();
  const auto ids = find_targets(*types, {"fexit/oom_badness", "fentry/oom_badness",
                                         "fentry/out_of_memory", "tp_btf/mark_victim"});
  const TargetIds expected{{"fentry/oom_badness", static_cast<std::uint32_t>(badness)},
                           {"fexit/oom_badness", static_cast<std::uint32_t>(badness)},
                           {"tp_btf/mark_victim", static_cast<std::uint32_t>(mark)}};
  EXPECT_EQ(ids, expected);
}

TEST(TracingSections, AreThoseThatAttachById) {
  const auto opened = Opened::open();
  ASSERT_TRUE(opened) << opened.error().message();
  const auto sections = tracing_sections((*opened)->obj);
  EXPECT_THAT(sections, testing::IsSupersetOf({"fentry/oom_kill_process", "fexit/oom_badness",
                                               "tp_btf/mark_victim", "tp_btf/wake_reaper"}));
  EXPECT_THAT(sections, testing::Each(testing::MatchesRegex("(fentry|fexit|tp_btf)/.*")));
}

}  // namespace
}  // namespace oomwitness
