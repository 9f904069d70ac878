// SPDX-License-Identifier: BSD-2-Clause
// One kill, one victim: what is in the incident, and when it is written.
#include <algorithm>

#include "assemble_fixture.h"

namespace oomwitness::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;

TEST(AssembleKill, IsWrittenWhenTheLastThingKnownToComeIsIn) {
  Bench bench;
  bench.whole_kill(1, kT0);
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_EQ(bench.deadline(), std::nullopt);
}

TEST(AssembleKill, TellsTheDecision) {
  Bench bench;
  bench.whole_kill(1, kT0);
  ASSERT_THAT(bench.out, SizeIs(1));
  const Incident& incident = bench.out[0];
  EXPECT_EQ(incident.revision, 0U);
  EXPECT_EQ(incident.killer, "kernel");
  EXPECT_EQ(incident.monotonic_ns, kT0);
  EXPECT_EQ(incident.time_unix_ns, kUnixMinusMonotonic + static_cast<std::int64_t>(kT0));
  EXPECT_EQ(incident.host.boot_id, "b00t");
  EXPECT_EQ(incident.scope.constraint, "memcg");
  ASSERT_TRUE(incident.scope.memcg);
  EXPECT_EQ(incident.scope.memcg->self.path, "/a/b");
  ASSERT_THAT(incident.scope.memcg->ancestors, SizeIs(2));
  EXPECT_EQ(incident.scope.memcg->ancestors[1].limit_bytes, 60U);
  EXPECT_THAT(incident.scope.memcg->stat, ElementsAre(Pair("anon", 12)));
  EXPECT_EQ(incident.scope.mems_allowed, "0");
  EXPECT_EQ(incident.scope.sysrq, false);
  EXPECT_EQ(incident.scope.kill_allocating_task, false);
  EXPECT_EQ(incident.invoker.pid, 500U);
  EXPECT_EQ(incident.invoker.tid, 501U);
  EXPECT_EQ(incident.invoker.comm, "asker");
  EXPECT_EQ(incident.invoker.oom_score_adj, -5);
  EXPECT_EQ(incident.invoker.cgroup, "/asking");
  EXPECT_EQ(incident.invoker.order, 0);
  ASSERT_TRUE(incident.invoker.gfp);
  EXPECT_EQ(incident.invoker.gfp->mask, 0xcc0U);
  EXPECT_THAT(incident.invoker.gfp->flags, ElementsAre("GFP_KERNEL"));
  EXPECT_THAT(incident.invoker.kernel_stack, SizeIs(1));
  EXPECT_THAT(incident.invoker.user_stack, SizeIs(1));
  ASSERT_TRUE(incident.selected);
  EXPECT_EQ(incident.selected->pid, 100U);
  EXPECT_EQ(incident.selected->points, 4456);
  EXPECT_EQ(incident.candidates.considered, 3U);
  EXPECT_EQ(incident.candidates.unkillable, 1U);
  EXPECT_EQ(incident.candidates.listed, std::nullopt);
  EXPECT_EQ(incident.candidates.total_pages, 5120U);
  EXPECT_THAT(incident.candidates.top, SizeIs(1));
  EXPECT_EQ(incident.system.source, "bpf");
}

TEST(AssembleKill, TellsTheVictim) {
  Bench bench;
  bench.whole_kill(1, kT0);
  ASSERT_THAT(bench.out, SizeIs(1));
  ASSERT_THAT(bench.out[0].victims, SizeIs(1));
  const Victim& victim = bench.out[0].victims[0];
  EXPECT_EQ(victim.pid, 100U);
  EXPECT_EQ(victim.tid, 100U);
  EXPECT_EQ(victim.ns_pid, std::nullopt);
  EXPECT_EQ(victim.ppid, 1U);
  EXPECT_EQ(victim.comm, "hog");
  EXPECT_THAT(victim.cmdline.value(), ElementsAre("hog", "-x"));
  EXPECT_EQ(victim.cmdline_bytes, std::nullopt);
  EXPECT_EQ(victim.exe, "/usr/bin/hog");
  EXPECT_EQ(victim.exe_deleted, false);
  EXPECT_EQ(victim.uid, 7U);
  EXPECT_EQ(victim.user, "joe");
  EXPECT_EQ(victim.cgroup, "/a/b");
  EXPECT_EQ(victim.unit, "hog.service");
  EXPECT_EQ(victim.started_unix_ns, kUnixMinusBoottime + static_cast<std::int64_t>(100 * kMs));
  EXPECT_EQ(victim.oom_score_adj, 0);
  EXPECT_EQ(victim.points, 4456);
  EXPECT_EQ(victim.memory.anon_rss_bytes, 8000U);
  EXPECT_EQ(victim.role, Role::kChosen);
  EXPECT_EQ(victim.timeline.marked_ns, kT0 + kMs);
  EXPECT_EQ(victim.timeline.signalled_ns, kT0 + 2 * kMs);
  EXPECT_EQ(victim.timeline.exited_ns, kT0 + 5 * kMs);
  EXPECT_EQ(victim.timeline.reaped_ns, std::nullopt);
}

TEST(AssembleKill, NothingIsMissingWhenEverythingCame) {
  Bench bench;
  bench.whole_kill(1, kT0);
  ASSERT_THAT(bench.out, SizeIs(1));
  const Provenance& provenance = bench.out[0].provenance;
  EXPECT_THAT(provenance.missing, IsEmpty());
  EXPECT_THAT(provenance.sources, ElementsAre("bpf", "proc", "cgroupfs"));
  EXPECT_THAT(provenance.hooks, Contains(Pair("oom_kill_process", "fentry")));
  EXPECT_THAT(provenance.late,
              ElementsAre(Pair("scope.memcg.stat", "cgroupfs"), Pair("victims[0].unit", "proc"),
                          Pair("victims[0].user", "proc")));
  EXPECT_EQ(provenance.lost_events, 0U);
}

// Every order in which two CPUs and the readers can bring the records of one kill: the invoker's
// two, the victim's two, and what user space reads.
TEST(AssembleKill, AnyOrderAfterTheDecisionGivesTheSameIncident) {
  Bench reference;
  reference.whole_kill(1, kT0);
  const std::vector<Observation> rest = {
      task(1, kT0 + 1),     marked(1, kT0 + kMs),         delivered(1, kT0 + 2 * kMs),
      facts(kT0 + 3 * kMs), memcg_stat(1, kT0 + 3 * kMs), exited(1, kT0 + 5 * kMs),
  };
  std::vector<std::size_t> order = {0, 1, 2, 3, 4, 5};
  const auto before = [&order](std::size_t a, std::size_t b) {
    return std::find(order.begin(), order.end(), a) < std::find(order.begin(), order.end(), b);
  };
  do {
    if (!before(0, 1) || !before(2, 5)) continue;
    Bench bench;
    bench.see(decision(1, kT0), chain(1, kT0), candidates(1, kT0), stacks(1, kT0),
              system_memory(1, kT0));
    for (const std::size_t i : order) bench.see_at(kT0 + 5 * kMs, rest[i]);
    ASSERT_THAT(bench.out, SizeIs(1));
    ASSERT_EQ(bench.out[0], reference.out[0]);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(AssembleKill, DecisionRecordsMayComeBeforeTheDecision) {
  Bench reference;
  reference.whole_kill(1, kT0);
  Bench bench;
  bench.see(system_memory(1, kT0), stacks(1, kT0), candidates(1, kT0), chain(1, kT0));
  bench.whole_kill(1, kT0);
  EXPECT_EQ(bench.out, reference.out);
}

TEST(AssembleKill, WaitsForFactsNoLongerThanTheyAreWaitedFor) {
  Bench bench;
  bench.see(decision(1, kT0), task(1, kT0), marked(1, kT0), delivered(1, kT0), memcg_stat(1, kT0),
            exited(1, kT0 + kMs));
  EXPECT_EQ(bench.deadline(), kT0 + 250 * kMs);
  bench.advance(kT0 + 250 * kMs - 1);
  EXPECT_THAT(bench.out, IsEmpty());
  bench.advance(kT0 + 250 * kMs);
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_THAT(bench.out[0].provenance.missing,
              Contains(Pair("victims[0].user", "/proc was not read in time")));
}

TEST(AssembleKill, WaitsForTheMemcgStatOnlyIfALimitWasHit) {
  auto of_host = decision(1, kT0);
  of_host.memcg = false;
  of_host.constraint = 0U;
  Bench bench;
  bench.see(of_host, task(1, kT0), marked(1, kT0), facts(kT0), exited(1, kT0 + kMs));
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_EQ(bench.out[0].scope.constraint, "none");
  EXPECT_EQ(bench.out[0].scope.memcg, std::nullopt);
  EXPECT_THAT(bench.out[0].provenance.missing, Not(Contains(Key("memcg"))));

  Bench limited;
  limited.see(decision(1, kT0), task(1, kT0), marked(1, kT0), facts(kT0), exited(1, kT0 + kMs));
  EXPECT_THAT(limited.out, IsEmpty());
  limited.see(memcg_stat(1, kT0 + 9 * kMs));
  EXPECT_THAT(limited.out, SizeIs(1));
}

TEST(AssembleKill, FactsOfAnotherLifeOfThePidAreNotTaken) {
  auto others = facts(kT0);
  others.start_boottime_ns = 1;
  Bench bench;
  bench.see(decision(1, kT0), task(1, kT0), marked(1, kT0), others, memcg_stat(1, kT0),
            exited(1, kT0 + kMs));
  bench.advance(kT0 + 250 * kMs);
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_EQ(bench.out[0].victims[0].user, std::nullopt);
  EXPECT_THAT(bench.out[0].provenance.sources, ElementsAre("bpf"));
}

TEST(AssembleKill, FactsReadAtTheDecisionMayComeBeforeTheVictim) {
  Bench bench;
  bench.see(decision(1, kT0), facts(kT0), task(1, kT0), marked(1, kT0), memcg_stat(1, kT0),
            exited(1, kT0 + kMs));
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_EQ(bench.out[0].victims[0].user, "joe");
}

TEST(AssembleKill, ExitAndDeliveryMayComeBeforeTheMark) {
  Bench bench;
  bench.see(decision(1, kT0), delivered(1, kT0 + kMs), exited(1, kT0 + kMs + 1),
            marked(1, kT0 + kMs + 2), facts(kT0 + 2 * kMs), memcg_stat(1, kT0 + 2 * kMs));
  ASSERT_THAT(bench.out, SizeIs(1));
  const Timeline& timeline = bench.out[0].victims.at(0).timeline;
  EXPECT_EQ(timeline.marked_ns, kT0 + kMs + 2);
  EXPECT_EQ(timeline.signalled_ns, kT0 + kMs);
  EXPECT_EQ(timeline.exited_ns, kT0 + kMs + 1);
}

TEST(AssembleKill, AVictimGoneBeforeItsMarkIsWaitedForAMoment) {
  Bench bench;
  bench.see(decision(1, kT0), task(1, kT0), facts(kT0), memcg_stat(1, kT0), exited(1, kT0 + kMs));
  EXPECT_THAT(bench.out, IsEmpty());
  EXPECT_EQ(bench.deadline(), kT0 + 51 * kMs);
  bench.see(marked(1, kT0 + kMs + 1));
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_EQ(bench.out[0].victims[0].timeline.marked_ns, kT0 + kMs + 1);
}

TEST(AssembleKill, TheFirstThreadCounts) {
  Bench bench;
  auto second = delivered(1, kT0 + 3 * kMs);
  second.tid = 103;
  second.argv = "other";
  bench.see(decision(1, kT0), task(1, kT0), marked(1, kT0), delivered(1, kT0 + 2 * kMs), second,
            exited(1, kT0 + 4 * kMs), exited(1, kT0 + 6 * kMs), facts(kT0 + 6 * kMs),
            memcg_stat(1, kT0 + 6 * kMs), second);
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_EQ(bench.out[0].victims[0].timeline.signalled_ns, kT0 + 2 * kMs);
  EXPECT_EQ(bench.out[0].victims[0].timeline.exited_ns, kT0 + 4 * kMs);
  EXPECT_THAT(bench.out[0].victims[0].cmdline.value(), ElementsAre("hog", "-x"));
}

TEST(AssembleKill, AThreadMayBeTheVictim) {
  auto thread = task(1, kT0);
  thread.tid = 107;
  thread.threads = 8;
  auto mark = marked(1, kT0);
  mark.tid = 107;
  Bench bench;
  bench.see(decision(1, kT0), thread, mark, reaped(kT0 + 10, 107, ReapPhase::kStart),
            reaped(kT0 + 20, 107, ReapPhase::kFinish), facts(kT0 + 30), memcg_stat(1, kT0 + 30),
            exited(1, kT0 + 40));
  ASSERT_THAT(bench.out, SizeIs(1));
  ASSERT_THAT(bench.out[0].victims, SizeIs(1));
  const Victim& victim = bench.out[0].victims[0];
  EXPECT_EQ(victim.pid, 100U);
  EXPECT_EQ(victim.tid, 107U);
  EXPECT_EQ(victim.threads, 8U);
  EXPECT_EQ(victim.timeline.reap_started_ns, kT0 + 10);
  EXPECT_EQ(victim.timeline.reaped_ns, kT0 + 20);
  EXPECT_EQ(victim.timeline.reap_skipped, std::nullopt);
}

TEST(AssembleKill, TheReaperMaySkip) {
  Bench bench;
  bench.see(decision(1, kT0), task(1, kT0), marked(1, kT0), reaped(kT0 + 10, 100, ReapPhase::kWake),
            reaped(kT0 + 20, 100, ReapPhase::kSkip), facts(kT0 + 30), memcg_stat(1, kT0 + 30),
            exited(1, kT0 + 40));
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_EQ(bench.out[0].victims[0].timeline.reap_skipped, true);
  EXPECT_EQ(bench.out[0].victims[0].timeline.reap_started_ns, std::nullopt);
}

TEST(AssembleKill, InANamespaceTheInnermostPidIsTold) {
  auto nested = task(1, kT0);
  nested.ns_pids = {{.pid = 3, .ns_inum = 9}, {.pid = 100, .ns_inum = 1}};
  Bench bench;
  bench.see(decision(1, kT0), nested, marked(1, kT0), facts(kT0), memcg_stat(1, kT0),
            exited(1, kT0 + 1));
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_EQ(bench.out[0].victims[0].ns_pid, 3U);
}

TEST(AssembleKill, KillAllocatingTaskWeighsNobody) {
  auto allocating = decision(1, kT0);
  allocating.message = "Out of memory (oom_kill_allocating_task)";
  allocating.chosen->points = 0;
  allocating.scanned = false;
  allocating.memcg = false;
  CandidateList none;
  none.at_ns = kT0;
  none.id = 1;
  Bench bench;
  bench.see(allocating, none, task(1, kT0), marked(1, kT0), facts(kT0), exited(1, kT0 + 1));
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_EQ(bench.out[0].scope.kill_allocating_task, true);
  EXPECT_EQ(bench.out[0].candidates.considered, std::nullopt);
  EXPECT_EQ(bench.out[0].selected->points, std::nullopt);
  EXPECT_EQ(bench.out[0].victims[0].points, std::nullopt);
  EXPECT_THAT(bench.out[0].provenance.missing,
              Contains(Pair("candidates", "oom_kill_allocating_task weighs nobody")));
}

TEST(AssembleKill, SysrqIsOrderMinusOne) {
  auto sysrq = decision(1, kT0);
  sysrq.order = -1;
  sysrq.memcg = false;
  sysrq.invoker.kernel_thread = true;
  Bench bench;
  bench.see(sysrq, task(1, kT0), marked(1, kT0), facts(kT0), exited(1, kT0 + 1));
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_EQ(bench.out[0].scope.sysrq, true);
  EXPECT_EQ(bench.out[0].invoker.kernel_thread, true);
  // A kernel thread has no user stack to miss.
  EXPECT_THAT(bench.out[0].provenance.missing, Not(Contains(Key("user_stack"))));
}

TEST(AssembleKill, ConstraintsHaveWordsAndUnknownOnesKeepTheirNumber) {
  const std::vector<std::pair<std::uint32_t, std::string>> words = {
      {0, "none"}, {1, "cpuset"}, {2, "mempolicy"}, {3, "memcg"}, {17, "constraint-17"}};
  for (const auto& [number, word] : words) {
    auto constrained = decision(1, kT0);
    constrained.constraint = number;
    Bench bench;
    bench.see(constrained).flush(kT0 + kMs);
    ASSERT_THAT(bench.out, SizeIs(1));
    EXPECT_EQ(bench.out[0].scope.constraint, word);
  }
}

TEST(AssembleKill, WhoWasDyingWhenChosenWasNotKilled) {
  auto dying = decision(1, kT0);
  dying.chosen->state.group_exit = true;
  Bench bench;
  bench.see(dying, task(1, kT0, 100, SeenAt::kMark), marked(1, kT0), facts(kT0), memcg_stat(1, kT0),
            exited(1, kT0 + 1));
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_THAT(roles(bench.out[0]), ElementsAre(Role::kAlreadyExiting));
  EXPECT_THAT(bench.out[0].provenance.missing, Not(Contains(Key("victims[0].signalled_ns"))));
}

TEST(AssembleKill, WhoReachedTheKillWasKilledWhateverItWasDoing) {
  auto dying = decision(1, kT0);
  dying.chosen->state.sigkill_pending = true;
  Bench bench;
  bench.see(dying, task(1, kT0), marked(1, kT0), facts(kT0), memcg_stat(1, kT0),
            exited(1, kT0 + 1));
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_THAT(roles(bench.out[0]), ElementsAre(Role::kChosen));
}

TEST(AssembleKill, AMarkWithoutADecisionIsOfATaskDyingAlready) {
  auto dying = task(0, kT0, 100, SeenAt::kMark);
  dying.state.sigkill_pending = true;
  Bench bench;
  bench.see(dying, marked(0, kT0), facts(kT0), exited(0, kT0 + kMs));
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_THAT(roles(bench.out[0]), ElementsAre(Role::kAlreadyExiting));
  const std::string why = "the task was exiting already: no kill was decided";
  EXPECT_THAT(bench.out[0].provenance.missing, Contains(Pair("decision", why)));
  EXPECT_THAT(bench.out[0].provenance.missing, Contains(Pair("gfp", why)));
  EXPECT_EQ(bench.out[0].scope.sysrq, std::nullopt);
  EXPECT_EQ(bench.out[0].invoker.pid, 500U);
}

TEST(AssembleKill, WithoutADecisionHookAPendingSignalSaysNothing) {
  auto killed = task(0, kT0, 100, SeenAt::kMark);
  killed.state.sigkill_pending = true;
  killed.state.group_exit = true;
  Bench bench(config_of_tracepoints());
  bench.see(killed, marked(0, kT0), facts(kT0), exited(0, kT0 + kMs));
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_THAT(roles(bench.out[0]), ElementsAre(Role::kChosen));
}

TEST(AssembleKill, ASharerOfTheMemoryIsAVictimToo) {
  auto sharing = task(1, kT0);
  sharing.shares_mm = true;
  auto sharer = task(1, kT0 + 3 * kMs, 200, SeenAt::kDeliver);
  sharer.role = Role::kSharedMm;
  Bench bench;
  bench.see(decision(1, kT0), sharing, marked(1, kT0), facts(kT0), memcg_stat(1, kT0),
            exited(1, kT0 + kMs));
  EXPECT_THAT(bench.out, IsEmpty());
  EXPECT_EQ(bench.deadline(), kT0 + 500 * kMs);
  bench.see(sharer, delivered(1, kT0 + 3 * kMs, 200), facts(kT0 + 4 * kMs, 200),
            exited(1, kT0 + 5 * kMs, 200));
  bench.advance(kT0 + 53 * kMs);
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_THAT(pids(bench.out[0]), ElementsAre(100, 200));
  EXPECT_THAT(roles(bench.out[0]), ElementsAre(Role::kChosen, Role::kSharedMm));
  EXPECT_THAT(bench.out[0].provenance.missing, Not(Contains(Key("victims[1].marked_ns"))));
}

TEST(AssembleKill, ASharerThatNeverTurnsUpIsNotWaitedForForever) {
  auto sharing = task(1, kT0);
  sharing.shares_mm = true;
  Bench bench;
  bench.see(decision(1, kT0), sharing, marked(1, kT0), facts(kT0), memcg_stat(1, kT0),
            exited(1, kT0 + kMs));
  bench.advance(kT0 + 500 * kMs);
  EXPECT_THAT(bench.out, SizeIs(1));
  EXPECT_EQ(bench.deadline(), std::nullopt);
}

TEST(AssembleKill, ASharerWithoutADecisionJoinsWhomItSharedWith) {
  auto sharing = task(0, kT0, 100, SeenAt::kMark);
  sharing.shares_mm = true;
  auto sharer = task(0, kT0 + kMs, 200, SeenAt::kDeliver);
  sharer.role = Role::kSharedMm;
  Bench bench(config_of_tracepoints());
  bench.see(sharing, marked(0, kT0), sharer).flush(kT0 + kMs);
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_THAT(roles(bench.out[0]), ElementsAre(Role::kChosen, Role::kSharedMm));
}

TEST(AssembleKill, TwoAtOnceDoNotMix) {
  Bench bench;
  bench.see(decision(1, kT0, 100), decision(2, kT0 + 1, 200), task(2, kT0 + 2, 200),
            task(1, kT0 + 2, 100), chain(2, kT0 + 2), marked(2, kT0 + 3, 200),
            marked(1, kT0 + 3, 100), memcg_stat(2, kT0 + 4), memcg_stat(1, kT0 + 4),
            facts(kT0 + 5, 100), facts(kT0 + 5, 200), exited(2, kT0 + 6, 200),
            exited(1, kT0 + 7, 100));
  ASSERT_THAT(bench.out, SizeIs(2));
  EXPECT_THAT(pids(bench.out[0]), ElementsAre(200));
  EXPECT_THAT(pids(bench.out[1]), ElementsAre(100));
  EXPECT_TRUE(bench.out[0].scope.memcg);
  EXPECT_FALSE(bench.out[1].scope.memcg);
  EXPECT_NE(bench.out[0].id, bench.out[1].id);
}

TEST(AssembleKill, AReaderThatWasLateStillJoinsWhatItThenReads) {
  // All of it read two seconds after it happened, in one go: no wait has begun before that.
  const std::uint64_t now = kT0 + 2000 * kMs;
  Bench bench;
  bench.see_at(now, decision(1, kT0)).see_at(now, task(1, kT0)).see_at(now, marked(1, kT0));
  bench.see_at(now + 1, exited(1, kT0 + kMs)).see_at(now + 2, memcg_stat(1, now));
  bench.see_at(now + 3, facts(now));
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_EQ(bench.out[0].victims[0].timeline.exited_ns, kT0 + kMs);
}

TEST(AssembleKill, SameStreamSameIncidents) {
  const auto run = [] {
    Bench bench;
    for (std::uint32_t i = 1; i <= 20; ++i) bench.whole_kill(i, kT0 + i * 3 * kMs, 100 + i % 7);
    bench.flush(kT0 + 1000 * kMs);
    return bench.out;
  };
  const auto first = run();
  EXPECT_THAT(first, SizeIs(20));
  EXPECT_EQ(first, run());
}

}  // namespace
}  // namespace oomwitness::testing
