// SPDX-License-Identifier: BSD-2-Clause
// What is read of a run's cgroup, on made trees.
#include <gtest/gtest.h>

#include "enrich_tree.h"
#include "run/memory_counters.h"
#include "run/own_cgroup.h"
#include "run/witness.h"

namespace oomwitness {
namespace {

TEST(MemcgPathOf, IsThatOfTheRightHierarchy) {
  const char* hybrid = "9:name=systemd:/s\n4:cpu,memory:/a:b/c\n0::/u\n";
  EXPECT_EQ(*memcg_path_of(hybrid, true), "/a:b/c");
  EXPECT_EQ(*memcg_path_of(hybrid, false), "/u");
  EXPECT_FALSE(memcg_path_of("0::/u\n", true));
  EXPECT_FALSE(memcg_path_of("", false));
}

TEST(Counters, ReadTheirFiles) {
  EXPECT_EQ(keyed_number("low 0\noom 7\noom_kill 3\n", "oom_kill"), 3U);
  EXPECT_EQ(keyed_number("oom_kill_disable 0\nunder_oom 0\n", "oom_kill"), std::nullopt);
  const char* pressure =
      "some avg10=0.00 avg60=0.00 avg300=0.00 total=123\nfull avg10=0.00 avg60=0.00 avg300=0.00 "
      "total=45\n";
  EXPECT_EQ(pressure_total_us(pressure, "some"), 123U);
  EXPECT_EQ(pressure_total_us(pressure, "full"), 45U);
  EXPECT_EQ(pressure_total_us("", "full"), std::nullopt);
  EXPECT_EQ(limit_in("max\n"), std::nullopt);
  EXPECT_EQ(limit_in("9223372036854771712\n"), std::nullopt);  // version 1, pages of 4 KiB
  EXPECT_EQ(limit_in("9223372036854710272\n"), std::nullopt);  // and of 64 KiB
  EXPECT_EQ(limit_in("1048576\n"), 1048576U);
}

TEST(MemoryCounters, OfVersion2) {
  test::MadeTree tree;
  tree.write("box/memory.current", "4096\n");
  tree.write("box/memory.swap.current", "8192\n");
  tree.write("box/memory.peak", "65536\n");
  tree.write("box/memory.events", "low 0\nhigh 0\nmax 9\noom 1\noom_kill 2\n");
  tree.write("box/memory.pressure", "some avg10=0.00 total=5\nfull avg10=0.00 total=4\n");
  auto counters = MemoryCounters::open(tree.path("box"), {});
  ASSERT_TRUE(counters) << counters.error().message();
  const MemoryReading all = counters->read();
  EXPECT_EQ(all.usage_bytes, 4096U);
  EXPECT_EQ(all.swap_bytes, 8192U);
  EXPECT_EQ(all.peak_bytes, 65536U);
  EXPECT_EQ(all.swap_peak_bytes, std::nullopt);
  EXPECT_EQ(all.oom_kills, 2U);
  EXPECT_EQ(all.limit_hits, 9U);
  EXPECT_EQ(all.stall_some_us, 5U);
  EXPECT_EQ(all.stall_full_us, 4U);
}

TEST(MemoryCounters, OfVersion1CountTheCgroupsBelowEvenWhenTheyAreGone) {
  test::MadeTree tree;
  tree.write("box/memory.usage_in_bytes", "4096\n");
  tree.write("box/memory.memsw.usage_in_bytes", "5096\n");
  tree.write("box/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n");
  tree.write("box/a/memory.oom_control", "oom_kill 2\n");
  tree.write("box/a/b/memory.oom_control", "oom_kill 4\n");
  auto counters = MemoryCounters::open(tree.path("box"), {.v1 = true, .local_counts = true});
  ASSERT_TRUE(counters);
  EXPECT_EQ(counters->sample().oom_kills, 7U);
  EXPECT_EQ(counters->sample().swap_bytes, 1000U);
  std::filesystem::remove_all(tree.path("box/a/b"));
  EXPECT_EQ(counters->sample().oom_kills, 7U);
}

TEST(MemoryCounters, NeedAMemoryController) {
  test::MadeTree tree;
  tree.write("box/cgroup.procs", "");
  const auto counters = MemoryCounters::open(tree.path("box"), {});
  ASSERT_FALSE(counters);
  EXPECT_NE(counters.error().message().find("memory.current"), std::string::npos);
}

TEST(IsWatched, ByPathOrByAName) {
  const WitnessOptions own{.cgroup = "/a/b"};
  EXPECT_TRUE(is_watched("/a/b", own));
  EXPECT_TRUE(is_watched("/a/b/c", own));
  EXPECT_FALSE(is_watched("/a/bc", own));
  EXPECT_FALSE(is_watched("/a", own));
  EXPECT_TRUE(is_watched("/x", {.cgroup = "/"}));
  // Inside a cgroup namespace the beginning is hidden.
  const WitnessOptions box{.cgroup = "/oomwitness-run-7-1a", .by_name = true};
  EXPECT_TRUE(is_watched("/docker/0f/oomwitness-run-7-1a/x", box));
  EXPECT_TRUE(is_watched("/oomwitness-run-7-1a", box));
  EXPECT_FALSE(is_watched("/docker/0f/oomwitness-run-7-1ab", box));
  EXPECT_FALSE(is_watched("/docker/0f", box));
}

}  // namespace
}  // namespace oomwitness
