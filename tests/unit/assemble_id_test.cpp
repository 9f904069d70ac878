// SPDX-License-Identifier: BSD-2-Clause
#include <set>

#include <gmock/gmock.h>

#include "assemble/incident_id.h"

namespace oomwitness {
namespace {

using ::testing::MatchesRegex;

constexpr std::int64_t kTime = 1'469'918'176'385'000'000;  // the ULID specification's example

TEST(IncidentId, IsAUlid) {
  const std::string id = incident_id(kTime, "boot", 1, 2, 3);
  EXPECT_EQ(id.size(), 26U);
  EXPECT_THAT(id, MatchesRegex("[0-9A-HJKMNP-TV-Z]+"));
  EXPECT_EQ(id.substr(0, 10), "01ARYZ6S41");
}

TEST(IncidentId, IsTheSameEverywhereAndForever) {
  // Ids are in stores and tickets: a change of the hash breaks them.
  EXPECT_EQ(incident_id(kTime, "boot", 1, 2, 3), incident_id(kTime, "boot", 1, 2, 3));
  EXPECT_EQ(incident_id(kTime, "boot", 1, 2, 3), "01ARYZ6S41YVRZRED6222AXAF1");
}

TEST(IncidentId, EveryPartCounts) {
  const std::set<std::string> ids = {
      incident_id(kTime, "boot", 1, 2, 3), incident_id(kTime, "boo", 1, 2, 3),
      incident_id(kTime, "boot", 9, 2, 3), incident_id(kTime, "boot", 1, 9, 3),
      incident_id(kTime, "boot", 1, 2, 9), incident_id(kTime + 1'000'000, "boot", 1, 2, 3),
      incident_id(kTime, "boot", 1, 3, 2),
  };
  EXPECT_EQ(ids.size(), 7U);
}

TEST(IncidentId, NeighboursInTimeDoNotCollide) {
  std::set<std::string> ids;
  for (std::uint64_t ns = 0; ns < 1000; ++ns)
    for (std::uint32_t pid = 0; pid < 100; ++pid) ids.insert(incident_id(kTime, "b", ns, pid, pid));
  EXPECT_EQ(ids.size(), 100'000U);
}

TEST(IncidentId, ClocksBeforeTheEpochDoNotBreakIt) {
  EXPECT_EQ(incident_id(-5, "b", 1, 2, 3).substr(0, 10), "0000000000");
}

}  // namespace
}  // namespace oomwitness
