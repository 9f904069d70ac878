// SPDX-License-Identifier: BSD-2-Clause
// What cgroups have counted against what was described of them, on made trees. A cgroup that is
// gone is a file without text here: in cgroupfs its reader gets ENODEV.
#include <filesystem>

#include <gtest/gtest.h>

#include "agent/cgroup_kills.h"
#include "enrich_tree.h"

namespace oomwitness {
namespace {

class CgroupKillsTest : public testing::TestWithParam<bool> {
 protected:
  CgroupKillsTest() : kills_(tree_.roots()) {
    tree_.write("proc/self/mountinfo",
                v1() ? "30 23 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
                     : "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n");
  }

  static bool v1() { return GetParam(); }
  std::string folder(const std::string& cgroup) const {
    return (v1() ? "sys/fs/cgroup/memory" : "sys/fs/cgroup") + cgroup;
  }
  void count(const std::string& cgroup, int kills) const {
    const std::string number = std::to_string(kills) + "\n";
    if (v1())
      tree_.write(folder(cgroup) + "/memory.oom_control",
                  "oom_kill_disable 0\nunder_oom 0\noom_kill " + number);
    else
      tree_.write(folder(cgroup) + "/memory.events.local",
                  "low 0\nhigh 0\nmax 5\noom 7\noom_kill " + number + "oom_group_kill 0\n");
  }
  void remove(const std::string& cgroup) const {
    const std::string file =
        folder(cgroup) + (v1() ? "/memory.oom_control" : "/memory.events.local");
    tree_.write(file, "");
    std::filesystem::remove(tree_.path(file));
  }

  Incident incident(const std::vector<std::string>& cgroups) {
    Incident made;
    made.id = std::to_string(++ids_);
    for (const std::string& cgroup : cgroups) {
      Victim victim;
      victim.cgroup = cgroup;
      made.victims.push_back(victim);
    }
    return made;
  }
  void describe(const std::vector<std::string>& cgroups) { kills_.add(incident(cgroups)); }
  std::uint64_t reconciled() {
    for (int look = 0; look < 2; ++look) kills_.reconcile(now_ns_ += 10'000'000'000);
    return kills_.undescribed();
  }

  test::MadeTree tree_;
  CgroupKills kills_;
  std::uint64_t now_ns_ = 0;
  int ids_ = 0;
};

TEST_P(CgroupKillsTest, WhatWasBeforeTheFirstIsNobodysDebt) {
  count("/a", 8);
  describe({"/a"});
  EXPECT_EQ(reconciled(), 0U);
}

TEST_P(CgroupKillsTest, AKillThatNobodyDescribedCounts) {
  count("/a", 1);
  describe({"/a"});
  count("/a", 4);
  describe({"/a"});
  EXPECT_EQ(reconciled(), 2U);
  count("/b", 1);
  describe({"/b"});
  count("/b", 2);
  EXPECT_EQ(reconciled(), 3U);
}

TEST_P(CgroupKillsTest, DescribedLateItCountsNoMore) {
  // Five die at once; the first is described while the counter has them all.
  count("/a", 5);
  for (int kill = 0; kill < 5; ++kill) describe({"/a"});
  EXPECT_EQ(reconciled(), 0U);
  count("/a", 7);
  describe({"/a"});
  EXPECT_EQ(reconciled(), 1U);
  describe({"/a"});
  EXPECT_EQ(reconciled(), 0U);
}

TEST_P(CgroupKillsTest, OneLookMayBeTooEarly) {
  count("/a", 1);
  describe({"/a"});
  count("/a", 2);
  kills_.reconcile(10'000'000'000);
  EXPECT_EQ(kills_.undescribed(), 0U);
  kills_.reconcile(10'000'000'001);
  EXPECT_EQ(kills_.undescribed(), 0U) << "that was the same moment";
  describe({"/a"});
  kills_.reconcile(20'000'000'000);
  EXPECT_EQ(kills_.undescribed(), 0U);
}

TEST_P(CgroupKillsTest, MoreDescribedThanCountedIsNotLessThanNone) {
  count("/a", 1);
  for (int twice = 0; twice < 2; ++twice) describe({"/a"});
  EXPECT_EQ(reconciled(), 0U);
  count("/a", 2);
  EXPECT_EQ(reconciled(), 1U);
}

TEST_P(CgroupKillsTest, AnUpdateIsTheSameKill) {
  count("/a", 1);
  Incident seen = incident({"/a"});
  kills_.add(seen);
  count("/a", 3);
  // A group of three, and one who only shared the memory of a victim.
  seen = incident({"/a", "/a", "/a", "/a"});
  seen.id = "1";
  seen.revision = 1;
  seen.victims[3].role = Role::kSharedMm;
  kills_.add(seen);
  EXPECT_EQ(reconciled(), 0U);
  count("/a", 4);
  EXPECT_EQ(reconciled(), 1U);
}

TEST_P(CgroupKillsTest, TheCountOutlivesTheCgroup) {
  count("/a", 1);
  describe({"/a"});
  count("/a", 3);
  EXPECT_EQ(reconciled(), 2U);
  remove("/a");
  EXPECT_EQ(reconciled(), 2U);
  EXPECT_EQ(kills_.followed(), 0U);
  // Made again by the same name, it counts anew.
  count("/a", 1);
  describe({"/a"});
  EXPECT_EQ(reconciled(), 2U);
  EXPECT_EQ(kills_.followed(), 1U);
}

TEST_P(CgroupKillsTest, MadeAgainUnseenItIsAnotherOne) {
  count("/a", 9);
  describe({"/a"});
  remove("/a");
  count("/a", 1);
  describe({"/a"});
  EXPECT_EQ(reconciled(), 0U);
  count("/a", 2);
  EXPECT_EQ(reconciled(), 1U);
}

TEST_P(CgroupKillsTest, OfOneThatWasGoneAtOnceNothingIsKnown) {
  describe({"/a"});
  EXPECT_EQ(reconciled(), 0U);
  EXPECT_EQ(kills_.followed(), 0U);
  tree_.write(folder("/old") + (v1() ? "/memory.oom_control" : "/memory.events.local"),
              "under_oom 0\n");
  describe({"/old"});
  describe({"/a/../../../etc"});
  EXPECT_EQ(kills_.followed(), 0U) << "a kernel that does not count, a path that climbs";
}

TEST_P(CgroupKillsTest, TheLastOnesAreFollowedAndNoneIsForgotten) {
  for (int n = 0; n < 100; ++n) {
    const std::string cgroup = "/c" + std::to_string(n);
    count(cgroup, 1);
    describe({cgroup});
    count(cgroup, 2);
    EXPECT_EQ(reconciled(), static_cast<std::uint64_t>(n) + 1);
  }
  EXPECT_EQ(kills_.followed(), 64U);
  EXPECT_EQ(reconciled(), 100U);
}

TEST_P(CgroupKillsTest, UserSpaceKillersAreNotCounted) {
  count("/a", 0);
  Incident other = incident({"/a"});
  other.killer = "systemd-oomd";
  kills_.add(other);
  EXPECT_EQ(kills_.followed(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Versions, CgroupKillsTest, testing::Bool(),
                         [](const auto& version) { return version.param ? "v1" : "v2"; });

}  // namespace
}  // namespace oomwitness
