// SPDX-License-Identifier: BSD-2-Clause
#include "kernlog/gfp_era.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "enrich/gfp_table.h"

namespace oomwitness {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAreArray;

std::string joined(const GfpNames& names) {
  if (names.ambiguous) return "ambiguous";
  std::string text;
  for (const std::string& flag : names.flags) text += (text.empty() ? "" : "|") + flag;
  return text;
}

std::string of(const char* release, std::uint32_t mask) {
  const auto range = versions_of_release(release);
  return range ? joined(gfp_names(mask, *range)) : "no version";
}

TEST(GfpNamesTest, TheSameAllocationInEveryEra) {
  const struct {
    const char* release;
    std::uint32_t kernel;           // GFP_KERNEL
    std::uint32_t highuser;         // GFP_HIGHUSER|__GFP_ZERO
    std::uint32_t highuser_moving;  // GFP_HIGHUSER_MOVABLE; 0: not there yet
  } cases[] = {
      {"2.6.8.1", 0xd0, 0x80d2, 0},
      {"2.6.13", 0xd0, 0x80d2, 0},
      {"2.6.14", 0xd0, 0x480d2, 0},
      {"2.6.15", 0xd0, 0x280d2, 0},
      {"2.6.22", 0xd0, 0x280d2, 0},
      {"2.6.23", 0xd0, 0x280d2, 0xa00d2},
      {"2.6.24", 0xd0, 0x280d2, 0x1200d2},
      {"2.6.30", 0xd0, 0x280d2, 0x1200d2},
      {"2.6.31", 0xd0, 0x280d2, 0x200da},
      {"2.6.32-642.11.1.el6.x86_64", 0xd0, 0x280d2, 0x200da},
      {"3.10.0-957.el7.x86_64", 0xd0, 0x280d2, 0x200da},
      {"4.3.0", 0xd0, 0x280d2, 0x200da},
      {"4.4.0-31-generic", 0x24000c0, 0x24280c2, 0x24200ca},
      {"4.9.0", 0x24000c0, 0x24280c2, 0x24200ca},
      {"4.10.0", 0x14000c0, 0x14280c2, 0x14200ca},
      {"4.17.2-1-ARCH", 0x14000c0, 0x14280c2, 0x14200ca},
      {"4.18.0-553.8.1.el8_10.x86_64", 0x6000c0, 0x6280c2, 0x6200ca},
      {"5.0.0", 0x6000c0, 0x6280c2, 0x6200ca},
      {"5.1.0", 0xcc0, 0x100dc2, 0x100cca},
      {"5.13.0-19-generic", 0xcc0, 0x100dc2, 0x100cca},
      {"5.15.158-2-pve", 0xcc0, 0x100dc2, 0x1100cca},
      {"5.18.0", 0xcc0, 0x100dc2, 0x100cca},
      {"6.2.0", 0xcc0, 0x100dc2, 0x100cca},
      {"6.12.0", 0xcc0, 0x100dc2, 0x100cca},
      {"7.2.0", 0xcc0, 0x100dc2, 0x100cca},
      {"12.0.0", 0xcc0, 0x100dc2, 0x100cca},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(of(c.release, c.kernel), "GFP_KERNEL") << c.release;
    EXPECT_EQ(of(c.release, c.highuser), "GFP_HIGHUSER|__GFP_ZERO") << c.release;
    if (c.highuser_moving == 0) continue;
    EXPECT_EQ(of(c.release, c.highuser_moving), "GFP_HIGHUSER_MOVABLE") << c.release;
  }
}

TEST(GfpNamesTest, MasksOfOldReports) {
  EXPECT_EQ(of("3.2.0", 0x2000d0), "GFP_KERNEL|__GFP_NOTRACK");
  EXPECT_EQ(of("3.10.0-957.27.2.el7.x86_64", 0x50), "GFP_NOFS");
  EXPECT_EQ(of("3.10.0-957.el7.x86_64", 0x3000d0), "GFP_KERNEL|__GFP_KMEMCG|__GFP_NOTRACK");
  EXPECT_EQ(of("3.13.0-27-generic", 0x280da), "GFP_HIGHUSER_MOVABLE|__GFP_ZERO");
  EXPECT_EQ(of("3.13.0-27-generic", 0x10200da), "GFP_HIGHUSER_MOVABLE|__GFP_WRITE");
  EXPECT_EQ(of("2.6.28-14-generic", 0x80d0), "GFP_KERNEL|__GFP_ZERO");
  EXPECT_EQ(of("2.6.33-rc4-mm1", 0xd4), "GFP_KERNEL|GFP_DMA32");
  EXPECT_EQ(of("4.2.0", 0x1000d0), "GFP_KERNEL|__GFP_NOACCOUNT");
  EXPECT_EQ(of("4.5.0", 0x25000c0), "GFP_KERNEL_ACCOUNT");
  EXPECT_EQ(of("4.13.0", 0x14000d0), "GFP_TEMPORARY");
  EXPECT_EQ(of("4.14.0", 0x14000d0), "GFP_KERNEL|__GFP_RECLAIMABLE");
  EXPECT_EQ(of("3.2.0", 0), "");
}

TEST(GfpNamesTest, ABuildOfTheMergeWindowHasTheNumberBefore) {
  // 2.6.30 with the bits of 2.6.31: 0x8 has no other meaning before.
  EXPECT_EQ(of("2.6.30", 0x201da), "GFP_HIGHUSER_MOVABLE|__GFP_COLD");
  EXPECT_EQ(of("5.0.0+", 0xcc0), "GFP_KERNEL");
  EXPECT_EQ(of("5.0.0+", 0x6000c0), "GFP_KERNEL");
  EXPECT_EQ(of("4.9.0+", 0x14000c0), "ambiguous");
}

TEST(GfpNamesTest, BitsThatNoKernelKnowsAreANumber) {
  EXPECT_EQ(of("2.6.8.1", 0x800000d0), "GFP_KERNEL|0x80000000");
  EXPECT_EQ(of("3.10.0", 0x30000d0), "GFP_KERNEL|__GFP_WRITE|0x2000000");
  EXPECT_EQ(of("12.0.0", 0x40000cc0), "GFP_KERNEL|0x40000000");
}

TEST(GfpNamesTest, WithoutAVersionTheMaskOftenLeavesOneMeaning) {
  const VersionRange any;
  // Only kernels before 4.4 wait for memory by 0x10, only those from 5.1 on by 0x400.
  EXPECT_EQ(joined(gfp_names(0xd0, any)), "GFP_KERNEL");
  EXPECT_EQ(joined(gfp_names(0x201da, any)), "GFP_HIGHUSER_MOVABLE|__GFP_COLD");
  EXPECT_EQ(joined(gfp_names(0x24000c0, any)), "ambiguous");
  EXPECT_EQ(joined(gfp_names(0xcc0, any)), "GFP_KERNEL");
  EXPECT_EQ(joined(gfp_names(0x140dca, any)), "GFP_HIGHUSER_MOVABLE|__GFP_ZERO|__GFP_COMP");
}

TEST(GfpNamesTest, AmbiguityIsSaid) {
  const GfpNames moved = gfp_names(0x1200d2, VersionRange{{2, 6, 24}, {4, 3}});
  EXPECT_TRUE(moved.ambiguous);
  EXPECT_THAT(moved.flags, IsEmpty());
  EXPECT_EQ(moved.why,
            "the bits differ between kernels: 0x100000 is __GFP_MOVABLE from 2.6.24 up to before "
            "2.6.31, __GFP_KMEMCG from 2.6.31 up to before 4.1");
  const GfpNames configured = gfp_names(0x1000cc0, *versions_of_release("6.12.5"));
  EXPECT_TRUE(configured.ambiguous);
  EXPECT_THAT(configured.why, AllOf(HasSubstr("configuration"), HasSubstr("__GFP_NO_OBJ_EXT"),
                                    HasSubstr("__GFP_NOLOCKDEP")));
}

TEST(GfpNamesTest, KernelsThatAgreeOnEveryBitNeedNoVersion) {
  // The name for several bits is the newer one's.
  EXPECT_EQ(joined(gfp_names(0x14000d0, VersionRange{{4, 13}, {4, 14}})),
            "GFP_KERNEL|__GFP_RECLAIMABLE");
  EXPECT_EQ(joined(gfp_names(0xd2, VersionRange{{2, 6, 13}, {2, 6, 14}})),
            "GFP_KERNEL|__GFP_HIGHMEM");
}

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Some kernels print GFP_DMA for the flag __GFP_DMA.
std::vector<std::string> plain(std::vector<std::string> flags) {
  for (std::string& flag : flags) {
    if (flag == "GFP_DMA" || flag == "GFP_DMA32") flag.insert(0, "__");
  }
  return flags;
}

class KernelFormatTest : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Kernels, KernelFormatTest, testing::Values("5.10", "6.1", "6.12", "7.2"),
                         [](const auto& tested) {
                           std::string name = std::string("v") + tested.param;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

TEST_P(KernelFormatTest, TheTableIsTheKernels) {
  const auto table =
      parse_gfp_format(content(std::string(OW_TEST_DATA) + "/gfp/linux-" + GetParam() + ".format"));
  ASSERT_TRUE(table) << table.error().message();
  const VersionRange version = *versions_of_release(GetParam());
  constexpr std::uint32_t kKernel = 0xcc0;
  for (const GfpName& known : table->names()) {
    // With what an OOM kill must have.
    const std::uint32_t mask = known.mask | kKernel;
    const GfpNames names = gfp_names(mask, version);
    if (names.ambiguous) {
      EXPECT_EQ(known.name, "__GFP_NO_OBJ_EXT");
      continue;
    }
    EXPECT_THAT(plain(names.flags), UnorderedElementsAreArray(plain(table->decode(mask))))
        << known.name;
  }
}

// The kernel of a report: what its next lines show, or what is written beside the log.
Opt<VersionRange> range_of(const std::string& report, const std::string& written) {
  static const std::regex shown(R"((?:Not tainted|Tainted:[ A-Z]*) (\d+\.\d+[^\s]*))");
  static const std::regex beside(R"re("kernel": "([^"]+)")re");
  std::smatch found;
  const std::string head = report.substr(0, 400);
  if (std::regex_search(head, found, shown) || std::regex_search(written, found, beside))
    return versions_of_release(found.str(1));
  return std::nullopt;
}

// Every "gfp_mask=0x...(NAMES)" of a log; without a known kernel by the forms that all of them
// have.
std::size_t check_pairs(const std::filesystem::path& log) {
  static const std::regex pair(R"(gfp_mask=0x([0-9a-f]+)\(([A-Za-z_0-9|]*)\))");
  const std::string text = content(log);
  const std::string written = content(std::filesystem::path(log).replace_extension(".json"));
  std::vector<LogForm> forms = {LogForm::kHeaderGfpNames};
  if (text.find("oom-kill:constraint") != std::string::npos) forms.push_back(LogForm::kSummary);
  std::size_t pairs = 0;
  for (std::sregex_iterator at(text.begin(), text.end(), pair), end; at != end; ++at, ++pairs) {
    std::vector<std::string> printed;
    std::istringstream list(at->str(2));
    for (std::string flag; std::getline(list, flag, '|');) printed.push_back(flag);
    const auto range = range_of(at->suffix().str(), written);
    const auto mask = static_cast<std::uint32_t>(std::stoul(at->str(1), nullptr, 16));
    const GfpNames names = gfp_names(mask, range ? *range : versions_of_forms(forms));
    EXPECT_FALSE(names.ambiguous) << log << ": " << at->str() << ": " << names.why;
    EXPECT_THAT(names.flags, UnorderedElementsAreArray(printed)) << log << ": " << at->str();
  }
  return pairs;
}

TEST(GfpNamesTest, EveryPairOfTheCorpus) {
  const auto corpus = std::filesystem::path(OW_CORPUS).parent_path();
  if (!std::filesystem::exists(corpus)) GTEST_SKIP() << "no " << corpus;
  std::size_t pairs = 0;
  for (const char* folder : {"posted", "rewrapped", "provoked"}) {
    for (const auto& file : std::filesystem::recursive_directory_iterator(corpus / folder)) {
      if (file.is_regular_file() && file.path().extension() != ".json")
        pairs += check_pairs(file.path());
    }
  }
  RecordProperty("pairs", static_cast<int>(pairs));
  EXPECT_GT(pairs, 200U);
}

}  // namespace
}  // namespace oomwitness
