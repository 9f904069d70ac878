// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "enrich/gfp_expr.h"
#include "enrich/gfp_table.h"
#include "enrich_tree.h"

namespace oomwitness {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

TEST(EvaluateFlagExpressionTest, WhatKernelsPrint) {
  const struct {
    const char* text;
    std::uint64_t value;
  } cases[] = {
      {"0", 0},
      {"0x400u", 0x400},
      {"010", 8},
      {" ( gfp_t)0x40u ", 0x40},
      {"(unsigned long)((( gfp_t)(0x400u|0x800u)) | (( gfp_t)0x40u))", 0xc40},
      {"( unsigned long)(( gfp_t)((((1UL))) << (10)))", 0x400},
      {"(0xf0 | 0x0f) & ~(( gfp_t)0x3u)", 0xfc},
      {"1 | 2 ^ 2 & 3", 1},  // & before ^ before |
      {"1 << 2 + 1", 8},     // + before <<
      {"8 - 2 - 1", 5},      // from the left
      {"1 << 1 << 2", 8},
      {"256 >> 4", 16},
      {"(unsigned long int)(__u32)7", 7},
  };
  for (const auto& c : cases) {
    const auto value = evaluate_flag_expression(c.text);
    ASSERT_TRUE(value) << c.text << ": " << value.error().message();
    EXPECT_EQ(*value, c.value) << c.text;
  }
}

TEST(EvaluateFlagExpressionTest, RejectsWhatItDoesNotKnow) {
  for (const std::string& text : std::vector<std::string>{"",
                                                          " ",
                                                          "(",
                                                          ")",
                                                          "(1",
                                                          "1)",
                                                          "1 |",
                                                          "| 1",
                                                          "1 2",
                                                          "___GFP_IO_BIT",
                                                          "((((1UL))) << (___GFP_DMA_BIT))",
                                                          "(gfp_mask_t)1",
                                                          "1 || 2",
                                                          "1 && 2",
                                                          "1 ? 2 : 3",
                                                          "1 << 64",
                                                          "1 << (0 - 1)",
                                                          "18446744073709551616",
                                                          "0xz",
                                                          "08",
                                                          "1u8",
                                                          "!1",
                                                          "-1",
                                                          "1 * 2",
                                                          "sizeof(long)",
                                                          "(unsigned long)",
                                                          std::string(100000, '('),
                                                          std::string(100000, '~')})
    EXPECT_FALSE(evaluate_flag_expression(text)) << text.substr(0, 60);
}

std::string format_of(const std::string& list) {
  return "name: mm_page_alloc\nprint fmt: \"gfp_flags=%s\", REC->order, (REC->gfp_flags) ? "
         "__print_flags(REC->gfp_flags, \"|\", " +
         list + " ) : \"none\"\n";
}

std::string data_file(const std::string& name) {
  std::ifstream file(std::string(OW_TEST_DATA) + "/gfp/" + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

// As Debian's kernels of these versions print it.
class KernelFormatTest : public testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(Kernels, KernelFormatTest,
                         testing::Values("linux-5.10", "linux-6.1", "linux-6.12", "linux-7.2"),
                         [](const auto& tested) {
                           std::string name = tested.param;
                           std::replace_if(
                               name.begin(), name.end(),
                               [](char c) { return c == '-' || c == '.'; }, '_');
                           return name;
                         });

TEST_P(KernelFormatTest, TheMasksOfOomReports) {
  const std::string format = data_file(GetParam() + std::string(".format"));
  const auto table = parse_gfp_format(format);
  ASSERT_TRUE(table) << table.error().message();
  std::size_t names = 0;
  for (auto at = format.find("\"}"); at != std::string::npos; at = format.find("\"}", at + 1))
    ++names;
  EXPECT_EQ(table->names().size(), names);
  EXPECT_THAT(table->decode(0xcc0), ElementsAre("GFP_KERNEL"));
  EXPECT_THAT(table->decode(0x400cc0), ElementsAre("GFP_KERNEL_ACCOUNT"));
  EXPECT_THAT(table->decode(0x100cca), ElementsAre("GFP_HIGHUSER_MOVABLE"));
  EXPECT_THAT(table->decode(0x140dca),
              UnorderedElementsAre("GFP_HIGHUSER_MOVABLE", "__GFP_ZERO", "__GFP_COMP"));
  EXPECT_THAT(table->decode(0x400), ElementsAre("__GFP_DIRECT_RECLAIM"));
  EXPECT_THAT(table->decode(0x1), ElementsAre("GFP_DMA"));
}

TEST(ParseGfpFormatTest, BitsThatMovedBetweenKernels) {
  const auto old_table = parse_gfp_format(data_file("linux-5.10.format"));
  const auto new_table = parse_gfp_format(data_file("linux-7.2.format"));
  ASSERT_TRUE(old_table && new_table);
  EXPECT_THAT(old_table->decode(0x200), ElementsAre("__GFP_ATOMIC"));
  EXPECT_THAT(new_table->decode(0x200), ElementsAre("0x200"));
  EXPECT_THAT(old_table->decode(0x1000000), ElementsAre("0x1000000"));
  EXPECT_THAT(new_table->decode(0x1000000), ElementsAre("__GFP_NO_OBJ_EXT"));
}

TEST(ParseGfpFormatTest, EnumeratorsLeftUnresolvedRejectTheTable) {
  // 6.10 to 6.12 before the stable fix of "tracing: gfp: Fix the GFP enum values shown for user
  // space tracing tools" (60295b944ff6).
  const auto table = parse_gfp_format(
      format_of("{( unsigned long)(( gfp_t)((((1UL))) << (___GFP_IO_BIT))), \"__GFP_IO\"}"));
  ASSERT_FALSE(table);
  EXPECT_THAT(table.error().message(), HasSubstr("___GFP_IO_BIT"));
}

TEST(ParseGfpFormatTest, OneBadEntryRejectsTheTable) {
  for (const char* list :
       {"", "{", "{0x1u}", "{0x1u, GFP_A}", "{0x1u, \"A}", "{0x1u, \"A\"", "{0x1u, \"A\"}, {",
        "{0x1u, \"A\"}, {x, \"B\"}", "{0x100000000, \"A\"}", "{, \"A\"}", "{0, ((void *)0)}"})
    EXPECT_FALSE(parse_gfp_format(format_of(list))) << list;
  EXPECT_FALSE(parse_gfp_format(""));
  EXPECT_FALSE(parse_gfp_format("print fmt: \"x\", __print_flags(REC->flags, \"|\", {1, \"A\"})"));
  // Another event's list may come first.
  EXPECT_TRUE(
      parse_gfp_format("print fmt: \"x\", __print_flags(REC->a, \"|\", {y, \"B\"}), "
                       "__print_flags(REC->gfp_flags, \"|\", {1, \"A\"})"));
}

TEST(ParseGfpFormatTest, AFlagWithoutBitsIsInNoMask) {
  const auto table = parse_gfp_format(format_of("{0, \"OFF\"}, {0x1u, \"ON\"}"));
  ASSERT_TRUE(table);
  EXPECT_THAT(table->decode(0x1), ElementsAre("ON"));
}

TEST(GfpTableTest, DecodesLikeTheKernel) {
  const GfpTable table({{0xcc0, "GFP_KERNEL"}, {0xc00, "__GFP_RECLAIM"}, {0x40, "__GFP_IO"}});
  EXPECT_THAT(table.decode(0), IsEmpty());
  EXPECT_THAT(table.decode(0xcc0), ElementsAre("GFP_KERNEL"));
  EXPECT_THAT(table.decode(0xc40), ElementsAre("__GFP_RECLAIM", "__GFP_IO"));
  EXPECT_THAT(table.decode(0x80000cc1), ElementsAre("GFP_KERNEL", "0x80000001"));
}

TEST(ReadGfpTableTest, LooksInBothPlacesOfTracefs) {
  const test::MadeTree tree;
  const auto absent = read_gfp_table(tree.roots());
  ASSERT_FALSE(absent);
  EXPECT_THAT(absent.error().hint(), HasSubstr("mount -t tracefs"));
  tree.write("sys/kernel/debug/tracing/events/kmem/mm_page_alloc/format",
             format_of("{0x1u, \"DEBUG\"}"));
  EXPECT_EQ(read_gfp_table(tree.roots())->names()[0].name, "DEBUG");
  tree.write("sys/kernel/tracing/events/kmem/mm_page_alloc/format", format_of("{0x1u, \"TRACE\"}"));
  EXPECT_EQ(read_gfp_table(tree.roots())->names()[0].name, "TRACE");
}

}  // namespace
}  // namespace oomwitness
