// SPDX-License-Identifier: BSD-2-Clause
#include "support/when.h"

#include <optional>

#include <gtest/gtest.h>

#include "support/text.h"

namespace oomwitness {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

// Two hours east of Greenwich; it is 2026-11-25T00:30:00Z.
Clock clock() {
  return {.now_unix_ns = *parse_rfc3339_utc("2026-11-25T00:30:00Z"),
          .to_utc = [](std::int64_t local) { return local - 7200; },
          .to_local = [](std::int64_t utc) { return utc + 7200; }};
}

std::string utc(std::string_view text) {
  const auto moment = parse_when(text, clock());
  return moment ? rfc3339_utc(*moment, 3) : moment.error().message();
}

TEST(When, Rfc3339) {
  EXPECT_EQ(utc("2026-11-23T01:23:45Z"), "2026-11-23T01:23:45.000Z");
  EXPECT_EQ(utc("2026-11-23t01:23:45.25z"), "2026-11-23T01:23:45.250Z");
  EXPECT_EQ(utc("2026-11-23T01:23:45+01:00"), "2026-11-23T00:23:45.000Z");
  EXPECT_EQ(utc("2026-11-23T01:23:45-0530"), "2026-11-23T06:53:45.000Z");
  EXPECT_EQ(utc("2024-02-29T00:00:00Z"), "2024-02-29T00:00:00.000Z");
}

TEST(When, WithoutAZoneItIsLocal) {
  EXPECT_EQ(utc("2026-11-23 01:23:45"), "2026-11-22T23:23:45.000Z");
  EXPECT_EQ(utc("2026-11-23 01:23"), "2026-11-22T23:23:00.000Z");
  EXPECT_EQ(utc("2026-11-23"), "2026-11-22T22:00:00.000Z");
}

TEST(When, Words) {
  EXPECT_EQ(utc("now"), "2026-11-25T00:30:00.000Z");
  EXPECT_EQ(utc("today"), "2026-11-24T22:00:00.000Z");
  EXPECT_EQ(utc("yesterday"), "2026-11-23T22:00:00.000Z");
}

TEST(When, BeforeNow) {
  for (const char* text : {"2 hours ago", "2h", "2h ago", "-2h", "120 min", "120m", "7200s",
                           "1h 60min", "1hr60 minutes ago", "0d 2 hours"}) {
    EXPECT_EQ(utc(text), "2026-11-24T22:30:00.000Z") << text;
  }
  EXPECT_EQ(utc("1 day ago"), "2026-11-24T00:30:00.000Z");
  EXPECT_EQ(utc("2w"), "2026-11-11T00:30:00.000Z");
}

TEST(When, Epoch) {
  EXPECT_EQ(parse_when("@1", clock()).value(), kSecond);
}

TEST(When, NothingElse) {
  for (const char* text : {"",
                           " ",
                           "soon",
                           "2026-13-01",
                           "2026-02-30",
                           "2026-11-23T25:00:00Z",
                           "2026-11-23T01:60:00Z",
                           "2026-11-23T01:23:45X",
                           "2026-11-23T01:23:45Z ",
                           "2026-11-23T01:23:45.Z",
                           "2026-1-1",
                           "2026-11-23T",
                           "2026-11-23T01:23:45+1",
                           "1",
                           "h",
                           "1 fortnight",
                           "ago",
                           "1h ago ago",
                           "99999999999w",
                           "9999999999999999999999h",
                           "@",
                           "@x",
                           "@99999999999999",
                           "-",
                           "+1h",
                           "1969-01-01",
                           "2300-01-01",
                           "--1h",
                           "1h -2h"}) {
    EXPECT_FALSE(parse_when(text, clock())) << text;
  }
}

}  // namespace
}  // namespace oomwitness
