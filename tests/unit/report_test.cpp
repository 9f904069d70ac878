// SPDX-License-Identifier: BSD-2-Clause
#include "sink/report.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <regex>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "golden.h"
#include "sample_incidents.h"

namespace oomwitness {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Incident sample(const std::string& wanted) {
  for (auto& [name, incident] : sample_incidents())
    if (name == wanted) return incident;
  ADD_FAILURE() << "no sample " << wanted;
  return {};
}

std::string first_line(const std::string& report) {
  return report.substr(0, report.find('\n'));
}

class Report : public testing::TestWithParam<std::pair<std::string, Incident>> {};

TEST_P(Report, ReadsAsRecorded) {
  const auto& [name, incident] = GetParam();
  expect_golden("report/" + name + ".txt", render_report(incident, {}));
}

TEST_P(Report, ColoursAreAllThatColourAdds) {
  const std::string plain = render_report(GetParam().second, {});
  ReportOptions options;
  options.color = true;
  const std::string coloured = render_report(GetParam().second, options);
  EXPECT_NE(coloured, plain);
  EXPECT_EQ(std::regex_replace(coloured, std::regex("\x1b\\[[0-9;]*m"), ""), plain);
}

TEST_P(Report, HasNoControlByteButTheLineEnds) {
  for (const char c : render_report(GetParam().second, {})) {
    const auto byte = static_cast<std::uint8_t>(c);
    ASSERT_TRUE(byte >= 0x20 || c == '\n') << int{byte};
    ASSERT_NE(byte, 0x7f);
  }
}

TEST_P(Report, IsAsciiWhenAsked) {
  ReportOptions options;
  options.utf8 = false;
  const std::string report = render_report(GetParam().second, options);
  EXPECT_TRUE(std::all_of(report.begin(), report.end(),
                          [](char c) { return static_cast<std::uint8_t>(c) < 0x80; }));
}

INSTANTIATE_TEST_SUITE_P(Samples, Report, testing::ValuesIn(sample_incidents()),
                         [](const auto& tested) { return tested.param.first; });

TEST(ReportHeadline, SaysWhoWhyAndWhoAsked) {
  EXPECT_EQ(first_line(render_report(sample("memcg"), {})),
            "2026-11-23T01:23:45Z OOM kill: mongod (pid 19716, mongod.service) killed: memory "
            "limit 512 MiB of "
            "/system.slice/stack.slice hit by java (pid 811)");
}

TEST(ReportHeadline, DoesNotGuessTheScope) {
  Incident incident = sample("memcg");
  incident.scope = {};
  EXPECT_THAT(first_line(render_report(incident, {})), HasSubstr("scope not known"));
  EXPECT_THAT(render_report(incident, {}), HasSubstr("\nScope: not known\n"));
}

TEST(ReportHeadline, NamesTheLimitOfMemoryAndSwapWhenItIsTheNearer) {
  Incident incident = sample("memcg");
  MemcgLevel& level = incident.scope.memcg->self;
  level.swap_is_memsw = true;
  level.swap_unlimited = false;
  level.usage_bytes = 400 << 20;
  level.swap_usage_bytes = 600 << 20;
  level.swap_limit_bytes = 600 << 20;
  const std::string report = render_report(incident, {});
  EXPECT_THAT(first_line(report),
              HasSubstr("memory+swap limit 600 MiB of /system.slice/stack.slice"));
  EXPECT_THAT(report, HasSubstr("mem+swap limit"));
}

TEST(ReportHeadline, QuotesANameThatWritesSentences) {
  Incident incident = sample("memcg");
  incident.victims[0].comm = "x (pid 1) \"die";
  EXPECT_THAT(first_line(render_report(incident, {})),
              HasSubstr(R"("x (pid 1) \x22die" (pid 19716, )"));
}

TEST(ReportHeadline, CutsALongPathInTheMiddleAndGivesItWholeBelow) {
  Incident incident = sample("memcg");
  const std::string path = "/kubepods.slice/" + std::string(120, 'p') + "/leaf.scope";
  incident.scope.memcg->self.path = path;
  const std::string report = render_report(incident, {});
  EXPECT_THAT(first_line(report), HasSubstr("ppp...ppp"));
  EXPECT_THAT(report, HasSubstr("  limit of    " + path + "\n"));
}

TEST(ReportUnknowns, AreNeverZero) {
  Incident incident;
  incident.id = "x";
  Victim victim;
  victim.pid = 7;
  victim.memory.anon_rss_bytes = 4096;
  incident.victims = {victim};
  Candidate candidate;
  candidate.pid = 7;
  candidate.points = 12;
  incident.candidates.top = {candidate};
  const std::string report = render_report(incident, {});
  EXPECT_THAT(
      report,
      HasSubstr("           4,096 B  4,096 B       -        -     -            -       -\n"));
  EXPECT_THAT(
      report,
      HasSubstr(
          "      12      -         -           -    -        -    7  -     <- chosen, killed\n"));
  EXPECT_THAT(report, HasSubstr("a process (pid 7) killed: scope not known"));
  EXPECT_THAT(report, Not(HasSubstr("share is of")));
}

TEST(ReportUnknowns, HaveNoShare) {
  Incident incident = sample("memcg");
  incident.victims[0].memory = {};
  incident.victims[0].memory.anon_rss_bytes = 128 << 20;
  EXPECT_THAT(render_report(incident, {}),
              HasSubstr("  of 512 MiB     25.0%    25.0%       -        -     -            -\n"));
}

TEST(ReportCandidates, ShowsTheChosenOneBelowTheCut) {
  Incident incident = sample("memcg");
  ReportOptions options;
  options.candidates = 1;
  std::swap(incident.candidates.top.front(), incident.candidates.top.back());
  const std::string report = render_report(incident, options);
  EXPECT_THAT(report, HasSubstr("mongod    <- chosen, killed"));
  EXPECT_THAT(report, HasSubstr("... and 1 more with fewer points"));
}

TEST(ReportCandidates, SaysWhenMorePointsWerePassedOver) {
  Incident incident = sample("memcg");
  incident.candidates.top[1].points = 40'000;
  EXPECT_THAT(render_report(incident, {}),
              HasSubstr("did not have the most points: java (pid 811)"));
}

TEST(ReportCandidates, BrokenRecordsDoNotOverflow) {
  Incident incident = sample("memcg");
  incident.candidates.total_pages = std::numeric_limits<std::uint64_t>::max();
  incident.candidates.top[0].points = std::numeric_limits<std::int64_t>::max();
  incident.candidates.top[1].points = std::numeric_limits<std::int64_t>::min();
  incident.candidates.top[1].oom_score_adj = std::numeric_limits<std::int32_t>::min();
  incident.victims[0].started_unix_ns = std::numeric_limits<std::int64_t>::min();
  EXPECT_THAT(render_report(incident, {}), HasSubstr("unkillable"));
}

TEST(ReportLayout, WrapsAtBlanksWithoutCuttingWords) {
  Incident incident = sample("memcg");
  const std::string word(150, 'w');
  incident.victims[0].cmdline = {"/bin/x", word, "tail"};
  const std::string report = render_report(incident, {});
  EXPECT_THAT(report,
              HasSubstr("  command     /bin/x\n              " + word + "\n              tail\n"));
}

TEST(ReportLayout, AVictimCannotStartALineOfItsOwn) {
  Incident incident = sample("memcg");
  incident.victims[0].cmdline = {"x", "\nTimeline: nothing happened"};
  incident.victims[0].cgroup = "/a\n\nVictim: init";
  const std::string report = render_report(incident, {});
  EXPECT_THAT(report, Not(HasSubstr("\nTimeline: nothing")));
  EXPECT_THAT(report, Not(HasSubstr("\nVictim: init")));
  EXPECT_THAT(report, StartsWith("2026-11-23T01:23:45Z OOM kill: "));
}

}  // namespace
}  // namespace oomwitness
