// SPDX-License-Identifier: BSD-2-Clause
#include "pipeline/observation_json.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "assemble_fixture.h"

namespace oomwitness {
namespace {

using namespace testing;  // the observations

const std::string kHostile("a\x1b[2J\xff\xfe\n\"\\\0\xc3\xa4 \xed\xa0\x80", 17);

template <typename Seen>
Seen again(const Seen& seen) {
  const auto text = observation_to_json(seen);
  if (!text) {
    ADD_FAILURE() << text.error().message();
    return {};
  }
  const auto back = observation_from_json(*text);
  if (!back) {
    ADD_FAILURE() << back.error().message() << "\n" << *text;
    return {};
  }
  const Seen* value = std::get_if<Seen>(&*back);
  if (value == nullptr) {
    ADD_FAILURE() << *text;
    return {};
  }
  EXPECT_EQ(value->at_ns, seen.at_ns);
  // What was read is written the same again.
  EXPECT_EQ(observation_to_json(*value).value(), *text);
  return *value;
}

ProcFacts full_facts() {
  ProcFacts out = facts(7);
  out.cmdline = std::vector<std::string>{"hog", "", kHostile};
  out.cmdline_bytes = 9000;
  out.exe = "/usr/bin/" + kHostile;
  out.exe_deleted = true;
  out.container = Container{.runtime = "docker", .id = "4d2d", .name = kHostile, .image = "db:1"};
  out.pod = Pod{.name = "p", .ns = "n", .uid = "u", .container = "c"};
  out.ancestry = {{.pid = 50, .comm = kHostile}, {.pid = 1, .comm = "init"}};
  out.missing = {{"started", "it was gone"}};
  return out;
}

TEST(ObservationJson, ProcFacts) {
  const ProcFacts wrote = full_facts();
  const ProcFacts seen = again(wrote);
  EXPECT_EQ(seen.pid, wrote.pid);
  EXPECT_EQ(seen.start_boottime_ns, wrote.start_boottime_ns);
  EXPECT_EQ(seen.cmdline, wrote.cmdline);
  EXPECT_EQ(seen.cmdline_bytes, wrote.cmdline_bytes);
  EXPECT_EQ(seen.exe, wrote.exe);
  EXPECT_EQ(seen.exe_deleted, wrote.exe_deleted);
  EXPECT_EQ(seen.user, wrote.user);
  EXPECT_EQ(seen.cgroup, wrote.cgroup);
  EXPECT_EQ(seen.unit, wrote.unit);
  EXPECT_EQ(seen.container, wrote.container);
  EXPECT_EQ(seen.pod, wrote.pod);
  EXPECT_EQ(seen.ancestry, wrote.ancestry);
  EXPECT_EQ(seen.missing, wrote.missing);
}

TEST(ObservationJson, ProcFactsThatFoundNothing) {
  ProcFacts wrote;
  wrote.at_ns = 3;
  wrote.pid = 9;
  const ProcFacts seen = again(wrote);
  EXPECT_EQ(seen.pid, 9U);
  EXPECT_FALSE(seen.cmdline || seen.cmdline_bytes || seen.exe || seen.exe_deleted || seen.user);
  EXPECT_FALSE(seen.cgroup || seen.unit || seen.container || seen.pod);
}

TEST(ObservationJson, EmptyIsNotAbsent) {
  ProcFacts wrote;
  wrote.pid = 9;
  wrote.cmdline.emplace();
  wrote.exe_deleted = false;
  const ProcFacts seen = again(wrote);
  EXPECT_EQ(seen.cmdline, wrote.cmdline);
  EXPECT_EQ(seen.exe_deleted, false);
}

TEST(ObservationJson, MemcgStat) {
  const MemcgStat seen = again(MemcgStat{
      .at_ns = 8, .id = 42, .stat = {{"anon", 0}, {"file", UINT64_MAX}, {"odd name", 1}}});
  EXPECT_EQ(seen.id, 42U);
  EXPECT_EQ(seen.stat, (std::map<std::string, std::uint64_t>{
                           {"anon", 0}, {"file", UINT64_MAX}, {"odd name", 1}}));
  EXPECT_TRUE(again(MemcgStat{.at_ns = 8, .id = 42, .stat = {}}).stat.empty());
}

TEST(ObservationJson, SystemMemory) {
  SystemMemory wrote = system_memory(42, 9, "proc");
  wrote.victim_pid = 100;
  wrote.system.swap_bytes = {{"total", 5}, {"free", 0}};
  const SystemMemory seen = again(wrote);
  EXPECT_EQ(seen.id, 42U);
  EXPECT_EQ(seen.victim_pid, 100U);
  EXPECT_EQ(seen.system, wrote.system);
}

TEST(ObservationJson, Losses) {
  EXPECT_EQ(again(Losses{.at_ns = 10, .total = UINT64_MAX}).total, UINT64_MAX);
}

TEST(ObservationJson, ClockSet) {
  const ClockSet seen = again(
      ClockSet{.at_ns = 10, .unix_minus_monotonic_ns = -5, .unix_minus_boottime_ns = INT64_MAX});
  EXPECT_EQ(seen.at_ns, 10U);
  EXPECT_EQ(seen.unix_minus_monotonic_ns, -5);
  EXPECT_EQ(seen.unix_minus_boottime_ns, INT64_MAX);
}

TEST(ObservationJson, LogReport) {
  LogReport wrote = log_report(11);
  wrote.oom_group = true;
  wrote.from_backlog = true;
  wrote.victims[0].comm = kHostile;
  wrote.scope.cpuset = "/";
  wrote.scope.mems_allowed = "0-1";
  const LogReport seen = again(wrote);
  EXPECT_EQ(seen.scope, wrote.scope);
  EXPECT_EQ(seen.invoker, wrote.invoker);
  EXPECT_EQ(seen.victims, wrote.victims);
  EXPECT_EQ(seen.candidates.listed, wrote.candidates.listed);
  EXPECT_TRUE(seen.oom_group);
  EXPECT_TRUE(seen.from_backlog);
}

TEST(ObservationJson, LogReportWithNothingInIt) {
  const LogReport seen = again(LogReport{.at_ns = 1});
  EXPECT_EQ(seen.scope, Scope{});
  EXPECT_EQ(seen.invoker, Invoker{});
  EXPECT_TRUE(seen.victims.empty());
  EXPECT_FALSE(seen.candidates.listed);
  EXPECT_FALSE(seen.oom_group);
  EXPECT_FALSE(seen.from_backlog);
}

TEST(ObservationJson, WhatTheKernelsRecordsCarryIsNotWrittenTwice) {
  const std::vector<Observation> raw{decision(1, 1),  chain(1, 1),  candidates(1, 1),
                                     stacks(1, 1),    task(1, 1),   marked(1, 1),
                                     delivered(1, 1), exited(1, 1), Reaped{}};
  for (const Observation& observation : raw) {
    EXPECT_FALSE(observation_to_json(observation)) << observation.index();
  }
}

TEST(ObservationJson, EveryTruncationIsAnError) {
  const std::string whole = observation_to_json(full_facts()).value();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ASSERT_FALSE(observation_from_json(whole.substr(0, size))) << size;
  }
}

TEST(ObservationJson, OtherTextIsAnError) {
  for (const char* text :
       {"", "null", "[]", "{}", "7", R"({"kind":"proc"})", R"({"kind":"proc","fields":[]})",
        R"({"kind":"none","fields":{}})", R"({"kind":1,"fields":{}})", "\xff"}) {
    EXPECT_FALSE(observation_from_json(text)) << text;
  }
  std::string unknown = observation_to_json(Losses{.at_ns = 1, .total = 2}).value();
  unknown.replace(unknown.find("losses"), 6, "gained");
  const auto seen = observation_from_json(unknown);
  ASSERT_FALSE(seen);
  EXPECT_THAT(seen.error().message(), ::testing::HasSubstr("'gained'"));
}

}  // namespace
}  // namespace oomwitness
