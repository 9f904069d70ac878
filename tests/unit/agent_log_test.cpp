// SPDX-License-Identifier: BSD-2-Clause
// What the kernel's log adds to what the agent has seen: every kill once.
#include <variant>
#include <vector>

#include <gmock/gmock.h>

#include "agent/kill_ledger.h"
#include "agent/log_catch_up.h"
#include "made_log.h"

namespace oomwitness {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kGrace = 15 * kSecond;

Incident live_kill(std::uint32_t pid, std::uint64_t monotonic_ns) {
  Incident incident;
  incident.monotonic_ns = monotonic_ns;
  incident.provenance.sources = {"bpf", "proc"};
  Victim victim;
  victim.pid = pid;
  victim.comm = "hog";
  incident.victims.push_back(victim);
  return incident;
}

LogReport report(std::uint32_t pid, std::uint64_t at_ns, const char* comm = "hog") {
  LogReport report;
  report.began_ns = at_ns;
  report.at_ns = at_ns;
  Victim victim;
  victim.pid = pid;
  victim.comm = comm;
  report.victims.push_back(victim);
  return report;
}

TEST(KillLedger, KnowsAKillByPidAndTime) {
  KillLedger ledger(0);
  ledger.add(live_kill(10, 100 * kSecond));
  EXPECT_TRUE(ledger.knows(report(10, 100 * kSecond + 500'000)));
  EXPECT_FALSE(ledger.knows(report(11, 100 * kSecond)));
  EXPECT_FALSE(ledger.knows(report(10, 110 * kSecond))) << "the pid has come round";
}

TEST(KillLedger, FollowsTheClocksApart) {
  KillLedger ledger(std::nullopt);
  std::uint64_t at = 100 * kSecond;
  std::uint64_t log_at = at + 20 * kSecond;  // after months, say
  ledger.add(live_kill(10, at));
  EXPECT_TRUE(ledger.knows(report(10, log_at)));
  EXPECT_EQ(ledger.log_minus_monotonic_ns(), static_cast<std::int64_t>(20 * kSecond));
  for (std::uint32_t pid = 11; pid < 40; ++pid) {
    at += 3600 * kSecond;
    log_at += 3601 * kSecond;
    ledger.add(live_kill(pid, at));
    EXPECT_TRUE(ledger.knows(report(pid, log_at))) << pid;
  }
  EXPECT_FALSE(ledger.knows(report(12, log_at)));
}

TEST(KillLedger, WithoutKnowingTheClocksTheNamesMustBeTheSame) {
  KillLedger ledger(std::nullopt);
  ledger.add(live_kill(10, 100 * kSecond));
  EXPECT_FALSE(ledger.knows(report(10, 130 * kSecond, "other")));
  EXPECT_FALSE(ledger.knows(report(10, 200 * kSecond)));
  EXPECT_TRUE(ledger.knows(report(10, 130 * kSecond)));
}

TEST(KillLedger, AnyVictimOfAGroupWillDo) {
  KillLedger ledger(0);
  Incident group = live_kill(10, kSecond);
  group.victims.push_back(live_kill(11, kSecond).victims[0]);
  ledger.add(group);
  EXPECT_TRUE(ledger.knows(report(11, kSecond)));
}

TEST(KillLedger, ADecisionAloneNamesItsVictimToo) {
  KillLedger ledger(0);
  Incident decision = live_kill(10, kSecond);
  decision.victims.clear();
  decision.selected = Selected{.pid = 10, .comm = "hog", .points = {}, .score = {}};
  ledger.add(decision);
  EXPECT_TRUE(ledger.knows(report(10, kSecond)));
}

TEST(KillLedger, UpdatesAreTheSameKillAndTheOldestAreForgotten) {
  KillLedger ledger(0);
  ledger.add(live_kill(1, kSecond));
  ledger.add(live_kill(1, kSecond));
  EXPECT_EQ(ledger.size(), 1U);
  for (std::uint32_t pid = 2; pid < 20'000; ++pid) ledger.add(live_kill(pid, kSecond));
  EXPECT_EQ(ledger.size(), 16384U);
  EXPECT_FALSE(ledger.knows(report(1, kSecond)));
  EXPECT_TRUE(ledger.knows(report(19'999, kSecond)));
}

std::vector<std::uint32_t> pids(const std::vector<Observation>& missed) {
  std::vector<std::uint32_t> out;
  for (const Observation& one : missed) {
    const auto& told = std::get<LogReport>(one);
    EXPECT_TRUE(told.from_backlog) << "it must be joined to nobody";
    out.push_back(told.victims.at(0).pid.value_or(0));
  }
  return out;
}

class CatchUp : public testing::Test {
 protected:
  LogCatchUp& begin(std::uint64_t next = 0) {
    auto made = LogCatchUp::make(log_.take_log(), next);
    EXPECT_TRUE(made);
    catch_up_.emplace(*std::move(made));
    return *catch_up_;
  }

  MadeLog log_;
  KillLedger ledger_{0};
  std::optional<LogCatchUp> catch_up_;
};

TEST_F(CatchUp, KillsBeforeTheHooksAreHandedOnAtOnceAndOnce) {
  log_.kill(10);
  log_.kill(11);
  LogCatchUp& catch_up = begin();
  EXPECT_THAT(pids(catch_up.take_missed(ledger_, 1)), ElementsAre(10, 11));
  EXPECT_THAT(pids(catch_up.take_missed(ledger_, 2)), IsEmpty());
  EXPECT_EQ(catch_up.next(), log_.next());
  EXPECT_EQ(catch_up.missed(), 2U);
}

TEST_F(CatchUp, WhatTheStoreHasIsNotToldAgain) {
  log_.kill(10);
  log_.kill(11);
  ledger_.add(live_kill(11, MadeLog::stamp(1)));
  EXPECT_THAT(pids(begin().take_missed(ledger_, 1)), ElementsAre(10));
}

TEST_F(CatchUp, BeginsWhereItStopped) {
  log_.kill(10);
  log_.write("something else");
  log_.kill(11);
  LogCatchUp& catch_up = begin(2);
  EXPECT_THAT(pids(catch_up.take_missed(ledger_, 1)), ElementsAre(11));
  EXPECT_EQ(catch_up.lost(), 0U);
}

TEST_F(CatchUp, MessagesOverwrittenMeanwhileAreCounted) {
  log_.overwrite(10);
  log_.kill(11);
  EXPECT_EQ(begin(4).lost(), 6U);
}

TEST_F(CatchUp, ALiveKillHasTimeToComeByTheHooks) {
  LogCatchUp& catch_up = begin();
  log_.kill(10);
  log_.kill(11);
  ASSERT_TRUE(catch_up.read(kSecond));
  EXPECT_THAT(pids(catch_up.take_missed(ledger_, kSecond)), IsEmpty());
  EXPECT_EQ(catch_up.next_deadline(), kSecond + kGrace);
  EXPECT_EQ(catch_up.next(), 0U) << "after a crash both are looked at again";
  ledger_.add(live_kill(10, MadeLog::stamp(0)));
  EXPECT_THAT(pids(catch_up.take_missed(ledger_, kSecond + kGrace)), ElementsAre(11));
  EXPECT_THAT(pids(catch_up.take_missed(ledger_, kSecond + kGrace)), IsEmpty());
  EXPECT_EQ(catch_up.next(), 2U);
  EXPECT_EQ(catch_up.next_deadline(), std::nullopt);
}

TEST_F(CatchUp, AReportThatIsBeingToldHoldsThePlace) {
  log_.write("quiet");
  LogCatchUp& catch_up = begin();
  EXPECT_EQ(catch_up.next(), 1U);
  log_.write("hog invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0");
  ASSERT_TRUE(catch_up.read(kSecond));
  EXPECT_EQ(catch_up.next(), 1U);
  log_.kill(10);
  ASSERT_TRUE(catch_up.read(2 * kSecond));
  EXPECT_EQ(catch_up.next(), 1U);
  ledger_.add(live_kill(10, MadeLog::stamp(1)));
  catch_up.settle(ledger_);
  EXPECT_EQ(catch_up.next(), 3U);
  EXPECT_EQ(catch_up.open_kills(), 0U);
}

}  // namespace
}  // namespace oomwitness
