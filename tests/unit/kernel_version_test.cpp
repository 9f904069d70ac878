// SPDX-License-Identifier: BSD-2-Clause
#include "kernlog/kernel_version.h"

#include <array>
#include <vector>

#include <gtest/gtest.h>

namespace oomwitness {
namespace {

TEST(ParseKernelVersionTest, Releases) {
  const struct {
    const char* text = nullptr;
    KernelVersion version;
  } cases[] = {
      {"2.6.8.1", {2, 6, 8}},
      {"2.6.32-642.11.1.el6.x86_64", {2, 6, 32}},
      {"3.10.0-957.el7.hg.3.x86_64", {3, 10, 0}},
      {"3.2", {3, 2, 0}},
      {"5.0-rc3", {5, 0, 0}},
      {"4.18.0+", {4, 18, 0}},
      {"6.8.0-rc7-next-20240307", {6, 8, 0}},
      {"5.15.158-2-pve", {5, 15, 158}},
      {"10.0.1", {10, 0, 1}},
  };
  for (const auto& c : cases) EXPECT_EQ(parse_kernel_version(c.text), c.version) << c.text;
  for (const char* text : {"", "2", "2.", "2.4.37", "1.0", "x2.6.32", " 3.10", "3,10", "-3.10",
                           "99999999999.1", "4294967295.4294967295.4294967295", "Tainted:"})
    EXPECT_FALSE(parse_kernel_version(text)) << text;
}

TEST(KernelVersionTest, ReleaseLinesFollowEachOther) {
  EXPECT_EQ(next_release({2, 6, 30}), (KernelVersion{2, 6, 31}));
  EXPECT_EQ(next_release({2, 6, 39}), (KernelVersion{3, 0, 0}));
  EXPECT_EQ(next_release({3, 10, 0}), (KernelVersion{3, 11, 0}));
  EXPECT_EQ(next_release({3, 19, 0}), (KernelVersion{4, 0, 0}));
  EXPECT_EQ(next_release({4, 19, 0}), (KernelVersion{4, 20, 0}));
  EXPECT_EQ(next_release({4, 20, 0}), (KernelVersion{5, 0, 0}));
  EXPECT_EQ(next_release({6, 19, 0}), (KernelVersion{7, 0, 0}));
}

TEST(VersionsOfReleaseTest, AReleaseIsItsOwn) {
  EXPECT_EQ(versions_of_release("2.6.32-642.el6.x86_64"), (VersionRange{{2, 6, 32}, {2, 6, 32}}));
  EXPECT_EQ(versions_of_release("3.10.0-957.el7.x86_64"), (VersionRange{{3, 10}, {3, 10}}));
  EXPECT_EQ(versions_of_release("5.15.158-2-pve"), (VersionRange{{5, 15}, {5, 15}}));
  EXPECT_FALSE(versions_of_release("Not tainted"));
}

TEST(VersionsOfReleaseTest, SomeAreAheadOfTheirNumber) {
  EXPECT_EQ(versions_of_release("2.6.33-rc4-mm1"), (VersionRange{{2, 6, 33}, {2, 6, 34}}));
  EXPECT_EQ(versions_of_release("5.18.0-rc2-next-20220412"), (VersionRange{{5, 18}, {5, 19}}));
  EXPECT_EQ(versions_of_release("4.18.0+"), (VersionRange{{4, 18}, {4, 19}}));
  EXPECT_EQ(versions_of_release("6.0.0-dirty"), (VersionRange{{6, 0}, {6, 1}}));
  EXPECT_EQ(versions_of_release("6.8.1+nas5xx"), (VersionRange{{6, 8}, {6, 8}}));
  EXPECT_EQ(versions_of_release("6.11.0-rc6+"), (VersionRange{{6, 11}, {6, 11}}));
  EXPECT_EQ(versions_of_release("4.18.0-139.el8.ppc64le+debug"), (VersionRange{{4, 18}, {4, 18}}));
  EXPECT_EQ(versions_of_release("5.14.0-427.el9.x86_64"), (VersionRange{{5, 14}, {6, 13}}));
  EXPECT_EQ(versions_of_release("6.1.119-1.el9.elrepo.x86_64"), (VersionRange{{6, 1}, {6, 13}}));
  EXPECT_EQ(versions_of_release("6.12.0-211.el10.ppc64le")->first, (KernelVersion{6, 12}));
  EXPECT_GT(versions_of_release("6.12.0-211.el10.ppc64le")->last, (KernelVersion{6, 14}));
}

VersionRange of(const std::vector<LogForm>& forms) {
  return versions_of_forms(forms);
}

TEST(VersionsOfFormsTest, EachFormNarrows) {
  EXPECT_EQ(of({}), VersionRange{});
  EXPECT_EQ(of({LogForm::kHeaderOomAdj}), (VersionRange{{2, 6, 30}, {2, 6, 36}}));
  EXPECT_EQ(of({LogForm::kHeaderOomScoreAdj, LogForm::kTableNrPtes, LogForm::kTableNrPmds}),
            (VersionRange{{3, 19}, {4, 15}}));
  // el8: 4.18 with the lines of 5.x
  const auto el8 = of({LogForm::kHeaderNodemask, LogForm::kHeaderGfpNames, LogForm::kSummary,
                       LogForm::kKilledPgtables, LogForm::kTablePgtablesBytes});
  EXPECT_LE(el8.first, (KernelVersion{4, 18}));
  EXPECT_GE(el8.last, (KernelVersion{4, 18}));
}

TEST(VersionsOfFormsTest, FormsThatNoKernelHasTogetherSayNothing) {
  EXPECT_EQ(of({LogForm::kHeaderOomkilladj, LogForm::kSummary}), VersionRange{});
}

}  // namespace
}  // namespace oomwitness
