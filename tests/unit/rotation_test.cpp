// SPDX-License-Identifier: BSD-2-Clause
#include "capture/log/rotation.h"

#include <algorithm>
#include <random>

#include <gmock/gmock.h>

namespace oomwitness {
namespace {

using ::testing::ElementsAre;
using Paths = std::vector<std::string>;

std::vector<Paths> sorted(const Paths& paths) {
  std::vector<Paths> sets;
  for (const LogSet& set : sort_rotated(paths)) {
    Paths members;
    for (const LogSetMember& member : set) members.push_back(member.path);
    sets.push_back(members);
  }
  return sets;
}

// Given in any order, the files of one log come oldest first.
class Rotation : public ::testing::TestWithParam<Paths> {};

TEST_P(Rotation, IsPutInOrder) {
  Paths given = GetParam();
  std::mt19937 random(3);
  for (int round = 0; round < 20; ++round) {
    std::shuffle(given.begin(), given.end(), random);
    EXPECT_THAT(sorted(given), ElementsAre(GetParam()));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Schemes, Rotation,
    ::testing::Values(Paths{"/var/log/kern.log.12.gz", "/var/log/kern.log.2.gz",
                            "/var/log/kern.log.1", "/var/log/kern.log"},
                      Paths{"messages-20251225", "messages-20260101.xz", "messages-20261101",
                            "messages"},
                      Paths{"messages-2026110100", "messages-2026110112.gz", "messages"},
                      Paths{"messages-1793491200.zst", "messages-1793577600", "messages"},
                      Paths{"syslog.20261101.gz", "syslog.20261102", "syslog"},
                      Paths{"kern-20261101.log", "kern-20261102.log", "kern.log"},
                      Paths{"kern.2.log.gz", "kern.1.log", "kern.log"},
                      Paths{"kern.log.3.gz", "kern.log.1"}));

TEST(RotatedLogs, OtherNamesAreOtherLogs) {
  EXPECT_THAT(sorted({"b/kern.log", "a/kern.log.1", "b/kern.log.1", "syslog", "-"}),
              ElementsAre(Paths{"b/kern.log.1", "b/kern.log"}, Paths{"a/kern.log.1"},
                          Paths{"syslog"}, Paths{"-"}));
  EXPECT_THAT(sorted({"web-1", "web-2"}), ElementsAre(Paths{"web-1"}, Paths{"web-2"}));
  EXPECT_THAT(sorted({"kern.log", "kern.log.gz"}),
              ElementsAre(Paths{"kern.log"}, Paths{"kern.log.gz"}));
  EXPECT_THAT(sorted({}), ElementsAre());
  EXPECT_THAT(sorted({".1", "..", "", "1", "-.5"}).size(), 5U);
}

TEST(RotatedLogs, AFileGivenTwiceIsReadOnce) {
  EXPECT_THAT(sorted({"a.log", "a.log.1", "a.log"}), ElementsAre(Paths{"a.log.1", "a.log"}));
}

TEST(RotatedLogs, AMissingNumberIsAGap) {
  const auto sets = sort_rotated(Paths{"k", "k.1", "k.2", "k.5"});
  ASSERT_EQ(sets.size(), 1U);
  std::vector<bool> gaps;
  for (const LogSetMember& member : sets[0]) gaps.push_back(member.after_gap);
  EXPECT_THAT(gaps, ElementsAre(false, true, false, false));
  EXPECT_TRUE(sort_rotated(Paths{"k", "k.2"})[0][1].after_gap);
}

}  // namespace
}  // namespace oomwitness
