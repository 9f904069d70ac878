// SPDX-License-Identifier: BSD-2-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "enrich/memory_files.h"
#include "enrich_tree.h"

namespace oomwitness {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

const char* const kHybrid =
    "22 1 0:21 / /proc rw - proc proc rw\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:5 - cgroup2 cgroup2 rw\n"
    "35 31 0:32 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
    "36 31 0:33 / /sys/fs/cgroup/mem\\040ory rw master:1 - cgroup cgroup rw,memory\n";
const char* const kUnified =
    "35 31 0:32 / /sys/fs/cgroup rw shared:4 master:2 - cgroup2 cgroup2 rw,nsdelegate\n";

TEST(FindMemcgMountTest, PrefersTheV1MemoryHierarchy) {
  const auto hybrid = find_memcg_mount(kHybrid);
  ASSERT_TRUE(hybrid);
  EXPECT_EQ(hybrid->folder, "/sys/fs/cgroup/mem ory");
  EXPECT_TRUE(hybrid->v1);
  const auto unified = find_memcg_mount(kUnified);
  ASSERT_TRUE(unified);
  EXPECT_EQ(unified->folder, "/sys/fs/cgroup");
  EXPECT_FALSE(unified->v1);
  EXPECT_FALSE(find_memcg_mount("22 1 0:21 / /proc rw - proc proc rw\n1 2 - cgroup2\n"
                                "1 2 3 / /x rw - cgroup cgroup rw,memoryx\n-\n - \n")
                   .value_or(MemcgMount{})
                   .v1);
}

TEST(ParseMemoryStatTest, KeepsSizesOnly) {
  EXPECT_THAT(parse_memory_stat("anon 4096\nfile 0\npgfault 12\nworkingset_refault_anon 3\n"
                                "thp_fault_alloc 1\nslab 77\nshmem x\nsock\n zswap 1\n",
                                false),
              ElementsAre(Pair("anon", 4096), Pair("file", 0), Pair("slab", 77)));
}

TEST(ParseMemoryStatTest, V1CountsTheSubtree) {
  EXPECT_THAT(parse_memory_stat("cache 1\nrss 2\npgpgin 9\nhierarchical_memory_limit 20971520\n"
                                "total_cache 10\ntotal_rss 20\ntotal_pgpgin 99\n",
                                true),
              ElementsAre(Pair("cache", 10), Pair("rss", 20)));
}

TEST(ParseMeminfoTest, BytesOfWhatHasAUnit) {
  EXPECT_THAT(parse_meminfo("MemTotal:       16 kB\nActive(anon):   2 kB\nHugePages_Total:  5\n"
                            "Bad: -1 kB\nHuge: 18446744073709551615 kB\nNoColon 5 kB\n"),
              ElementsAre(Pair("Active(anon)", 2048), Pair("MemTotal", 16384)));
}

class MemcgStatTest : public testing::Test {
 protected:
  test::MadeTree tree_;
};

TEST_F(MemcgStatTest, ReadsV2) {
  tree_.write("proc/self/mountinfo", kUnified);
  tree_.write("sys/fs/cgroup/a/b/memory.stat", "anon 8192\n");
  const auto stat = read_memcg_stat(tree_.roots(), "/a/b");
  ASSERT_TRUE(stat) << stat.error().message();
  EXPECT_THAT(*stat, ElementsAre(Pair("anon", 8192)));
}

TEST_F(MemcgStatTest, ReadsV1) {
  tree_.write("proc/self/mountinfo", kHybrid);
  tree_.write("sys/fs/cgroup/mem ory/a/memory.stat", "rss 1\ntotal_rss 4096\n");
  EXPECT_THAT(*read_memcg_stat(tree_.roots(), "/a"), ElementsAre(Pair("rss", 4096)));
  tree_.write("sys/fs/cgroup/mem ory/memory.stat", "rss 7\n");
  EXPECT_THAT(*read_memcg_stat(tree_.roots(), "/"), ElementsAre(Pair("rss", 7)));
}

TEST_F(MemcgStatTest, AMountOfASubtreeShowsOnlyThat) {
  tree_.write("proc/self/mountinfo", "35 31 0:32 /docker/x /sys/fs/cgroup rw - cgroup2 none rw\n");
  tree_.write("sys/fs/cgroup/y/memory.stat", "anon 1\n");
  EXPECT_THAT(*read_memcg_stat(tree_.roots(), "/docker/x/y"), ElementsAre(Pair("anon", 1)));
  const auto outside = read_memcg_stat(tree_.roots(), "/docker/xy");
  ASSERT_FALSE(outside);
  EXPECT_THAT(outside.error().message(), HasSubstr("does not show /docker/xy"));
}

TEST_F(MemcgStatTest, RefusesPathsThatClimb) {
  tree_.write("proc/self/mountinfo", kUnified);
  tree_.write("sys/fs/memory.stat", "anon 1\n");
  tree_.make_folder("sys/fs/cgroup/a");
  for (const char* path : {"/..", "/a/../..", "", "a", "../x"})
    EXPECT_FALSE(read_memcg_stat(tree_.roots(), path)) << path;
  EXPECT_FALSE(read_memcg_stat(tree_.roots(), "/gone"));
}

TEST_F(MemcgStatTest, MeminfoOfTheRoot) {
  EXPECT_FALSE(read_meminfo(tree_.roots()));
  tree_.write("proc/meminfo", "MemFree: 1 kB\n");
  EXPECT_THAT(*read_meminfo(tree_.roots()), ElementsAre(Pair("MemFree", 1024)));
}

}  // namespace
}  // namespace oomwitness
