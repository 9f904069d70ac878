// SPDX-License-Identifier: BSD-2-Clause
#include "capture/decode.h"

#include <climits>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "wire_records.h"

namespace oomwitness {
namespace {

using namespace testing;  // the records
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

template <typename Seen, typename Record>
Seen decoded(const Record& record) {
  const auto seen = decode(as_bytes_of(record), kPage);
  if (!seen) {
    ADD_FAILURE() << seen.error().message();
    return {};
  }
  const Seen* value = std::get_if<Seen>(&*seen);
  if (value == nullptr) {
    ADD_FAILURE() << "decoded as alternative " << seen->index();
    return {};
  }
  EXPECT_EQ(value->at_ns, kAtNs);
  EXPECT_EQ(value->id, kDecisionId);
  return *value;
}

template <typename Record>
int refused(const Record& record) {
  const auto seen = decode(as_bytes_of(record), kPage);
  return seen ? 0 : seen.error().code().value();
}

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

TEST(Decode, EveryTruncationIsAnError) {
  for (const std::vector<std::byte>& whole : one_of_each()) {
    ASSERT_TRUE(decode(whole, kPage)) << decode(whole, kPage).error().message();
    for (std::size_t size = 0; size < whole.size(); ++size) {
      // Of its own size: a sanitizer sees what is read behind it.
      std::vector<std::byte> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      ASSERT_FALSE(decode(cut, kPage)) << size << " of " << whole.size();
      if (size < sizeof(ow_header)) continue;
      // A record that says its size truly, but is too small for its kind.
      const auto said = static_cast<std::uint32_t>(size);
      std::memcpy(&cut[offsetof(ow_header, size)], &said, sizeof(said));
      const auto seen = decode(cut, kPage);
      ASSERT_FALSE(seen) << size << " of " << whole.size();
      ASSERT_EQ(seen.error().code().value(), EBADMSG);
    }
  }
}

TEST(Decode, MoreBytesThanItSaysIsAnError) {
  for (std::vector<std::byte> record : one_of_each()) {
    record.push_back(std::byte{0});
    const auto seen = decode(record, kPage);
    ASSERT_FALSE(seen);
    EXPECT_EQ(seen.error().code().value(), EBADMSG);
  }
}

TEST(Decode, LengthsThatLieAreErrors) {
  auto memcg = wire_memcg();
  memcg.levels = OW_MEMCG_LEVELS + 1;
  EXPECT_EQ(refused(memcg), EBADMSG);
  auto candidates = wire_candidates();
  candidates.listed = OW_CANDIDATES + 1;
  EXPECT_EQ(refused(candidates), EBADMSG);
  auto stack = wire_stack();
  stack.kernel_frames = OW_KSTACK_FRAMES + 1;
  EXPECT_EQ(refused(stack), EBADMSG);
  stack = wire_stack();
  stack.user_frames = UINT32_MAX;
  EXPECT_EQ(refused(stack), EBADMSG);
  auto victim = wire_victim();
  victim.ns_levels = OW_NS_LEVELS + 1;
  EXPECT_EQ(refused(victim), EBADMSG);
  victim = wire_victim();
  victim.ancestors = OW_ANCESTORS + 1;
  EXPECT_EQ(refused(victim), EBADMSG);
  auto argv = wire_argv();
  argv.captured = OW_ARGV_BYTES + 1;
  EXPECT_EQ(refused(argv), EBADMSG);
  auto reap = wire_reap();
  reap.phase = 5;
  EXPECT_EQ(refused(reap), EBADMSG);
}

TEST(Decode, PathsThatLieAreErrors) {
  auto decision = wire_decision();
  decision.cgroup.used = sizeof(decision.cgroup.names) + 1;
  EXPECT_EQ(refused(decision), EBADMSG);
  auto memcg = wire_memcg();
  memcg.path.used = UINT32_MAX;
  EXPECT_EQ(refused(memcg), EBADMSG);
  auto victim = wire_victim();
  victim.cgroup.used = UINT32_MAX;
  EXPECT_EQ(refused(victim), EBADMSG);
  victim = wire_victim();
  victim.exe.used = UINT32_MAX;
  EXPECT_EQ(refused(victim), EBADMSG);
}

TEST(Decode, ErrorNumbersThatNoKernelReturnsAreErrors) {
  auto argv = wire_argv("");
  argv.hdr.has = 0;
  argv.error = INT_MIN;
  EXPECT_EQ(refused(argv), EBADMSG);
}

TEST(Decode, FullPathsAndPathsWithoutAnEnd) {
  auto victim = wire_victim();
  std::memset(&victim.cgroup.names[0], 'n', sizeof(victim.cgroup.names));
  victim.cgroup.used = sizeof(victim.cgroup.names);
  victim.cgroup.levels = OW_PATH_LEVELS;
  EXPECT_EQ(decoded<VictimTask>(victim).cgroup,
            "/" + std::string(sizeof(victim.cgroup.names), 'n'));
  victim.cgroup.levels = 0;
  EXPECT_EQ(decoded<VictimTask>(victim).cgroup, "/");
  victim.cgroup.levels = UINT16_MAX;
  victim.cgroup.used = 0;
  EXPECT_EQ(decoded<VictimTask>(victim).cgroup, "/");
}

TEST(Decode, MoreLevelsThanNamesGiveOnlyTheNamedOnes) {
  auto memcg = wire_memcg();
  memcg.levels = OW_MEMCG_LEVELS;
  EXPECT_EQ(decoded<MemcgChain>(memcg).levels.size(), 2U);
}

TEST(Decode, HostileBytesComeThroughAsTheyAre) {
  const std::string comm = "\x1b[31m\xff\n\"\\";
  auto victim = wire_victim();
  set(victim.comm, comm);
  set(victim.cgroup, {"\x80\n", "a b"});
  set(victim.exe, {"\xf0\x28 (deleted)"});
  const auto seen = decoded<VictimTask>(victim);
  EXPECT_EQ(seen.comm, comm);
  EXPECT_EQ(seen.cgroup, "/a b/\x80\n");
  EXPECT_EQ(seen.exe, "/\xf0\x28 (deleted)");
}

TEST(Decode, CommWithoutANulEndsWithItsField) {
  auto victim = wire_victim();
  set(victim.comm, std::string(OW_COMM_LEN, 'c'));
  set(victim.ancestor[0].comm, std::string(OW_COMM_LEN, 'd'));
  const auto seen = decoded<VictimTask>(victim);
  EXPECT_EQ(seen.comm, std::string(OW_COMM_LEN, 'c'));
  EXPECT_EQ(seen.ancestry.at(0).comm, std::string(OW_COMM_LEN, 'd'));
}

TEST(Decode, OtherVersionsAndKindsAreRefused) {
  auto record = wire_exit();
  record.hdr.version = OW_WIRE_VERSION + 1;
  EXPECT_EQ(refused(record), EPROTO);
  for (const unsigned kind : {0U, 11U, 65535U}) {
    record = wire_exit();
    record.hdr.kind = static_cast<__u16>(kind);
    EXPECT_EQ(refused(record), EPROTO) << kind;
  }
}

TEST(Decode, ArgvBytesAreTheRecordsOwn) {
  std::vector<std::byte> record = bytes_of(wire_argv());
  const std::span<char> argv = argv_bytes(record);
  ASSERT_EQ(std::string(argv.begin(), argv.end()), std::string("hog\0-x\0", 7));
  argv[4] = '*';
  const auto seen = decode(record, kPage);
  ASSERT_TRUE(seen);
  EXPECT_EQ(std::get<Delivered>(*seen).argv, std::string("hog\0*x\0", 7));
}

TEST(Decode, ArgvBytesOfALiarEndWithTheRecord) {
  auto record = wire_argv();
  record.captured = UINT32_MAX;
  std::vector<std::byte> bytes = bytes_of(record);
  const std::span<char> argv = argv_bytes(bytes);
  EXPECT_EQ(argv.size(), static_cast<std::size_t>(OW_ARGV_BYTES));
  EXPECT_LE(std::as_bytes(argv).data() + argv.size(), bytes.data() + bytes.size());
}

TEST(Decode, OtherRecordsHaveNoArgvBytes) {
  for (std::vector<std::byte> record : one_of_each()) {
    ow_header header{};
    std::memcpy(&header, record.data(), sizeof(header));
    if (header.kind == OW_KIND_ARGV) {
      record.pop_back();
      EXPECT_THAT(argv_bytes(record), IsEmpty());
    } else {
      record.resize(std::max(record.size(), sizeof(ow_argv)));
      EXPECT_THAT(argv_bytes(record), IsEmpty()) << header.kind;
    }
  }
  EXPECT_THAT(argv_bytes({}), IsEmpty());
}

}  // namespace
}  // namespace oomwitness
