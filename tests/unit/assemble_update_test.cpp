// SPDX-License-Identifier: BSD-2-Clause
// Victims that linger, updates, pids with many lives, losses, bounds, the end of the watch.
#include "assemble_fixture.h"

namespace oomwitness::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;

void start_lingering(Bench& bench, DecisionId id = 1, std::uint64_t at = kT0,
                     std::uint32_t pid = 100) {
  bench.see(decision(id, at, pid), chain(id, at), task(id, at, pid), marked(id, at, pid),
            facts(at, pid), memcg_stat(id, at));
}

TEST(AssembleUpdate, ALingeringVictimIsWrittenAtTheSettlingTime) {
  Bench bench;
  start_lingering(bench);
  EXPECT_EQ(bench.deadline(), kT0 + 500 * kMs);
  bench.advance(kT0 + 500 * kMs - 1);
  EXPECT_THAT(bench.out, IsEmpty());
  bench.advance(kT0 + 500 * kMs);
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_EQ(bench.out[0].revision, 0U);
  EXPECT_EQ(bench.out[0].victims[0].timeline.exited_ns, std::nullopt);
  EXPECT_THAT(bench.out[0].provenance.missing,
              Contains(Pair("victims[0].exited_ns", "it was still there when this was written")));
}

TEST(AssembleUpdate, ItsEndFollowsAtOnceUnderTheSameId) {
  Bench bench;
  start_lingering(bench);
  bench.advance(kT0 + 500 * kMs).see(exited(1, kT0 + 3000 * kMs));
  ASSERT_THAT(bench.out, SizeIs(2));
  EXPECT_EQ(bench.out[1].id, bench.out[0].id);
  EXPECT_EQ(bench.out[1].revision, 1U);
  EXPECT_EQ(bench.out[1].victims[0].timeline.exited_ns, kT0 + 3000 * kMs);
  EXPECT_THAT(bench.out[1].provenance.missing, Not(Contains(Key("victims[0].exited_ns"))));
  // Full content, not a difference.
  EXPECT_EQ(bench.out[1].scope, bench.out[0].scope);
  EXPECT_EQ(bench.out[1].invoker, bench.out[0].invoker);
  EXPECT_EQ(bench.deadline(), std::nullopt);
}

TEST(AssembleUpdate, TheIdStaysWhenThePidIsLearntLater) {
  Bench bench(config_of_tracepoints());
  bench.see(marked_tid(0, kT0, 109)).advance(kT0 + 500 * kMs);
  auto taken = delivered(0, kT0 + 600 * kMs);
  taken.tid = 109;
  bench.see(taken, exited(0, kT0 + 601 * kMs)).flush(kT0 + 700 * kMs);
  ASSERT_THAT(bench.out, SizeIs(2));
  EXPECT_THAT(pids(bench.out[1]), ElementsAre(100));
  EXPECT_EQ(bench.out[1].id, bench.out[0].id);
}

TEST(AssembleUpdate, NewsOfALingeringVictimAreGathered) {
  Bench bench;
  start_lingering(bench);
  bench.advance(kT0 + 500 * kMs);
  bench.see(delivered(1, kT0 + 700 * kMs), reaped(kT0 + 710 * kMs, 100, ReapPhase::kStart),
            reaped(kT0 + 720 * kMs, 100, ReapPhase::kFinish));
  EXPECT_THAT(bench.out, SizeIs(1));
  EXPECT_EQ(bench.deadline(), kT0 + 1200 * kMs);
  bench.advance(kT0 + 1200 * kMs);
  ASSERT_THAT(bench.out, SizeIs(2));
  EXPECT_EQ(bench.out[1].revision, 1U);
  EXPECT_THAT(bench.out[1].victims[0].cmdline.value(), ElementsAre("hog", "-x"));
  EXPECT_EQ(bench.out[1].victims[0].timeline.reaped_ns, kT0 + 720 * kMs);
  bench.see(exited(1, kT0 + 1300 * kMs));
  ASSERT_THAT(bench.out, SizeIs(3));
  EXPECT_EQ(bench.out[2].revision, 2U);
  EXPECT_EQ(bench.out[2].id, bench.out[0].id);
}

TEST(AssembleUpdate, FactsThatComeTooLateAreAnUpdate) {
  Bench bench;
  bench.see(decision(1, kT0), task(1, kT0), marked(1, kT0), delivered(1, kT0), memcg_stat(1, kT0),
            exited(1, kT0 + kMs));
  bench.advance(kT0 + 250 * kMs).see(facts(kT0 + 300 * kMs));
  ASSERT_THAT(bench.out, SizeIs(2));
  EXPECT_EQ(bench.out[1].revision, 1U);
  EXPECT_EQ(bench.out[1].victims[0].user, "joe");
}

TEST(AssembleUpdate, WhatChangesNothingIsNoUpdate) {
  Bench bench;
  bench.whole_kill(1, kT0);
  ProcFacts again = facts(kT0 + 6 * kMs);
  again.user = "someone else";
  auto thread = delivered(1, kT0 + 6 * kMs);
  thread.tid = 107;
  auto seen_again = task(1, kT0 + 6 * kMs, 100, SeenAt::kDeliver);
  bench.see(again, thread, seen_again, exited(1, kT0 + 7 * kMs), decision(1, kT0 + 8 * kMs));
  bench.flush(kT0 + 3000 * kMs);
  EXPECT_THAT(bench.out, SizeIs(1));
}

TEST(AssembleUpdate, AVictimThatComesAfterTheReportIsAnUpdate) {
  Bench bench;
  bench.whole_kill(1, kT0);
  bench.see(task(1, kT0 + 100 * kMs, 200), marked(1, kT0 + 100 * kMs, 200),
            facts(kT0 + 100 * kMs, 200), exited(1, kT0 + 101 * kMs, 200));
  bench.advance(kT0 + 200 * kMs);
  ASSERT_THAT(bench.out, SizeIs(2));
  EXPECT_EQ(bench.out[1].id, bench.out[0].id);
  EXPECT_THAT(pids(bench.out[1]), ElementsAre(100, 200));
}

TEST(AssembleUpdate, ALateVictimThatLingersIsNotForgotten) {
  Bench bench;
  bench.whole_kill(1, kT0);
  bench.see(task(1, kT0 + 100 * kMs, 200), marked(1, kT0 + 100 * kMs, 200));
  bench.advance(kT0 + 10'000 * kMs).see(exited(1, kT0 + 20'000 * kMs, 200));
  ASSERT_THAT(bench.out, SizeIs(3));
  EXPECT_EQ(bench.out[2].revision, 2U);
  EXPECT_EQ(bench.out[2].victims.at(1).timeline.exited_ns, kT0 + 20'000 * kMs);
}

TEST(AssembleUpdate, AStragglerOfAForgottenCaseOpensNothing) {
  Bench bench;
  bench.whole_kill(1, kT0);
  const std::uint64_t later = kT0 + 10'000 * kMs;
  bench.see(marked(1, later), decision(1, later), chain(1, later), memcg_stat(1, later),
            exited(1, later), delivered(1, later), facts(later), task(1, later));
  bench.flush(later + 1000 * kMs);
  EXPECT_THAT(bench.out, SizeIs(1));
}

TEST(AssembleUpdate, WaitingEndsSomeTime) {
  Bench bench;
  start_lingering(bench);
  bench.advance(kT0 + 500 * kMs);
  const std::uint64_t end = kT0 + 600'000 * kMs;
  EXPECT_EQ(bench.deadline(), end);
  bench.advance(end);
  ASSERT_THAT(bench.out, SizeIs(2));
  EXPECT_EQ(bench.out[1].revision, 1U);
  EXPECT_THAT(
      bench.out[1].provenance.missing,
      Contains(Pair("victims[0].exited_ns", "a victim outlived the time that was given to it")));
  EXPECT_EQ(bench.deadline(), std::nullopt);
  bench.see(exited(1, end + 1)).flush(end + 1000 * kMs);
  EXPECT_THAT(bench.out, SizeIs(2));
}

TEST(AssembleUpdate, ADecisionWithoutAVictimIsWrittenOnce) {
  Bench bench;
  bench.see(decision(1, kT0)).advance(kT0 + 9'999 * kMs);
  EXPECT_THAT(bench.out, IsEmpty()) << "the kernel's dump to a slow console comes first";
  bench.advance(kT0 + 10'000 * kMs);
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_THAT(bench.out[0].victims, IsEmpty());
  EXPECT_THAT(bench.out[0].provenance.missing, Contains(Pair("victims", "no victim was seen")));
  EXPECT_EQ(bench.deadline(), std::nullopt);
}

TEST(AssembleUpdate, ALateAdvanceFiresEachDeadlineAtItsOwnTime) {
  const auto run = [](bool in_steps) {
    Bench bench;
    start_lingering(bench, 1, kT0, 100);
    start_lingering(bench, 2, kT0 + 100 * kMs, 200);
    bench.see(delivered(1, kT0 + 550 * kMs, 100));
    if (in_steps)
      for (std::uint64_t ms = 550; ms < 5000; ms += 7) bench.advance(kT0 + ms * kMs);
    bench.see(exited(2, kT0 + 5000 * kMs, 200), exited(1, kT0 + 5001 * kMs, 100));
    return bench.out;
  };
  EXPECT_THAT(run(false), SizeIs(5));
  EXPECT_EQ(run(false), run(true));
}

TEST(AssembleUpdate, TimeThatGoesBackwardsIsNoTime) {
  Bench bench;
  start_lingering(bench);
  bench.advance(kT0 + 400 * kMs).advance(kT0);
  bench.see_at(kT0, exited(1, kT0 + kMs));
  EXPECT_THAT(bench.out, SizeIs(1));
}

// ---- pids with many lives

TEST(AssembleReuse, TheSamePidMayDieTwice) {
  Bench bench;
  bench.whole_kill(1, kT0);
  auto second_life = task(2, kT0 + 20 * kMs);
  second_life.start_boottime_ns = 999 * kMs;
  second_life.comm = "other";
  auto late = facts(kT0 + 21 * kMs);
  late.start_boottime_ns = 999 * kMs;
  bench.see(decision(2, kT0 + 20 * kMs), second_life, marked(2, kT0 + 20 * kMs), late,
            memcg_stat(2, kT0 + 21 * kMs), exited(2, kT0 + 22 * kMs));
  ASSERT_THAT(bench.out, SizeIs(2));
  EXPECT_EQ(bench.out[0].victims[0].timeline.exited_ns, kT0 + 5 * kMs);
  EXPECT_EQ(bench.out[1].victims[0].timeline.exited_ns, kT0 + 22 * kMs);
  EXPECT_EQ(bench.out[1].victims[0].comm, "other");
  EXPECT_NE(bench.out[0].id, bench.out[1].id);
}

TEST(AssembleReuse, WithoutNumbersStartTimesTellLivesApart) {
  auto second_life = task(0, kT0 + 20 * kMs, 100, SeenAt::kMark);
  second_life.start_boottime_ns = 999 * kMs;
  auto late = facts(kT0 + 21 * kMs);
  late.start_boottime_ns = 999 * kMs;
  late.user = "ann";
  Bench bench(config_of_tracepoints());
  bench.see(task(0, kT0, 100, SeenAt::kMark), marked(0, kT0), facts(kT0), exited(0, kT0 + kMs));
  bench.see(second_life, marked(0, kT0 + 20 * kMs), late, exited(0, kT0 + 22 * kMs));
  ASSERT_THAT(bench.out, SizeIs(2));
  EXPECT_EQ(bench.out[0].victims[0].user, "joe");
  EXPECT_EQ(bench.out[1].victims[0].user, "ann");
  EXPECT_EQ(bench.out[1].victims[0].timeline.exited_ns, kT0 + 22 * kMs);
}

TEST(AssembleReuse, ANewLifeEndsALingeringOneWhoseEndWasMissed) {
  Bench bench;
  start_lingering(bench);
  bench.advance(kT0 + 500 * kMs);
  auto second_life = task(2, kT0 + 900 * kMs);
  second_life.start_boottime_ns = 999 * kMs;
  bench.see(decision(2, kT0 + 900 * kMs), second_life, marked(2, kT0 + 900 * kMs),
            exited(2, kT0 + 901 * kMs));
  bench.flush(kT0 + 2000 * kMs);
  ASSERT_THAT(bench.out, SizeIs(3));
  EXPECT_EQ(bench.out[1].id, bench.out[0].id);
  EXPECT_EQ(bench.out[1].victims[0].timeline.exited_ns, std::nullopt);
  EXPECT_THAT(bench.out[1].provenance.missing,
              Contains(Pair("victims[0].exited_ns", HasSubstr("another life"))));
  EXPECT_EQ(bench.out[2].victims[0].timeline.exited_ns, kT0 + 901 * kMs);
}

TEST(AssembleReuse, FactsWithoutAStartTimeAreTakenOnlyWhileTheyCanBeItsOwn) {
  for (const bool in_time : {true, false}) {
    Bench bench;
    auto unsure = facts(kT0 + (in_time ? 100 : 400) * kMs);
    unsure.start_boottime_ns = 0;
    bench.see(decision(1, kT0), task(1, kT0), marked(1, kT0), memcg_stat(1, kT0),
              exited(1, kT0 + kMs), unsure);
    bench.flush(kT0 + 450 * kMs);
    ASSERT_THAT(bench.out, SizeIs(1));
    EXPECT_EQ(bench.out[0].victims[0].user.has_value(), in_time);
  }
}

TEST(AssembleReuse, AnExitOfLongAgoIsNotTheEndOfThisLife) {
  Bench bench;
  bench.see(exited(0, kT0 - 200 * kMs));
  start_lingering(bench);
  bench.flush(kT0 + kMs);
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_EQ(bench.out[0].victims[0].timeline.exited_ns, std::nullopt);
}

TEST(AssembleReuse, AProcessChosenTwiceEndsInBoth) {
  Bench bench;
  start_lingering(bench, 1, kT0);
  start_lingering(bench, 2, kT0 + 100 * kMs);
  bench.see(exited(2, kT0 + 150 * kMs));
  ASSERT_THAT(bench.out, SizeIs(2));
  for (const Incident& incident : bench.out)
    EXPECT_EQ(incident.victims[0].timeline.exited_ns, kT0 + 150 * kMs);
}

// ---- the clock

TEST(AssembleClock, IncidentsAfterItWasSetHaveTheNewTime) {
  Bench bench;
  bench.whole_kill(1, kT0);
  bench.see(ClockSet{.at_ns = kT0 + 50 * kMs,
                     .unix_minus_monotonic_ns = kUnixMinusMonotonic + 3600'000'000'000,
                     .unix_minus_boottime_ns = kUnixMinusBoottime});
  bench.whole_kill(2, kT0 + 100 * kMs, 200);
  ASSERT_THAT(bench.out, SizeIs(2));
  EXPECT_EQ(bench.out[0].time_unix_ns, static_cast<std::int64_t>(kT0) + kUnixMinusMonotonic);
  EXPECT_EQ(bench.out[1].time_unix_ns,
            static_cast<std::int64_t>(kT0 + 100 * kMs) + kUnixMinusMonotonic + 3600'000'000'000);
}

// ---- losses

TEST(AssembleLosses, AreThoseSinceTheReportBefore) {
  Bench bench;
  bench.see(Losses{.at_ns = kT0, .total = 3});
  bench.whole_kill(1, kT0);
  bench.whole_kill(2, kT0 + 100 * kMs, 200);
  bench.see(Losses{.at_ns = kT0 + 150 * kMs, .total = 8});
  bench.whole_kill(3, kT0 + 200 * kMs, 300);
  ASSERT_THAT(bench.out, SizeIs(3));
  EXPECT_EQ(bench.out[0].provenance.lost_events, 3U);
  EXPECT_EQ(bench.out[1].provenance.lost_events, 0U);
  EXPECT_EQ(bench.out[2].provenance.lost_events, 5U);
}

TEST(AssembleLosses, ConcernEveryIncidentThatWasOpen) {
  Bench bench;
  start_lingering(bench, 1, kT0, 100);
  start_lingering(bench, 2, kT0, 200);
  bench.see(Losses{.at_ns = kT0 + kMs, .total = 4}, exited(1, kT0 + 2 * kMs, 100),
            exited(2, kT0 + 3 * kMs, 200));
  ASSERT_THAT(bench.out, SizeIs(2));
  EXPECT_EQ(bench.out[0].provenance.lost_events, 4U);
  EXPECT_EQ(bench.out[1].provenance.lost_events, 4U);
}

TEST(AssembleLosses, AnUpdateCountsOnAndALossAloneIsNoUpdate) {
  Bench bench;
  bench.see(Losses{.at_ns = kT0, .total = 1});
  start_lingering(bench);
  bench.advance(kT0 + 500 * kMs);
  bench.see(Losses{.at_ns = kT0 + 600 * kMs, .total = 3}).advance(kT0 + 2000 * kMs);
  EXPECT_THAT(bench.out, SizeIs(1));
  bench.see(Losses{.at_ns = kT0 + 2000 * kMs, .total = 2}, exited(1, kT0 + 2001 * kMs));
  ASSERT_THAT(bench.out, SizeIs(2));
  EXPECT_EQ(bench.out[1].provenance.lost_events, 3U);
}

// ---- bounds and the end

TEST(AssembleBounds, TheOldestIsWrittenEarlyAndSaysSo) {
  AssemblerConfig config = config_of_full_host();
  config.max_open = 2;
  Bench bench(config);
  start_lingering(bench, 1, kT0, 100);
  start_lingering(bench, 2, kT0 + 1, 200);
  EXPECT_THAT(bench.out, IsEmpty());
  start_lingering(bench, 3, kT0 + 2, 300);
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_THAT(pids(bench.out[0]), ElementsAre(100));
  EXPECT_THAT(bench.out[0].provenance.missing,
              Contains(Pair("incident", "more than 2 incidents were open: written early")));
  // What still comes of it opens no second incident.
  bench.see(exited(1, kT0 + 3, 100), marked(1, kT0 + 3, 100)).flush(kT0 + 4);
  EXPECT_THAT(bench.out, SizeIs(3));
}

TEST(AssembleBounds, ClosedCasesGoFirst) {
  AssemblerConfig config = config_of_full_host();
  config.max_open = 2;
  Bench bench(config);
  start_lingering(bench, 1, kT0, 100);
  bench.whole_kill(2, kT0, 200);
  bench.whole_kill(3, kT0 + 10 * kMs, 300);
  bench.see(exited(1, kT0 + 20 * kMs, 100));
  ASSERT_THAT(bench.out, SizeIs(3));
  EXPECT_THAT(pids(bench.out[2]), ElementsAre(100));
  EXPECT_THAT(bench.out[2].provenance.missing, Not(Contains(Key("incident"))));
}

TEST(AssembleFlush, WritesWhatIsOpenOnceAndSaysWhyItEnds) {
  Bench bench;
  start_lingering(bench, 1, kT0, 100);
  start_lingering(bench, 2, kT0 + 400 * kMs, 200);
  bench.advance(kT0 + 500 * kMs);
  EXPECT_THAT(bench.out, SizeIs(1));
  bench.see(log_report(kT0 + 510 * kMs, 900)).flush(kT0 + 520 * kMs);
  ASSERT_THAT(bench.out, SizeIs(3));
  EXPECT_THAT(pids(bench.out[1]), ElementsAre(200));
  EXPECT_THAT(bench.out[1].provenance.missing,
              Contains(Pair("victims[0].exited_ns", "the watch ended before its victims did")));
  EXPECT_THAT(pids(bench.out[2]), ElementsAre(900));
  EXPECT_EQ(bench.deadline(), std::nullopt);
  bench.flush(kT0 + 9000 * kMs);
  EXPECT_THAT(bench.out, SizeIs(3));
}

TEST(AssembleFlush, NothingSeenNothingWritten) {
  Bench bench;
  EXPECT_EQ(bench.deadline(), std::nullopt);
  bench.advance(kT0).flush(kT0 + 1);
  EXPECT_THAT(bench.out, IsEmpty());
}

TEST(AssembleFlush, WhatBelongsToNobodyIsNoIncident) {
  Bench bench;
  bench.see(delivered(0, kT0), exited(0, kT0), reaped(kT0, 100, ReapPhase::kFinish), facts(kT0),
            memcg_stat(5, kT0), system_memory(5, kT0, "proc"), chain(0, kT0, false),
            task(0, kT0, 100, SeenAt::kDeliver));
  EXPECT_EQ(bench.deadline(), std::nullopt);
  bench.flush(kT0 + kMs);
  EXPECT_THAT(bench.out, IsEmpty());
}

}  // namespace
}  // namespace oomwitness::testing
