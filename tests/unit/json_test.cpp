// SPDX-License-Identifier: BSD-2-Clause
#include "incident/json.h"

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "golden.h"
#include "sample_incidents.h"

namespace oomwitness {
namespace {

using testing::HasSubstr;
using testing::Not;

class JsonGolden : public testing::TestWithParam<std::pair<std::string, Incident>> {};

TEST_P(JsonGolden, IsWrittenAsRecorded) {
  const auto& [name, incident] = GetParam();
  expect_golden("json/" + name + ".json", to_json(incident) + "\n");
}

TEST_P(JsonGolden, ComesBackTheSame) {
  const Incident& incident = GetParam().second;
  const std::string json = to_json(incident);
  const Result<Incident> back = incident_from_json(json);
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(*back, incident);
  EXPECT_EQ(to_json(*back), json);
}

TEST_P(JsonGolden, IsOneLineOfPrintableAscii) {
  for (const char c : to_json(GetParam().second)) ASSERT_TRUE(c >= 0x20 && c < 0x7f) << int{c};
}

INSTANTIATE_TEST_SUITE_P(Samples, JsonGolden, testing::ValuesIn(sample_incidents()),
                         [](const auto& tested) { return tested.param.first; });

std::string with(const std::string& members) {
  return R"({"schema":"oomwitness/incident/v1","id":"x")" + (members.empty() ? "" : "," + members) +
         "}";
}

TEST(IncidentToJson, LeavesOutWhatIsAbsent) {
  Incident incident;
  incident.id = "x";
  EXPECT_EQ(
      to_json(incident),
      R"({"schema":"oomwitness/incident/v1","id":"x","revision":0,"killer":"kernel","host":{},)"
      R"("scope":{},"invoker":{},"victims":[],"candidates":{},"system":{},)"
      R"("provenance":{"sources":[],"lost_events":0}})");
}

TEST(IncidentToJson, WritesZeroAndEmptyWhenTheyAreKnown) {
  Incident incident;
  Victim victim;
  victim.uid = 0;
  victim.points = 0;
  victim.comm = "";
  victim.exe_deleted = false;
  victim.cmdline.emplace();
  victim.memory.swap_bytes = 0;
  incident.victims = {victim};
  incident.scope.sysrq = false;
  const std::string json = to_json(incident);
  EXPECT_THAT(
      json,
      HasSubstr(R"("victims":[{"comm":"","cmdline":[],"exe_deleted":false,"uid":0,"points":0,)"
                R"("memory":{"swap_bytes":0}}])"));
  EXPECT_THAT(json, HasSubstr(R"("scope":{"sysrq":false})"));
}

TEST(IncidentToJson, SwapAndMeminfoKeepTheirNames) {
  Incident incident;
  incident.system.meminfo_bytes = {{"Active(file)", 1}};
  incident.system.swap_bytes = {{"total", 2}};
  EXPECT_THAT(to_json(incident),
              HasSubstr(R"J("system":{"meminfo":{"Active(file)":1},"swap":{"total":2}})J"));
}

TEST(IncidentFromJson, KeepsEveryBitOfLargeNumbers) {
  Incident incident;
  incident.id = "x";
  incident.monotonic_ns = std::numeric_limits<std::uint64_t>::max();
  incident.invoker.gfp = Gfp{std::numeric_limits<std::uint64_t>::max(), {}};
  Candidate candidate;
  candidate.points = std::numeric_limits<std::int64_t>::min();
  incident.candidates.top = {candidate};
  const Result<Incident> back = incident_from_json(to_json(incident));
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(*back, incident);
}

TEST(IncidentFromJson, SkipsKeysItDoesNotKnow) {
  const auto incident = incident_from_json(with(
      R"("diagnosis":{"cause":"x"},"victims":[{"pid":7,"shoe_size":44}],"system":{"zones":[{}]})"));
  ASSERT_TRUE(incident) << incident.error().message();
  EXPECT_EQ(incident->victims.at(0).pid, 7U);
}

void expect_refused(const std::string& json, const std::string& message) {
  const Result<Incident> incident = incident_from_json(json);
  ASSERT_FALSE(incident) << json;
  EXPECT_THAT(incident.error().message(), HasSubstr(message)) << json;
  EXPECT_THAT(incident.error().message(), Not(HasSubstr("\x1b")));
}

TEST(IncidentFromJson, NamesThePlaceOfWhatIsWrong) {
  const std::vector<std::pair<std::string, std::string>> table{
      {"", "not valid JSON"},
      {"{", "not valid JSON"},
      {"[]", "expected an object, found array"},
      {"{}", "schema: expected 'oomwitness/incident/v1', found ''"},
      {R"({"schema":"oomwitness/incident/v2","id":"x"})", "found 'oomwitness/incident/v2'"},
      {R"({"schema":3})", "schema: expected a string, found number"},
      {R"({"schema":"oomwitness/incident/v1"})", "id: missing"},
      {with(R"("victims":{})"), "victims: expected an array, found object"},
      {with(R"("victims":[7])"), "victims[0]: expected an object, found number"},
      {with(R"("victims":[{},{"pid":"7"}])"), "victims[1].pid: expected an integer, found string"},
      {with(R"("victims":[{"pid":null}])"), "victims[0].pid: expected an integer, found null"},
      {with(R"("victims":[{"pid":7.0}])"), "victims[0].pid: expected an integer, found number"},
      {with(R"("victims":[{"pid":-1}])"), "victims[0].pid: expected 0..4294967295, found -1"},
      {with(R"("victims":[{"pid":4294967296}])"),
       "victims[0].pid: expected 0..4294967295, found 4294967296"},
      {with(R"("victims":[{"points":9223372036854775808}])"),
       "victims[0].points: expected -9223372036854775808.."},
      {with(R"("victims":[{"memory":{"anon_rss_bytes":18446744073709551616}}])"),
       "memory.anon_rss_bytes: expected an integer"},
      {with(R"("victims":[{"role":"hero"}])"),
       "victims[0].role: expected a victim's role, found 'hero'"},
      {with(R"("victims":[{"cmdline":["a",1]}])"), "victims[0].cmdline[1]: expected a string"},
      {with(R"("victims":[{"started":"now"}])"), "victims[0].started: expected a time in UTC"},
      {with(R"("time":5)"), "time: expected a string"},
      {with(R"("scope":{"memcg":{"stat":{"anon":-1}}})"), "scope.memcg.stat.anon: expected 0.."},
      {with(R"("scope":{"memcg":{"unlimited":1}})"),
       "scope.memcg.unlimited: expected true or false"},
      {with(R"("invoker":{"gfp":{}})"), "invoker.gfp.mask: missing"},
      {with(R"("candidates":{"top":[{"oom_score_adj":0}]})"), "candidates.top[0].pid: missing"},
      {with(R"("selected":{})"), "selected.pid: missing"},
      {with(R"("invoker":{"gfp":{"mask":"cc0"}})"),
       "invoker.gfp.mask: expected a hexadecimal number"},
      {with(R"("invoker":{"gfp":{"mask":"0x"}})"),
       "invoker.gfp.mask: expected a hexadecimal number"},
      {with(R"("invoker":{"gfp":{"mask":"0x11111111111111111"}})"), "invoker.gfp.mask: expected"},
      {with(R"("provenance":{"missing":{"a\u001b":1}})"),
       "provenance.missing.a\\e: expected a string"},
      {with("\"killer\":\"\xff\""), "not valid JSON"},
  };
  for (const auto& [json, message] : table) expect_refused(json, message);
}

TEST(IncidentFromJson, TakesEveryCutOfARecordWithoutHarm) {
  const std::string json = to_json(sample_incidents().front().second);
  for (std::size_t size = 0; size < json.size(); ++size)
    EXPECT_FALSE(incident_from_json(std::string_view(json).substr(0, size)));
}

TEST(IncidentFromJson, SurvivesDeepNesting) {
  const std::size_t depth = 100'000;
  EXPECT_FALSE(incident_from_json(std::string(depth, '[')));
  EXPECT_TRUE(
      incident_from_json(with("\"later\":" + std::string(depth, '[') + std::string(depth, ']'))));
}

}  // namespace
}  // namespace oomwitness
