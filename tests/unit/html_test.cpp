// SPDX-License-Identifier: BSD-2-Clause
// The HTML report: its structure, what it escapes, what it leaves out when there is much.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diagnose/diagnose.h"
#include "golden.h"
#include "sample_incidents.h"
#include "sink/gathered.h"
#include "sink/html/packed_records.h"
#include "sink/html/report_html.h"
#include "sink/html/sections.h"

namespace oomwitness {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

HtmlReport report_of(const std::vector<Incident>& incidents) {
  HtmlReport report;
  report.made_unix_ns = 1'795'397'025'000'000'000;
  report.version = "0.0.0";
  report.sources = {"kern.log"};
  Diagnostician diagnose;
  for (Incident incident : incidents) {
    diagnose(incident);
    report.tally.add(incident);
    report.incidents.push_back(incident);
  }
  return report;
}

std::vector<Incident> samples() {
  std::vector<Incident> all;
  for (const auto& [name, incident] : sample_incidents()) all.push_back(incident);
  return all;
}

Incident sample(const std::string& wanted) {
  for (const auto& [name, incident] : sample_incidents())
    if (name == wanted) return incident;
  return {};
}

// Every element closed in its order; nothing but the tags that the report writes.
std::string unbalanced(const std::string& html) {
  std::vector<std::string> open;
  for (std::size_t at = html.find('<'); at != std::string::npos; at = html.find('<', at + 1)) {
    const std::size_t end = html.find('>', at);
    if (end == std::string::npos) return "a tag does not end";
    const std::string tag = html.substr(at + 1, end - at - 1);
    if (tag.starts_with('!') || tag.ends_with('/')) continue;
    const std::string name = tag.substr(0, tag.find(' '));
    if (!name.starts_with('/')) {
      open.push_back(name);
    } else {
      if (open.empty() || open.back() != name.substr(1)) return tag;
      open.pop_back();
    }
  }
  return open.empty() ? "" : open.back() + " stays open";
}

TEST(Html, OfARecordedLeakReadsAsRecorded) {
  expect_golden("html/recorded.html", render_html(report_of({sample("recorded")})));
}

TEST(Html, HasABalancedTreeOfElementsForEverySample) {
  for (const auto& [name, incident] : sample_incidents())
    EXPECT_EQ(unbalanced(render_html(report_of({incident}))), "") << name;
  EXPECT_EQ(unbalanced(render_html(report_of(samples()))), "");
}

TEST(Html, RunsAndLoadsNothing) {
  const std::string html = render_html(report_of(samples()));
  EXPECT_THAT(html, HasSubstr("default-src 'none'; style-src 'sha256-"));
  for (const char* refused : {"<script", "<iframe", "<object", "<img", "<link rel=\"style",
                              "http://", "https://", " style=\"", "javascript:", "@import", "url("})
    EXPECT_THAT(html, Not(HasSubstr(refused))) << refused;
  EXPECT_THAT(html, Not(ContainsRegex(" on[a-z]+=\"")));
}

// NOLINTBEGIN(misc-misleading-bidirectional): it is what the page must not pass on.
// Every string of an incident as hostile as can be.
Incident hostile_everywhere() {
  const std::string evil =
      "\"><script>alert(1)</script><img src=x onerror=alert(2)>'\xe2\x80\xae\x01\x1b";
  Incident i = sample("recorded");
  i.id = evil;
  i.killer = evil;
  i.host.name = i.host.kernel = i.host.arch = evil;
  i.scope.constraint = i.scope.cpuset = i.scope.reason = evil;
  i.scope.memcg->self.path = "/" + evil;
  i.scope.memcg->stat[evil] = 1;
  i.invoker.comm = i.invoker.cgroup = evil;
  i.invoker.gfp->flags = {evil};
  i.invoker.kernel_stack = {{0, evil}};
  i.invoker.user_stack = {{evil, 1}};
  Victim& v = i.victims[0];
  v.comm = v.exe = v.user = v.cgroup = v.unit = evil;
  v.cmdline = {evil, evil};
  v.container = Container{evil, evil, evil, evil};
  v.pod = Pod{evil, evil, evil, evil};
  v.ancestry = {{1, evil}};
  i.selected->comm = evil;
  for (Candidate& candidate : i.candidates.top) candidate.comm = evil;
  i.history.tracked[0].comm = evil;
  i.history.tracked[1].cgroup = evil;
  i.provenance.missing = {{evil, evil}};
  i.provenance.late = {{evil, evil}};
  i.provenance.hooks = {{evil, evil}};
  return i;
}

TEST(Html, LetsNoNameBecomeMarkup) {
  HtmlReport report = report_of({hostile_everywhere(), hostile_everywhere()});
  report.sources = {"<script>alert(3)</script>"};
  const std::string html = render_html(report);
  EXPECT_EQ(unbalanced(html), "");
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("<img")));
  EXPECT_THAT(html, Not(HasSubstr("\xe2\x80\xae")));
  EXPECT_TRUE(std::none_of(html.begin(), html.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7f;
  }));
}

// NOLINTEND(misc-misleading-bidirectional)

TEST(Html, OfAVerdictReadFromAFileIsEscapedToo) {
  HtmlReport report = report_of({sample("memcg")});
  report.incidents[0].diagnosis = Diagnosis{.cause = "<x>",
                                            .also = {"<y>"},
                                            .summary = "<script>",
                                            .evidence = {"<script>"},
                                            .advice = {"\x01<script>"}};
  EXPECT_THAT(render_html(report), Not(HasSubstr("<script")));
}

std::vector<Incident> many(std::size_t count) {
  std::vector<Incident> incidents;
  const Incident model = sample("recorded");
  for (std::size_t n = 0; n < count; ++n) {
    incidents.push_back(model);
    incidents.back().id += std::to_string(n);
    incidents.back().time_unix_ns += static_cast<std::int64_t>(n) * 60'000'000'000;
  }
  return incidents;
}

TEST(Html, OfAThousandIncidentsIsAtMostFiveMebibytes) {
  const std::string html = render_html(report_of(many(1'000)));
  EXPECT_LE(html.size(), std::size_t{5} * 1024 * 1024);
  EXPECT_EQ(unbalanced(html), "");
}

TEST(Html, SaysWhatItLeavesOutAndHasTheRecordsNonetheless) {
  HtmlReport report = report_of(many(8));
  EXPECT_THAT(render_html(report), Not(HasSubstr("download")));
  report.budget_bytes = 100'000;
  const std::string html = render_html(report);
  EXPECT_THAT(html, ContainsRegex("the newest [1-7] are shown in full and [1-7] in brief"));
  EXPECT_THAT(html, HasSubstr("download=\"oomwitness-incidents.json.gz\""));
  // The newest, which is the last, is whole.
  EXPECT_GT(html.rfind("The whole record"), html.rfind("In brief:"));
}

TEST(Html, SaysThatOlderIncidentsAreOnlyCounted) {
  HtmlReport report = report_of(many(3));
  report.incidents.erase(report.incidents.begin());
  EXPECT_THAT(render_html(report), HasSubstr("The newest 2 incidents are listed; 1 older ones"));
}

TEST(Html, OfAKillWithoutHistorySaysHowToHaveOne) {
  EXPECT_THAT(render_html(report_of({sample("memcg")})), HasSubstr("oomwitness agent keeps"));
}

TEST(IndentedJson, BreaksOnlyWhatIsLong) {
  EXPECT_EQ(indented_json(R"({"a":[1,2],"b":"x,{\"y"})"), R"({"a":[1,2],"b":"x,{\"y"})");
  const std::string text(90, 'x');
  EXPECT_EQ(indented_json(R"({"a":[1,2],"b":")" + text + "\"}"),
            "{\n \"a\": [1,2],\n \"b\": \"" + text + "\"\n}");
  indented_json("{\"a");  // cut: no crash
  indented_json("]]}");
}

TEST(Base64, FollowsTheStandardsVectors) {
  for (const auto& [plain, coded] : std::map<std::string, std::string>{
           {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}})
    EXPECT_EQ(base64(plain), coded);
}

Incident at(const std::string& id, std::int64_t time, std::uint32_t revision = 0) {
  Incident incident;
  incident.id = id;
  incident.time_unix_ns = time;
  incident.revision = revision;
  return incident;
}

TEST(Gathered, CountsAnUpdateAsItsIncidentAndKeepsTheUpdate) {
  Gathered gathered(10);
  for (const Incident& incident : {at("a", 1), at("b", 2), at("a", 1, 1), at("a", 1, 0)})
    gathered.add(incident);
  EXPECT_EQ(gathered.tally().incidents(), 2U);
  EXPECT_EQ(std::move(gathered).take().front().revision, 1U);
}

TEST(Gathered, KeepsTheNewestInOrderWhateverCameFirst) {
  Gathered gathered(2);
  for (std::int64_t n = 0; n < 200; ++n) gathered.add(at(std::to_string(n), 1 + n * 37 % 200));
  EXPECT_EQ(gathered.tally().incidents(), 200U);
  const auto kept = std::move(gathered).take();
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0].time_unix_ns, 199);
  EXPECT_EQ(kept[1].time_unix_ns, 200);
}

TEST(Gathered, SeesRepeatsInTheOrderOfTheirTimes) {
  Gathered gathered(10);
  for (const std::int64_t minute : {3, 2, 1}) {  // as a store gives them
    Incident incident = sample("memcg");
    incident.id += std::to_string(minute);
    incident.time_unix_ns += minute * 60'000'000'000;
    incident.victims[0].pid = static_cast<std::uint32_t>(1'000 + minute);
    gathered.add(incident);
  }
  const auto kept = std::move(gathered).take();
  EXPECT_THAT(kept.front().diagnosis->also, Not(testing::Contains("repeated-kills")));
  EXPECT_THAT(kept.back().diagnosis->also, testing::Contains("repeated-kills"));
}

RunRecord run_that_died() {
  RunRecord run;
  run.command = {"make", "<script>"};
  run.verdict = RunVerdict::kOom;
  run.limits.effective_bytes = 64U << 20U;
  for (std::uint64_t n = 0; n < 10; ++n) run.memory.push_back({n * 100, n << 22U, {}});
  RunKill kill;
  kill.ms = 900;
  kill.pid = 12;
  kill.comm = "<img onerror=x>";
  run.kills = {kill};
  return run;
}

TEST(Html, OfARunHasItsMemoryWithTheLimitAndTheKill) {
  HtmlReport report;
  report.runs = {run_that_died()};
  const std::string html = render_html(report);
  EXPECT_EQ(unbalanced(html), "");
  EXPECT_THAT(html, HasSubstr("Memory of the run"));
  EXPECT_THAT(html, HasSubstr("class=\"limit\""));
  EXPECT_THAT(html, HasSubstr("class=\"kill\""));
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("<img")));
}

TEST(Html, OfARunWithoutSamplesSaysSo) {
  HtmlReport report;
  report.runs.emplace_back().command = {"true"};
  EXPECT_THAT(render_html(report), HasSubstr("Nothing could be sampled"));
}

TEST(Tally, CountsByCauseNameAndPlace) {
  Tally tally;
  Incident incident = sample("group");
  incident.diagnosis = Diagnosis{.cause = "ancestor-limit"};
  tally.add(incident);
  EXPECT_EQ(tally.killed(), 5U);
  EXPECT_EQ(tally.by_name(1).top,
            (std::vector<std::pair<std::string, std::uint64_t>>{{"member", 4}}));
  EXPECT_EQ(tally.by_name(1).beyond, 1U);
  EXPECT_EQ(tally.by_place(5).top.front().first, "/g");
  EXPECT_EQ(tally.by_cause(5).top.front().first, "ancestor-limit");
}

TEST(Tally, StaysSmallUnderHostileNames) {
  Tally tally;
  for (int n = 0; n < 20'000; ++n) {
    Incident incident = at(std::to_string(n), 0);
    Victim victim;
    victim.comm = std::to_string(n);
    incident.victims = {victim};
    tally.add(incident);
  }
  EXPECT_LE(tally.by_name(1).names, 10'001U);
  EXPECT_EQ(tally.by_name(1).top.front().second, 10'000U);
}

TEST(HistogramOf, PutsTheLastMomentInTheLastStretch) {
  const Histogram histogram = histogram_of({100, 150, 200}, 4);
  EXPECT_EQ(histogram.counts, (std::vector<std::uint64_t>{1, 0, 1, 1}));
  EXPECT_EQ(histogram_of({5}, 4).counts.size(), 4U);
  EXPECT_TRUE(histogram_of({}, 4).counts.empty());
}

}  // namespace
}  // namespace oomwitness
