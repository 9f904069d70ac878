// SPDX-License-Identifier: BSD-2-Clause
#include "capture/decode.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "decode_fixture.h"

namespace oomwitness {
namespace {

using namespace testing;  // the records
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

void expect_invoker(const InvokerTask& invoker) {
  EXPECT_EQ(invoker.pid, 500U);
  EXPECT_EQ(invoker.tid, 501U);
  EXPECT_EQ(invoker.uid, 33U);
  EXPECT_EQ(invoker.oom_score_adj, -5);
  EXPECT_FALSE(invoker.kernel_thread);
  EXPECT_EQ(invoker.comm, "asker");
}

TEST(Decode, DecisionWithEverything) {
  const auto seen = decoded<Decision>(wire_decision());
  EXPECT_EQ(seen.gfp_mask, 0xcc0U);
  EXPECT_EQ(seen.order, 2);
  EXPECT_EQ(seen.constraint, 3U);
  EXPECT_EQ(seen.total_pages, 5120U);
  ASSERT_TRUE(seen.chosen);
  EXPECT_EQ(seen.chosen->pid, 100U);
  EXPECT_EQ(seen.chosen->tid, 101U);
  EXPECT_EQ(seen.chosen->comm, "hog");
  EXPECT_EQ(seen.chosen->points, 4456);
  EXPECT_FALSE(seen.chosen->state.sigkill_pending);
  EXPECT_TRUE(seen.chosen->state.group_exit);
  EXPECT_EQ(seen.nodemask, "0-1,3");
  EXPECT_EQ(seen.mems_allowed, "64");
  EXPECT_EQ(seen.cpuset, "nodes");
  EXPECT_EQ(seen.invoker_cgroup, "/a/b");
  EXPECT_TRUE(seen.scanned);
  EXPECT_TRUE(seen.memcg);
  EXPECT_EQ(seen.message, "Memory cgroup out of memory");
  expect_invoker(seen.invoker);
}

TEST(Decode, WhatHasNoBitIsAbsentWhateverTheBytesSay) {
  auto record = wire_decision();
  record.hdr.has = 0;
  const auto seen = decoded<Decision>(record);
  EXPECT_FALSE(seen.gfp_mask || seen.order || seen.constraint || seen.total_pages || seen.chosen);
  EXPECT_FALSE(seen.nodemask || seen.mems_allowed || seen.cpuset || seen.invoker_cgroup);
  EXPECT_FALSE(seen.scanned || seen.memcg);
}

TEST(Decode, ZeroWithItsBitIsAValue) {
  auto record = wire<ow_decision>(OW_KIND_DECISION,
                                  OW_HAS_ORDER | OW_HAS_GFP | OW_HAS_CPUSET | OW_HAS_CGROUP);
  const auto seen = decoded<Decision>(record);
  EXPECT_EQ(seen.order, 0);
  EXPECT_EQ(seen.gfp_mask, 0U);
  EXPECT_EQ(seen.cpuset, "/");
  EXPECT_EQ(seen.invoker_cgroup, "/");
}

TEST(Decode, SysrqHasOrderMinusOneAndKernelThreadsAreSaid) {
  auto record = wire_decision();
  record.order = -1;
  record.invoker.kernel_thread = 1;
  const auto seen = decoded<Decision>(record);
  EXPECT_EQ(seen.order, -1);
  EXPECT_TRUE(seen.invoker.kernel_thread);
}

TEST(Decode, NodeListsUpToTheLastNode) {
  auto record = wire_decision();
  record.nodemask[0] = ~0ULL;
  record.nodemask[1] = ~0ULL;
  record.mems_allowed[0] = 1ULL << 63U;
  record.mems_allowed[1] = (1ULL << 63U) | 1U;
  const auto seen = decoded<Decision>(record);
  EXPECT_EQ(seen.nodemask, "0-127");
  EXPECT_EQ(seen.mems_allowed, "63-64,127");
}

TEST(Decode, MemcgChain) {
  const auto seen = decoded<MemcgChain>(wire_memcg());
  EXPECT_TRUE(seen.of_limit);
  EXPECT_FALSE(seen.truncated);
  ASSERT_EQ(seen.levels.size(), 2U);
  const MemcgLevel leaf{.path = "/a/b",
                        .usage_bytes = 10 * kPage,
                        .limit_bytes = 20 * kPage,
                        .swap_usage_bytes = kPage,
                        .swap_limit_bytes = 2 * kPage,
                        .failcnt = 3,
                        .oom_group = true};
  EXPECT_EQ(seen.levels[0], leaf);
  const MemcgLevel parent{.path = "/a",
                          .usage_bytes = 30 * kPage,
                          .unlimited = true,
                          .swap_usage_bytes = 0,
                          .swap_unlimited = true,
                          .swap_is_memsw = true,
                          .oom_group = false};
  EXPECT_EQ(seen.levels[1], parent);
}

TEST(Decode, MemcgOfTheVictim) {
  auto record = wire_memcg();
  record.subject = OW_MEMCG_OF_VICTIM;
  record.pid = 100;
  record.truncated = 1;
  const auto seen = decoded<MemcgChain>(record);
  EXPECT_FALSE(seen.of_limit);
  EXPECT_EQ(seen.victim_pid, 100U);
  EXPECT_TRUE(seen.truncated);
}

TEST(Decode, PageSizeIsTheHosts) {
  const auto record = wire_memcg();
  const auto seen = decode(as_bytes_of(record), 65536);
  ASSERT_TRUE(seen);
  EXPECT_EQ(std::get<MemcgChain>(*seen).levels.at(0).usage_bytes, 10U * 65536U);
}

TEST(Decode, CandidatesSortedByPoints) {
  const auto seen = decoded<CandidateList>(wire_candidates());
  EXPECT_EQ(seen.considered, 9U);
  EXPECT_EQ(seen.unkillable, 2U);
  EXPECT_TRUE(seen.exact);
  ASSERT_EQ(seen.top.size(), 3U);
  EXPECT_EQ(seen.top[0].pid, 100U);
  EXPECT_EQ(seen.top[0].comm, "hog");
  EXPECT_EQ(seen.top[0].points, 4456);
  EXPECT_EQ(seen.top[0].uid, 7U);
  EXPECT_EQ(seen.top[0].oom_score_adj, -998);
  const Memory memory{.total_vm_bytes = 5 * kPage,
                      .anon_rss_bytes = 4 * kPage,
                      .file_rss_bytes = 3 * kPage,
                      .shmem_rss_bytes = 2 * kPage,
                      .swap_bytes = kPage,
                      .pgtables_bytes = 12288};
  EXPECT_EQ(seen.top[0].memory, memory);
}

TEST(Decode, CandidateThatWasGoneHasNoSizes) {
  const auto seen = decoded<CandidateList>(wire_candidates());
  ASSERT_EQ(seen.top.size(), 3U);
  EXPECT_EQ(seen.top[1].comm, "gone");
  EXPECT_EQ(seen.top[1].uid, 3U);
  EXPECT_EQ(seen.top[1].memory, Memory{});
  EXPECT_EQ(seen.top[2].points, -7);
  EXPECT_FALSE(seen.top[2].uid);
}

TEST(Decode, CandidatesOfOurOwnSumSaySo) {
  auto record = wire_candidates();
  record.way = OW_CANDIDATE_SUM;
  EXPECT_FALSE(decoded<CandidateList>(record).exact);
}

TEST(Decode, StacksWithoutTheTracersOwnFrames) {
  const auto seen = decoded<Stacks>(wire_stack());
  ASSERT_EQ(seen.kernel.size(), 3U);
  EXPECT_EQ(seen.kernel[0].symbol, "oom_kill_process+0x1/0x2");
  EXPECT_EQ(seen.kernel[0].address, 0xffffffff81000001U);
  EXPECT_EQ(seen.kernel[1].symbol, "bpf_like_name_below+0x1/0x2");
  EXPECT_EQ(seen.kernel[2].symbol, "");
  ASSERT_EQ(seen.user.size(), 2U);
  EXPECT_EQ(seen.user[0].build_id, "ab01" + std::string(36, '0'));
  EXPECT_EQ(seen.user[0].offset, 0x1234U);
  EXPECT_EQ(seen.user[1].build_id, "");
  EXPECT_EQ(seen.user[1].offset, 0x7fff0000U);
}

TEST(Decode, SystemMemoryHasOnlyTheCountersOfItsBits) {
  const auto seen = decoded<SystemMemory>(wire_system());
  EXPECT_EQ(seen.system.source, "bpf");
  EXPECT_THAT(seen.system.meminfo_bytes,
              UnorderedElementsAre(Pair("MemTotal", 1000 * kPage), Pair("MemFree", 0),
                                   Pair("KernelStack", 16 * 1024), Pair("SwapTotal", 4 * kPage)));
  EXPECT_THAT(seen.system.swap_bytes, UnorderedElementsAre(Pair("total", 4 * kPage)));
}

TEST(Decode, VictimWithEverything) {
  const auto seen = decoded<VictimTask>(wire_victim());
  EXPECT_EQ(seen.seen_at, SeenAt::kKill);
  EXPECT_EQ(seen.role, Role::kChosen);
  EXPECT_TRUE(seen.state.sigkill_pending);
  EXPECT_FALSE(seen.state.group_exit);
  EXPECT_EQ(seen.pid, 100U);
  EXPECT_EQ(seen.tid, 101U);
  EXPECT_EQ(seen.ppid, 1U);
  EXPECT_EQ(seen.uid, 7U);
  EXPECT_EQ(seen.oom_score_adj, 1000);
  EXPECT_EQ(seen.threads, 3U);
  EXPECT_EQ(seen.start_boottime_ns, 100'000'000U);
  EXPECT_EQ(seen.comm, "hog");
  const Memory memory{.total_vm_bytes = 6 * kPage,
                      .anon_rss_bytes = 5 * kPage,
                      .file_rss_bytes = 4 * kPage,
                      .shmem_rss_bytes = 3 * kPage,
                      .swap_bytes = 2 * kPage,
                      .pgtables_bytes = 8192};
  EXPECT_EQ(seen.memory, memory);
  EXPECT_TRUE(seen.shares_mm);
  EXPECT_TRUE(seen.oom_group);
  EXPECT_EQ(seen.cgroup, "/a/b");
  EXPECT_FALSE(seen.cgroup_truncated);
  EXPECT_EQ(seen.cgroup_id, 7U);
  EXPECT_EQ(seen.exe, "/usr/bin/hog");
  EXPECT_TRUE(seen.exe_deleted);
  EXPECT_THAT(seen.ancestry, ElementsAre(Ancestor{50, "shell"}, Ancestor{1, "init"}));
  ASSERT_EQ(seen.ns_pids.size(), 2U);
  EXPECT_EQ(seen.ns_pids[0].pid, 5U);
  EXPECT_EQ(seen.ns_pids[1].ns_inum, 4026531836U);
  ASSERT_TRUE(seen.invoker);
  expect_invoker(*seen.invoker);
}

TEST(Decode, VictimWithoutMemoryExeAndInvoker) {
  auto record = wire_victim();
  record.hdr.has = 0;
  const auto seen = decoded<VictimTask>(record);
  EXPECT_EQ(seen.memory, Memory{});
  EXPECT_FALSE(seen.exe);
  EXPECT_FALSE(seen.exe_deleted);
  EXPECT_FALSE(seen.invoker);
  EXPECT_FALSE(seen.shares_mm);
}

TEST(Decode, HalfAPathIsNoExe) {
  auto record = wire_victim();
  record.exe.truncated = 1;
  record.cgroup.truncated = 1;
  const auto seen = decoded<VictimTask>(record);
  EXPECT_FALSE(seen.exe);
  EXPECT_TRUE(seen.cgroup_truncated);
}

TEST(Decode, EveryRoleAndPlaceOfSight) {
  auto record = wire_victim();
  const std::vector<std::pair<unsigned, Role>> roles{{OW_ROLE_UNKNOWN, Role::kUnknown},
                                                     {OW_ROLE_CHOSEN, Role::kChosen},
                                                     {OW_ROLE_GROUP, Role::kGroup},
                                                     {OW_ROLE_SHARED_MM, Role::kSharedMm},
                                                     {OW_ROLE_EXITING, Role::kAlreadyExiting},
                                                     {99, Role::kUnknown}};
  for (const auto& [raw, role] : roles) {
    record.role = raw;
    EXPECT_EQ(decoded<VictimTask>(record).role, role) << raw;
  }
  const std::vector<std::pair<unsigned, SeenAt>> places{{OW_SEEN_AT_KILL, SeenAt::kKill},
                                                        {OW_SEEN_AT_MARK, SeenAt::kMark},
                                                        {OW_SEEN_AT_DELIVER, SeenAt::kDeliver}};
  for (const auto& [raw, place] : places) {
    record.seen_at = raw;
    EXPECT_EQ(decoded<VictimTask>(record).seen_at, place) << raw;
  }
}

TEST(Decode, MarkOfBothKindsOfTracepoint) {
  const auto full = decoded<Marked>(wire_mark());
  EXPECT_EQ(full.pid, 100U);
  EXPECT_EQ(full.tid, 101U);
  EXPECT_EQ(full.uid, 7U);
  EXPECT_EQ(full.oom_score_adj, -17);
  EXPECT_EQ(full.comm, "hog");
  ASSERT_TRUE(full.memory);
  const Memory memory{.total_vm_bytes = 9000,
                      .anon_rss_bytes = 8000,
                      .file_rss_bytes = 700,
                      .shmem_rss_bytes = 60,
                      .swap_bytes = {},
                      .pgtables_bytes = 5};
  EXPECT_EQ(*full.memory, memory);
  expect_invoker(full.invoker);

  auto bare = wire_mark();
  bare.hdr.has = 0;
  const auto seen = decoded<Marked>(bare);
  EXPECT_EQ(seen.tid, 101U);
  EXPECT_FALSE(seen.pid || seen.memory || seen.uid || seen.oom_score_adj || seen.comm);
}

TEST(Decode, ArgvWithItsNuls) {
  const auto seen = decoded<Delivered>(wire_argv());
  EXPECT_EQ(seen.argv, std::string("hog\0-x\0", 7));
  EXPECT_EQ(seen.argv_bytes, 7U);
  EXPECT_EQ(seen.pid, 100U);
  EXPECT_EQ(seen.error, 0);
}

TEST(Decode, EmptyArgvIsNotAMissingOne) {
  EXPECT_EQ(decoded<Delivered>(wire_argv("")).argv, "");
  auto failed = wire_argv("");
  failed.hdr.has = 0;
  failed.error = -EFAULT;
  const auto seen = decoded<Delivered>(failed);
  EXPECT_FALSE(seen.argv);
  EXPECT_EQ(seen.error, EFAULT);
}

TEST(Decode, ArgvUpToItsLastByte) {
  const std::string full(OW_ARGV_BYTES, 'x');
  EXPECT_EQ(decoded<Delivered>(wire_argv(full)).argv, full);
}

TEST(Decode, ReaperPhasesAndExit) {
  const std::vector<std::pair<ow_reap_phase, ReapPhase>> phases{
      {OW_REAP_WAKE, ReapPhase::kWake},
      {OW_REAP_START, ReapPhase::kStart},
      {OW_REAP_FINISH, ReapPhase::kFinish},
      {OW_REAP_SKIP, ReapPhase::kSkip}};
  for (const auto& [raw, phase] : phases) {
    const auto seen = decoded<Reaped>(wire_reap(raw));
    EXPECT_EQ(seen.phase, phase);
    EXPECT_EQ(seen.tid, 101U);
  }
  const auto seen = decoded<Exited>(wire_exit());
  EXPECT_EQ(seen.pid, 100U);
  EXPECT_EQ(seen.exit_code, 9U);
}

}  // namespace
}  // namespace oomwitness
