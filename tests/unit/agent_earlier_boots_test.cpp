// SPDX-License-Identifier: BSD-2-Clause
// Kills that nobody but a journal of earlier boots tells of (tests/data/journal): one in each of
// two.
#include <poll.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stop_token>

#include "agent/confinement.h"
#include "agent/earlier_boots.h"
#include "agent/known_kills.h"
#include "capture/log/open_log.h"
#include "incident/json.h"
#include "store_fixture.h"

namespace oomwitness {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kFirstBoot = "11111111-1111-1111-1111-111111111111";
const std::string kSecondBoot = "22222222-2222-2222-2222-222222222222";
const std::string kThisBoot = "7f0c1c0a-53a3-4b0e-9f38-0d6a2f6e4c11";
constexpr std::uint64_t kKillNs = 4'482'073'406'000;

Incident live_kill(const std::string& boot, std::uint32_t pid, std::uint64_t at_ns,
                   std::int64_t unix_ns = kNoon) {
  Incident incident = make_incident(static_cast<int>(pid));
  incident.host.boot_id = boot;
  incident.monotonic_ns = at_ns;
  incident.time_unix_ns = unix_ns;
  incident.victims[0].pid = pid;
  incident.victims[0].comm = "hog";
  incident.provenance.sources = {"bpf"};
  return incident;
}

class EarlierBootsTest : public StoreFixture {
 protected:
  void SetUp() override {
    journal_ = dir() + "/journal";
    std::filesystem::create_directory(journal_);
    auto packed = open_log(OW_JOURNAL);
    ASSERT_TRUE(packed) << packed.error().message();
    std::ofstream file(journal_ + "/system.journal", std::ios::binary);
    for (;;) {
      const auto piece = packed->pieces->next(0);
      ASSERT_TRUE(piece) << piece.error().message();
      if (piece->empty()) break;
      file << *piece;
    }
    ASSERT_TRUE(file.flush());
  }

  Status look(Store& store, const std::stop_token& stop = {}) {
    return describe_earlier_boots(store, {.journal = journal_, .boot_id = kThisBoot, .redact = {}},
                                  stop, [this] { ++found_; });
  }
  void expect_done(Store& store) {
    const Status done = look(store);
    EXPECT_TRUE(done) << done.error().message();
  }

  static std::vector<std::string> closed(Store& store) {
    std::vector<std::string> ids;
    const auto boots = store.boots().value();
    for (const KnownBoot& boot : boots)
      if (boot.closed) ids.push_back(boot.boot_id);
    return ids;
  }

  static std::vector<std::uint32_t> pids_of(Store& store, const std::string& boot) {
    std::vector<std::uint32_t> pids;
    const auto stored = store.of_boot_onwards(boot, 0, 100).value();
    for (const StoredIncident& one : stored) {
      const Incident incident = incident_from_json(one.json).value();
      for (const Victim& victim : incident.victims) pids.push_back(victim.pid.value_or(0));
    }
    return pids;
  }

  std::string journal_;
  int found_ = 0;
};

TEST_F(EarlierBootsTest, AStoreThatKnowsNoneHasNothingToLookFor) {
  Store store = open();
  journal_ += "/which/is/not/there";
  expect_done(store);
  ASSERT_TRUE(store.set_log_place(kThisBoot, {.next = 7, .minus_monotonic_ns = {}}));
  expect_done(store);
}

TEST_F(EarlierBootsTest, EachKillIsFoundOnceAndOnlyTheKernelsWordCounts) {
  Store store = open();
  ASSERT_TRUE(store.set_log_place(kFirstBoot, {.next = 7, .minus_monotonic_ns = {}}));
  for (int start = 0; start < 2; ++start) expect_done(store);
  EXPECT_EQ(found_, 2);
  EXPECT_THAT(pids_of(store, kFirstBoot), ElementsAre(2083));
  EXPECT_THAT(pids_of(store, kSecondBoot), ElementsAre(3083));
  EXPECT_THAT(closed(store), ElementsAre(kFirstBoot, kSecondBoot));
  const auto kept = incident_from_json(store.of_boot_onwards(kSecondBoot, 0, 1).value()[0].json);
  EXPECT_THAT(kept->provenance.sources, ElementsAre("journal"));
  EXPECT_EQ(kept->time_unix_ns / kSecond, 1'795'100'000);
  EXPECT_EQ(kept->host.name, "web1");
  EXPECT_EQ(kept->victims[0].cgroup, "/owk-plain");
  EXPECT_TRUE(kept->diagnosis);
}

TEST_F(EarlierBootsTest, WhatWasBeforeTheFirstBootItKnowsStaysUntold) {
  Store store = open();
  ASSERT_TRUE(store.set_log_place(kSecondBoot, {.next = 7, .minus_monotonic_ns = {}}));
  expect_done(store);
  EXPECT_THAT(pids_of(store, kFirstBoot), IsEmpty());
  EXPECT_THAT(pids_of(store, kSecondBoot), ElementsAre(3083));
}

TEST_F(EarlierBootsTest, AKillThatWasSeenIsNotToldAgain) {
  Store store = open();
  // The log's clock was 40 s ahead by then.
  put(store, live_kill(kFirstBoot, 2083, kKillNs - 40 * 1'000'000'000ULL));
  // By CLOCK_MONOTONIC it was another one, by the wall clock the same.
  put(store,
      live_kill(kSecondBoot, 3083, kKillNs + 500 * 1'000'000'000ULL, 1'795'100'010 * kSecond));
  expect_done(store);
  EXPECT_EQ(found_, 0);
  EXPECT_THAT(closed(store), ElementsAre(kFirstBoot, kSecondBoot));
}

TEST_F(EarlierBootsTest, ThePidAloneIsNotTheSameKill) {
  Store store = open();
  Incident other = live_kill(kFirstBoot, 2083, kKillNs);
  other.victims[0].comm = "cat";
  put(store, other);
  put(store, live_kill(kSecondBoot, 3083, kKillNs - 100 * 1'000'000'000ULL));
  expect_done(store);
  EXPECT_EQ(found_, 2);
}

// What retention has removed since must not come back.
TEST_F(EarlierBootsTest, WhatWasInTheStoreBeforeIsNotLookedFor) {
  Store store = open();
  ASSERT_TRUE(store.set_log_place(
      kFirstBoot,
      {.next = 7, .minus_monotonic_ns = {}, .settled_ns = kKillNs + 20 * 1'000'000'000ULL}));
  expect_done(store);
  EXPECT_THAT(pids_of(store, kFirstBoot), IsEmpty());
  EXPECT_EQ(found_, 1);
}

TEST_F(EarlierBootsTest, OneThatIsStoppedGoesOnTheNextTime) {
  Store store = open();
  ASSERT_TRUE(store.set_log_place(kFirstBoot, {.next = 7, .minus_monotonic_ns = {}}));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_TRUE(look(store, stop.get_token()));
  EXPECT_THAT(closed(store), IsEmpty());
  expect_done(store);
  EXPECT_EQ(found_, 2);
}

TEST_F(EarlierBootsTest, WithoutAJournalItSaysSo) {
  Store store = open();
  ASSERT_TRUE(store.set_log_place(kFirstBoot, {.next = 7, .minus_monotonic_ns = {}}));
  journal_ += "/which/is/not/there";
  const Status done = look(store);
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message(), HasSubstr("open the journal in "));
  EXPECT_THAT(closed(store), IsEmpty());
}

TEST_F(EarlierBootsTest, TheConfinedAgentMayReadIt) {
  EXPECT_EQ(in_child([&] {
              Store store = open();
              if (!store.set_log_place(kFirstBoot, {.next = 7, .minus_monotonic_ns = {}})) return 2;
              if (!confine_system_calls()) return 3;
              const AgentLog log(STDERR_FILENO, false);
              AgentFigures figures;
              EarlierBoots boots({.journal = journal_, .boot_id = kThisBoot, .redact = {}},
                                 {.store = store, .log = log, .figures = figures});
              // Waits for the bell.
              pollfd bell{boots.fd(), POLLIN, 0};
              while (figures.earlier_boots < 2)
                if (::poll(&bell, 1, 10'000) <= 0) return 4;
              boots.stop();
              return boots.take_stored() ? 0 : 5;
            }),
            0);
}

class KnownKillsTest : public StoreFixture {};

LogReport report(std::uint32_t pid, std::uint64_t at_ns) {
  LogReport report;
  report.began_ns = at_ns;
  report.at_ns = at_ns;
  Victim victim;
  victim.pid = pid;
  victim.comm = "app";
  report.victims.push_back(victim);
  return report;
}

TEST_F(KnownKillsTest, HoweverManyThereAre) {
  Store store = open();
  constexpr int kKills = 3000;
  std::vector<Incident> all;
  for (int n = 0; n < kKills; ++n) {
    all.push_back(make_incident(n));
    // Several at a moment, and pids that come again every 100 s.
    all.back().monotonic_ns = static_cast<std::uint64_t>(n / 2) * 1'000'000'000;
    all.back().victims[0].pid = static_cast<std::uint32_t>(n % 200);
  }
  ASSERT_TRUE(store.put_all(all));
  KnownKills known(store, kThisBoot);
  for (int n = 0; n < kKills; ++n) {
    const auto at_ns = static_cast<std::uint64_t>(n / 2) * 1'000'000'000;
    const auto pid = static_cast<std::uint32_t>(n % 200);
    EXPECT_TRUE(known.has(report(pid, at_ns)).value()) << n;
    EXPECT_FALSE(known.has(report(pid + 200, at_ns)).value()) << n;
  }
}

}  // namespace
}  // namespace oomwitness
