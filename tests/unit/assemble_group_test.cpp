// SPDX-License-Identifier: BSD-2-Clause
// memory.oom.group, hosts with tracepoints only, and kernels whose marks are bare thread ids.
#include "assemble_fixture.h"

namespace oomwitness::testing {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;

TEST(AssembleGroup, OneDecisionManyVictimsOneIncident) {
  Bench bench;
  bench.see(decision(1, kT0), memcg_stat(1, kT0));
  for (std::uint32_t pid = 100; pid < 105; ++pid)
    bench.see(group_task(1, kT0 + pid, pid), marked(1, kT0 + pid, pid), facts(kT0 + pid, pid));
  for (std::uint32_t pid = 100; pid < 105; ++pid) bench.see(exited(1, kT0 + pid * 1000, pid));
  EXPECT_THAT(bench.out, IsEmpty());
  bench.advance(kT0 + 104 + 50 * kMs);
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_THAT(pids(bench.out[0]), ElementsAre(100, 101, 102, 103, 104));
  EXPECT_THAT(roles(bench.out[0]),
              ElementsAre(Role::kChosen, Role::kGroup, Role::kGroup, Role::kGroup, Role::kGroup));
  EXPECT_EQ(bench.out[0].victims[0].points, 4456);
  EXPECT_EQ(bench.out[0].victims[1].points, std::nullopt);
  EXPECT_THAT(bench.out[0].provenance.missing, Not(Contains(Key("victims[4].exited_ns"))));
}

TEST(AssembleGroup, TheChosenOnePassesTwiceAndIsOneVictim) {
  Bench bench;
  bench.see(decision(1, kT0), group_task(1, kT0, 100), marked(1, kT0, 100),
            group_task(1, kT0 + 1, 101), marked(1, kT0 + 1, 101), group_task(1, kT0 + 2, 100));
  bench.flush(kT0 + kMs);
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_THAT(pids(bench.out[0]), ElementsAre(100, 101));
}

TEST(AssembleGroup, IsQuietBeforeItIsComplete) {
  Bench bench;
  bench.see(decision(1, kT0), memcg_stat(1, kT0), group_task(1, kT0, 100), marked(1, kT0, 100),
            facts(kT0, 100), exited(1, kT0 + kMs, 100));
  EXPECT_THAT(bench.out, IsEmpty());
  EXPECT_EQ(bench.deadline(), kT0 + 50 * kMs);
  bench.see(group_task(1, kT0 + 40 * kMs, 101), marked(1, kT0 + 40 * kMs, 101),
            facts(kT0 + 40 * kMs, 101), exited(1, kT0 + 41 * kMs, 101));
  EXPECT_EQ(bench.deadline(), kT0 + 90 * kMs);
  bench.advance(kT0 + 90 * kMs);
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_THAT(pids(bench.out[0]), ElementsAre(100, 101));
}

// ---- tracepoints only: no decision, so no number

TEST(AssembleTracepoints, MarksInARowByOneInvokerAreOneGroup) {
  Bench bench(config_of_tracepoints());
  for (std::uint32_t pid = 100; pid < 103; ++pid)
    bench.see(group_task(0, kT0 + pid, pid, SeenAt::kMark), marked(0, kT0 + pid, pid),
              facts(kT0 + pid, pid), exited(0, kT0 + pid, pid));
  EXPECT_THAT(bench.out, IsEmpty());
  bench.advance(kT0 + 102 + 50 * kMs);
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_THAT(pids(bench.out[0]), ElementsAre(100, 101, 102));
  EXPECT_THAT(roles(bench.out[0]), ElementsAre(Role::kChosen, Role::kGroup, Role::kGroup));
  EXPECT_EQ(bench.out[0].invoker.tid, 501U);
  EXPECT_EQ(bench.out[0].monotonic_ns, kT0 + 100);
}

TEST(AssembleTracepoints, TheMarkMayComeBeforeTheTaskThatTellsOfTheGroup) {
  Bench bench(config_of_tracepoints());
  for (std::uint32_t pid = 100; pid < 103; ++pid)
    bench.see(marked(0, kT0 + pid, pid), group_task(0, kT0 + pid, pid, SeenAt::kMark));
  bench.flush(kT0 + kMs);
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_THAT(pids(bench.out[0]), ElementsAre(100, 101, 102));
  for (const Victim& victim : bench.out[0].victims) {
    EXPECT_TRUE(victim.timeline.marked_ns);
    EXPECT_TRUE(victim.comm);
  }
}

// The log is read faster than the ring: its account of the later members waits, and finds the first
// of them before that one is known to be of the group.
TEST(AssembleTracepoints, TheLogMayTellOfTheRestBeforeTheMarksDo) {
  Bench bench(config_of_tracepoints());
  bench.see(marked(0, kT0, 100), group_task(0, kT0, 100, SeenAt::kMark), log_report(kT0 + 1, 100));
  LogReport rest = log_report(kT0 + 2, 101);
  rest.victims.push_back(rest.victims.front());
  rest.victims.back().pid = 102;
  bench.see(rest);
  for (std::uint32_t pid = 101; pid < 104; ++pid)
    bench.see(marked(0, kT0 + pid, pid), group_task(0, kT0 + pid, pid, SeenAt::kMark));
  bench.flush(kT0 + kMs);
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_THAT(pids(bench.out[0]), ElementsAre(100, 101, 102, 103));
}

// Marks with a bare thread id tell of no cgroup: who is in a group shows when the victims take the
// signal, and the first one marked may be the last to do so.
TEST(AssembleTracepoints, TheFirstMarkedMayBeTheLastKnownToBeOfTheGroup) {
  Bench bench(config_of_tracepoints());
  for (std::uint32_t pid = 100; pid < 103; ++pid) bench.see(marked_tid(0, kT0 + pid, pid));
  for (const std::uint32_t pid : {101U, 102U, 100U})
    bench.see(group_task(0, kT0 + kMs + pid, pid, SeenAt::kDeliver));
  bench.flush(kT0 + 3 * kMs);
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_THAT(pids(bench.out[0]), ElementsAre(100, 101, 102));
}

TEST(AssembleTracepoints, MarksOutsideAGroupAreKillsOfTheirOwn) {
  Bench bench(config_of_tracepoints());
  bench.see(task(0, kT0, 100, SeenAt::kMark), marked(0, kT0, 100),
            task(0, kT0 + 1, 101, SeenAt::kMark), marked(0, kT0 + 1, 101));
  bench.flush(kT0 + kMs);
  EXPECT_THAT(bench.out, SizeIs(2));
}

TEST(AssembleTracepoints, BothMustBeInAGroup) {
  for (const bool first_in_group : {false, true}) {
    auto one = task(0, kT0, 100, SeenAt::kMark);
    auto two = task(0, kT0 + 1, 101, SeenAt::kMark);
    (first_in_group ? one : two).oom_group = true;
    Bench bench(config_of_tracepoints());
    bench.see(one, marked(0, kT0, 100), two, marked(0, kT0 + 1, 101)).flush(kT0 + kMs);
    EXPECT_THAT(bench.out, SizeIs(2));
  }
}

TEST(AssembleTracepoints, AnotherInvokerIsAnotherKill) {
  auto other = group_task(0, kT0 + 1, 101, SeenAt::kMark);
  other.invoker = invoker(777);
  auto mark = marked(0, kT0 + 1, 101);
  mark.invoker = invoker(777);
  Bench bench(config_of_tracepoints());
  bench.see(group_task(0, kT0, 100, SeenAt::kMark), marked(0, kT0, 100), other, mark);
  bench.flush(kT0 + kMs);
  EXPECT_THAT(bench.out, SizeIs(2));
}

TEST(AssembleTracepoints, TheSameInvokerMuchLaterIsAnotherKill) {
  Bench bench(config_of_tracepoints());
  bench.see(group_task(0, kT0, 100, SeenAt::kMark), marked(0, kT0, 100),
            group_task(0, kT0 + 51 * kMs, 101, SeenAt::kMark), marked(0, kT0 + 51 * kMs, 101));
  bench.flush(kT0 + 60 * kMs);
  EXPECT_THAT(bench.out, SizeIs(2));
}

TEST(AssembleTracepoints, AGroupMemberFoldedInKeepsWhatItHad) {
  Bench bench(config_of_tracepoints());
  bench.see(group_task(0, kT0, 100, SeenAt::kMark), marked(0, kT0, 100), marked(0, kT0 + 1, 101),
            delivered(0, kT0 + 2, 101), exited(0, kT0 + 3, 101),
            group_task(0, kT0 + 1, 101, SeenAt::kMark));
  bench.flush(kT0 + kMs);
  ASSERT_THAT(bench.out, SizeIs(1));
  ASSERT_THAT(bench.out[0].victims, SizeIs(2));
  EXPECT_EQ(bench.out[0].victims[1].timeline.exited_ns, kT0 + 3);
  EXPECT_THAT(bench.out[0].victims[1].cmdline.value(), ElementsAre("hog", "-x"));
}

TEST(AssembleTracepoints, WhatNoHookGivesIsMissingForTheHostsReason) {
  Bench bench(config_of_tracepoints());
  bench.see(task(0, kT0, 100, SeenAt::kMark), marked(0, kT0, 100), exited(0, kT0 + kMs, 100));
  bench.advance(kT0 + 500 * kMs);
  ASSERT_THAT(bench.out, SizeIs(1));
  const Incident& incident = bench.out[0];
  EXPECT_THAT(incident.provenance.missing, Contains(Pair("gfp", "no decision hook: EPERM")));
  EXPECT_THAT(incident.provenance.missing, Contains(Pair("order", "the decision was not seen")));
  EXPECT_THAT(
      incident.provenance.missing,
      Contains(Pair("victims[0].cmdline", "no signal_deliver hook; /proc: not read in time")));
  // Once for the victim it concerns, not again for the host.
  EXPECT_THAT(incident.provenance.missing, Not(Contains(Key("cmdline"))));
  EXPECT_EQ(incident.scope.constraint, std::nullopt);
  EXPECT_EQ(incident.scope.sysrq, std::nullopt);
  EXPECT_EQ(incident.scope.kill_allocating_task, std::nullopt);
  EXPECT_EQ(incident.selected, std::nullopt);
  EXPECT_EQ(incident.invoker.order, std::nullopt);
  EXPECT_EQ(incident.invoker.gfp, std::nullopt);
  EXPECT_EQ(incident.candidates, Candidates{});
}

TEST(AssembleTracepoints, TheVictimsOwnCgroupIsNotTheLimitThatWasHit) {
  Bench bench(config_of_tracepoints());
  bench.see(task(0, kT0, 100, SeenAt::kMark), chain(0, kT0, false), marked(0, kT0, 100), facts(kT0),
            exited(0, kT0 + kMs, 100));
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_EQ(bench.out[0].scope.memcg, std::nullopt);
  EXPECT_EQ(bench.out[0].victims[0].cgroup, "/a/b");
}

TEST(AssembleTracepoints, AKillHookAloneCallsNobodyAGroup) {
  // With __oom_kill_process but no oom_kill_process the kernel side knows no chosen one.
  auto killed = task(0, kT0);
  killed.role = Role::kGroup;
  Bench bench(config_of_tracepoints());
  bench.see(killed, marked(0, kT0)).flush(kT0 + kMs);
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_THAT(roles(bench.out[0]), ElementsAre(Role::kChosen));
}

TEST(AssembleTracepoints, ASecondThreadOfAVictimMarkedIsNoSecondKill) {
  auto again = marked(0, kT0 + kMs);
  again.tid = 107;
  Bench bench(config_of_tracepoints());
  bench.see(task(0, kT0, 100, SeenAt::kMark), marked(0, kT0), again).flush(kT0 + 2 * kMs);
  ASSERT_THAT(bench.out, SizeIs(1));
  ASSERT_THAT(bench.out[0].victims, SizeIs(1));
  EXPECT_EQ(bench.out[0].victims[0].timeline.marked_ns, kT0);
}

// ---- int-pid kernels: a mark is a thread id

TEST(AssembleBareTid, TheTaskJustRegisteredIsTheOneMarked) {
  Bench bench;
  bench.see(decision(1, kT0), group_task(1, kT0, 100), marked_tid(1, kT0, 109),
            group_task(1, kT0, 101), marked_tid(1, kT0 + 1, 119));
  bench.flush(kT0 + kMs);
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_THAT(pids(bench.out[0]), ElementsAre(100, 101));
  EXPECT_EQ(bench.out[0].victims[0].tid, 109U);
  EXPECT_EQ(bench.out[0].victims[1].tid, 119U);
}

TEST(AssembleBareTid, WithoutNumbersTheInvokerTells) {
  auto killed = task(0, kT0);
  Bench bench(config_of_tracepoints());
  bench.see(killed, marked_tid(0, kT0 + 1, 109)).flush(kT0 + kMs);
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_THAT(pids(bench.out[0]), ElementsAre(100));
  EXPECT_EQ(bench.out[0].victims[0].tid, 109U);
}

TEST(AssembleBareTid, ADeliveryCompletesABareMark) {
  auto described = task(0, kT0 + kMs, 100, SeenAt::kDeliver);
  described.tid = 109;
  auto taken = delivered(0, kT0 + kMs, 100);
  taken.tid = 109;
  Bench bench(config_of_tracepoints());
  bench.see(marked_tid(0, kT0, 109), described, taken, facts(kT0 + 2 * kMs),
            exited(0, kT0 + 3 * kMs, 100));
  ASSERT_THAT(bench.out, SizeIs(1));
  ASSERT_THAT(bench.out[0].victims, SizeIs(1));
  const Victim& victim = bench.out[0].victims[0];
  EXPECT_EQ(victim.pid, 100U);
  EXPECT_EQ(victim.tid, 109U);
  EXPECT_EQ(victim.comm, "hog");
  EXPECT_EQ(victim.timeline.marked_ns, kT0);
  EXPECT_EQ(victim.timeline.exited_ns, kT0 + 3 * kMs);
  EXPECT_EQ(victim.user, "joe");
}

TEST(AssembleBareTid, TheDeliveryMayComeBeforeTheMark) {
  auto taken = delivered(0, kT0, 100);
  taken.tid = 109;
  Bench bench(config_of_tracepoints());
  bench.see(taken, exited(0, kT0 + 1, 100), marked_tid(0, kT0 + 2, 109)).flush(kT0 + kMs);
  ASSERT_THAT(bench.out, SizeIs(1));
  ASSERT_THAT(bench.out[0].victims, SizeIs(1));
  EXPECT_EQ(bench.out[0].victims[0].pid, 100U);
  EXPECT_EQ(bench.out[0].victims[0].timeline.exited_ns, kT0 + 1);
}

TEST(AssembleBareTid, ALeadersMarkIsItsPid) {
  // Any thread of it may take the signal first; the leader's thread id is the pid.
  auto taken = delivered(0, kT0 + 1, 100);
  taken.tid = 150;
  Bench bench(config_of_tracepoints());
  bench.see(marked_tid(0, kT0, 100), taken, exited(0, kT0 + 2, 100)).flush(kT0 + kMs);
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_THAT(pids(bench.out[0]), ElementsAre(100));
  EXPECT_EQ(bench.out[0].victims[0].timeline.exited_ns, kT0 + 2);
}

TEST(AssembleBareTid, TheChosenThreadsProcessIsKnown) {
  auto chosen = decision(1, kT0);
  chosen.chosen->tid = 109;
  for (const bool mark_first : {false, true}) {
    Bench bench;
    if (mark_first) bench.see(marked_tid(1, kT0, 109), chosen);
    if (!mark_first) bench.see(chosen, marked_tid(1, kT0, 109));
    bench.see(exited(1, kT0 + 1, 100)).flush(kT0 + kMs);
    ASSERT_THAT(bench.out, SizeIs(1));
    EXPECT_THAT(pids(bench.out[0]), ElementsAre(100));
    EXPECT_THAT(roles(bench.out[0]), ElementsAre(Role::kChosen));
    EXPECT_EQ(bench.out[0].victims[0].timeline.exited_ns, kT0 + 1);
  }
}

TEST(AssembleBareTid, AMarkAloneHasNoPidAndSaysSo) {
  Bench bench(config_of_tracepoints());
  bench.see(marked_tid(0, kT0, 109));
  bench.advance(kT0 + 500 * kMs);
  ASSERT_THAT(bench.out, SizeIs(1));
  const Victim& victim = bench.out[0].victims.at(0);
  EXPECT_EQ(victim.pid, std::nullopt);
  EXPECT_EQ(victim.tid, 109U);
  EXPECT_EQ(victim.uid, std::nullopt);
  EXPECT_EQ(victim.oom_score_adj, std::nullopt);
  EXPECT_EQ(victim.threads, std::nullopt);
  EXPECT_EQ(victim.started_unix_ns, std::nullopt);
  EXPECT_EQ(victim.memory, Memory{});
  EXPECT_EQ(victim.cmdline, std::nullopt);
  for (const char* field : {"pid", "comm", "uid", "memory", "exited_ns", "cmdline", "cgroup"})
    EXPECT_THAT(bench.out[0].provenance.missing, Contains(Key("victims[0]." + std::string(field))));
}

TEST(AssembleBareTid, TheTracepointsOwnFieldsServeWhenNothingElseDoes) {
  auto mark = marked_tid(0, kT0, 109);
  mark.comm = "worker";
  mark.uid = 0U;
  mark.oom_score_adj = 0;
  mark.memory = Memory{.total_vm_bytes = 4096,
                       .anon_rss_bytes = 2048,
                       .file_rss_bytes = {},
                       .shmem_rss_bytes = {},
                       .swap_bytes = {},
                       .pgtables_bytes = {}};
  Bench bench(config_of_tracepoints());
  bench.see(mark).flush(kT0 + 1);
  ASSERT_THAT(bench.out, SizeIs(1));
  const Victim& victim = bench.out[0].victims.at(0);
  EXPECT_EQ(victim.comm, "worker");
  EXPECT_EQ(victim.uid, 0U);
  EXPECT_EQ(victim.memory.anon_rss_bytes, 2048U);
  EXPECT_EQ(victim.memory.swap_bytes, std::nullopt);
}

TEST(AssembleBareTid, TheFirstThreadToTakeTheSignalMayBeAnother) {
  auto described = task(1, kT0 + kMs, 100, SeenAt::kDeliver);
  described.tid = 150;
  auto without_chosen = decision(1, kT0);
  without_chosen.chosen.reset();
  Bench bench;
  bench.see(without_chosen, marked_tid(1, kT0, 109), described).flush(kT0 + 2 * kMs);
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_THAT(pids(bench.out[0]), ElementsAre(100));
  EXPECT_EQ(bench.out[0].victims[0].tid, 109U);
}

}  // namespace
}  // namespace oomwitness::testing
