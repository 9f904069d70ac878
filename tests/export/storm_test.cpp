// SPDX-License-Identifier: BSD-2-Clause
#include "sink/webhook/storm.h"

#include <string>

#include <gtest/gtest.h>

#include "export_items.h"

namespace oomwitness {
namespace {

using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

ExportItem kill_of(std::int64_t seq, const std::string& cause, std::uint32_t revision = 0) {
  Incident incident;
  incident.id = "ID" + std::to_string(revision == 0 ? seq : 1);
  incident.revision = revision;
  incident.time_unix_ns = seq * 1'000'000'000;
  incident.diagnosis = Diagnosis{.cause = cause};
  return item_of(incident, seq);
}

class StormTest : public testing::Test {
 protected:
  // True: it is told at once.
  bool comes(const ExportItem& item, nanoseconds now) {
    const bool told = storm.is_to_be_told(item, now);
    if (told) {
      storm.told(item, now);
    } else {
      storm.hold(item);
    }
    return told;
  }
  Storm storm{minutes(5)};
};

TEST_F(StormTest, OneKillIsOneMessage) {
  EXPECT_TRUE(comes(kill_of(1, "host-many"), seconds(0)));
  EXPECT_EQ(storm.due(minutes(5)), nullptr);
  EXPECT_EQ(storm.next_due(minutes(1)), std::nullopt);
  EXPECT_TRUE(comes(kill_of(2, "host-many"), minutes(5)));
}

TEST_F(StormTest, AStormIsOneMessageWithACount) {
  EXPECT_TRUE(comes(kill_of(1, "host-many"), seconds(0)));
  for (std::int64_t seq = 2; seq <= 10'000; ++seq)
    EXPECT_FALSE(comes(kill_of(seq, "host-many"), seconds(1)));
  EXPECT_EQ(storm.due(minutes(5) - seconds(1)), nullptr);
  EXPECT_EQ(storm.next_due(minutes(4)), minutes(1));
  EXPECT_EQ(storm.first_held(), 2);
  const Digest* due = storm.due(minutes(5));
  ASSERT_NE(due, nullptr);
  EXPECT_EQ(due->count, 9'999U);
  EXPECT_EQ(due->cause, "host-many");
  EXPECT_EQ(due->first_unix_ns, 2'000'000'000);
  EXPECT_EQ(due->last_unix_ns, 10'000'000'000'000);
  EXPECT_EQ(due->latest.incident.id, "ID10000");
  EXPECT_EQ(storm.due(minutes(5)), due) << "until it is confirmed";
  storm.told_due(Digest(*due), minutes(5));
  EXPECT_EQ(storm.due(minutes(60)), nullptr);
  EXPECT_EQ(storm.first_held(), std::nullopt);
  EXPECT_FALSE(comes(kill_of(10'001, "host-many"), minutes(6))) << "a message began an interval";
  EXPECT_TRUE(storm.due(minutes(10)) != nullptr);
}

TEST_F(StormTest, CausesDoNotHideEachOther) {
  EXPECT_TRUE(comes(kill_of(1, "host-many"), seconds(0)));
  EXPECT_FALSE(comes(kill_of(2, "host-many"), seconds(1)));
  EXPECT_TRUE(comes(kill_of(3, "own-limit-single-consumer"), seconds(2)));
  EXPECT_FALSE(comes(kill_of(4, "own-limit-single-consumer"), seconds(3)));
  EXPECT_EQ(storm.first_held(), 2);
  const Digest* due = storm.due(minutes(5));
  ASSERT_NE(due, nullptr);
  EXPECT_EQ(due->cause, "host-many");
  storm.told_due(Digest(*due), minutes(5));
  EXPECT_EQ(storm.first_held(), 4);
}

TEST_F(StormTest, WhatIsHeldGoesBeforeWhatComes) {
  EXPECT_TRUE(comes(kill_of(1, "host-many"), seconds(0)));
  EXPECT_FALSE(comes(kill_of(2, "host-many"), seconds(1)));
  EXPECT_FALSE(comes(kill_of(3, "host-many"), minutes(6))) << "its digest is due and not yet told";
  ASSERT_NE(storm.due(minutes(6)), nullptr);
  EXPECT_EQ(storm.due(minutes(6))->count, 2U);
}

TEST_F(StormTest, AnUpdateIsNoNews) {
  EXPECT_TRUE(comes(kill_of(1, "host-many"), seconds(0)));
  EXPECT_FALSE(comes(kill_of(2, "host-many", 1), minutes(10)));
  EXPECT_EQ(storm.first_held(), std::nullopt);
}

TEST_F(StormTest, CausesWithoutEndAreOne) {
  for (std::int64_t seq = 1; seq <= 1000; ++seq)
    comes(kill_of(seq, "cause-" + std::to_string(seq)), seconds(0));
  std::size_t digests = 0;
  for (const Digest* due = storm.due(minutes(5)); due != nullptr; due = storm.due(minutes(5))) {
    EXPECT_EQ(due->cause, "other");
    storm.told_due(Digest(*due), minutes(5));
    ++digests;
  }
  EXPECT_EQ(digests, 1U);
}

}  // namespace
}  // namespace oomwitness
