// SPDX-License-Identifier: BSD-2-Clause
// Each shape of growth, and its near miss.
#include <algorithm>
#include <functional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diagnose/diagnose.h"
#include "diagnose/trend.h"
#include "diagnose_fixture.h"

namespace oomwitness {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t kSecondNs = 1'000'000'000;
constexpr std::uint64_t kKillNs = 1'000 * kSecondNs;

// A limit of 512 MiB; `bytes_at` gives its usage so many seconds before the kill.
Incident recorded(std::uint64_t over_s, std::uint64_t every_ms,
                  const std::function<std::uint64_t(double)>& bytes_at,
                  const std::string& name = "limit_usage_bytes") {
  Incident incident = under_limit({task(7, "hog", 400 * kMib), task(8, "sh", kMib)});
  incident.monotonic_ns = kKillNs;
  for (std::uint64_t before_ms = over_s * 1'000;; before_ms -= every_ms) {
    const double before_s = static_cast<double>(before_ms) / 1'000;
    incident.history.samples.push_back(
        {kKillNs - before_ms * 1'000'000, {{name, bytes_at(before_s)}}});
    if (before_ms < every_ms) return incident;
  }
}

std::uint64_t mib(double n) {
  return static_cast<std::uint64_t>(std::max(n, 0.0) * static_cast<double>(kMib));
}

Opt<Trend> trend(const Incident& incident) {
  return trend_of(gather(incident, {}));
}

TEST(Trend, ASteadyRiseIsALeakWithItsSlope) {
  const auto found =
      trend(recorded(180, 5'000, [](double before) { return mib(500 - 2 * before); }));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->shape, Growth::kLeak);
  EXPECT_EQ(found->of, "limit");
  EXPECT_NEAR(static_cast<double>(found->slope_bytes_per_s), 2.0 * static_cast<double>(kMib), 1e4);
  EXPECT_EQ(found->over_ms, 180'000U);
}

TEST(Trend, ALeakUnderRequestsThatComeAndGoIsStillOne) {
  const auto found = trend(recorded(180, 1'000, [](double before) {
    return mib(480 - 2 * before + (static_cast<int>(before) % 7 < 3 ? 25 : 0));
  }));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->shape, Growth::kLeak);
}

TEST(Trend, MemoryThatGoesUpAndDownHasNoShape) {
  EXPECT_FALSE(trend(recorded(180, 1'000, [](double before) {
    return mib(static_cast<int>(before) % 60 < 30 ? 450 : 100);
  })));
}

TEST(Trend, MostOfTheRiseInTheLastSecondsIsABurst) {
  const auto found = trend(recorded(
      180, 500, [](double before) { return mib(before > 4 ? 60 : 60 + 110 * (4 - before)); }));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->shape, Growth::kBurst);
  EXPECT_NEAR(static_cast<double>(found->slope_bytes_per_s), 110.0 * static_cast<double>(kMib),
              15.0 * static_cast<double>(kMib));
}

TEST(Trend, ARiseOverAMinuteIsNoBurst) {
  const auto found = trend(recorded(60, 500, [](double before) { return mib(500 - 8 * before); }));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->shape, Growth::kLeak);
}

TEST(Trend, FullForMostOfTheTimeIsAPlateau) {
  const auto found =
      trend(recorded(180, 1'000, [](double before) { return mib(before > 150 ? 100 : 508); }));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->shape, Growth::kPlateau);
  EXPECT_EQ(found->over_ms, 150'000U);
}

TEST(Trend, FullForTheLastSecondsOnlyIsNoPlateau) {
  const auto found =
      trend(recorded(180, 1'000, [](double before) { return mib(before > 5 ? 100 : 508); }));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->shape, Growth::kBurst);
}

TEST(Trend, FewSamplesFitAnyShape) {
  EXPECT_FALSE(trend(recorded(3, 1'000, [](double before) { return mib(500 - 100 * before); })));
  EXPECT_TRUE(trend(recorded(4, 1'000, [](double before) { return mib(500 - 100 * before); })));
}

TEST(Trend, OrdinaryComingAndGoingHasNoShape) {
  EXPECT_FALSE(trend(recorded(180, 1'000, [](double before) { return mib(400 - before / 10); })));
}

TEST(Trend, OfTheHostIsReadFromWhatIsAvailable) {
  Incident incident = recorded(
      120, 5'000, [](double before) { return mib(200 + 50 * before); }, "host_available_bytes");
  incident.scope = {};
  incident.scope.constraint = "none";
  const auto found = trend(incident);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->of, "host");
  EXPECT_EQ(found->shape, Growth::kLeak);
}

TEST(Trend, SamplesAfterTheKillAndTimesThatGoBackAreLeftOut) {
  Incident incident = recorded(180, 5'000, [](double before) { return mib(500 - 2 * before); });
  incident.history.samples.push_back({kKillNs + kSecondNs, {{"limit_usage_bytes", 0}}});
  EXPECT_EQ(trend(incident)->shape, Growth::kLeak);
  incident.monotonic_ns = 0;
  incident.history.samples.back().monotonic_ns = 5;
  EXPECT_EQ(trend(incident)->shape, Growth::kLeak);
}

TEST(Trend, IsInTheDiagnosisWithItsSlope) {
  const auto diagnosis =
      diagnose(recorded(180, 5'000, [](double before) { return mib(500 - 2 * before); }));
  ASSERT_TRUE(diagnosis.trend);
  EXPECT_THAT(diagnosis.evidence,
              Contains("Memory of /a grew like a leak: by 2 MiB/s, steadily over 3 min 0 s."));
}

TEST(Trend, NamesWhetherTheVictimGrew) {
  Incident incident = recorded(180, 5'000, [](double before) { return mib(500 - 2 * before); });
  const auto with_victim = [&](std::uint64_t last) {
    incident.history.samples.front().values["victim_rss_bytes"] = 10 * kMib;
    incident.history.samples.back().values["victim_rss_bytes"] = last;
    return grower_sentence(gather(incident, {}));
  };
  EXPECT_THAT(with_victim(350 * kMib), HasSubstr("hog (pid 7) grew by 340 MiB meanwhile, 94.4%"));
  EXPECT_THAT(with_victim(12 * kMib), HasSubstr("it was others that grew"));
  EXPECT_THAT(with_victim(10 * kMib), HasSubstr("hog (pid 7) did not grow meanwhile"));
  incident.history = {};
  EXPECT_THAT(grower_sentence(gather(incident, {})), IsEmpty());
}

}  // namespace
}  // namespace oomwitness
