// SPDX-License-Identifier: BSD-2-Clause
// A run's record: its JSON, its verdict, what is kept of its memory.
#include "run/run_record.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "golden.h"
#include "run/run_json.h"
#include "run/sampler.h"
#include "run/verdict.h"
#include "sample_runs.h"
#include "support/text.h"

namespace oomwitness {
namespace {

using testing::HasSubstr;

class RunJson : public testing::TestWithParam<std::pair<std::string, RunRecord>> {};

TEST_P(RunJson, IsWrittenAsRecorded) {
  const auto& [name, run] = GetParam();
  expect_golden("run/json/" + name + ".json", to_json(run) + "\n");
}

TEST_P(RunJson, ComesBackTheSame) {
  const auto& [name, run] = GetParam();
  const std::string json = to_json(run);
  const Result<RunRecord> back = run_from_json(json);
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(*back, run);
  EXPECT_EQ(to_json(*back), json);
  EXPECT_TRUE(is_run_json(json));
}

TEST_P(RunJson, IsOneLineOfPrintableAscii) {
  for (const char c : to_json(GetParam().second)) ASSERT_TRUE(c >= 0x20 && c < 0x7f) << int{c};
}

INSTANTIATE_TEST_SUITE_P(Samples, RunJson, testing::ValuesIn(sample_runs()),
                         [](const auto& tested) { return tested.param.first; });

TEST(RunFromJson, SaysWhatIsWrong) {
  const auto error_of = [](const char* text) { return run_from_json(text).error().message(); };
  EXPECT_THAT(error_of("{"), HasSubstr("not valid JSON"));
  EXPECT_THAT(error_of("{}"), HasSubstr("oomwitness/run/v1"));
  EXPECT_FALSE(is_run_json(R"({"schema":"oomwitness/incident/v1"})"));
  EXPECT_THAT(error_of(R"({"schema":"oomwitness/run/v1","exit_code":0,"verdict":"fine"})"),
              HasSubstr("verdict: expected"));
  EXPECT_THAT(error_of(R"({"schema":"oomwitness/run/v1","exit_code":0,"incidents":[{}]})"),
              HasSubstr("incidents[0]"));
}

// What is known of a run, and what it comes to.
struct Judged {
  const char* name;
  RunRecord run;
  OomPolicy policy;
  RunVerdict verdict;
  int exit_code;
};

RunRecord ended(int exit_code, Opt<std::uint64_t> kills = 0) {
  RunRecord run;
  run.command_exit_code = exit_code;
  run.oom_kills = kills;
  return run;
}

RunRecord killed(int signal, Opt<std::uint64_t> kills = 0) {
  RunRecord run;
  run.command_signal = signal;
  run.oom_kills = kills;
  return run;
}

RunRecord late(RunRecord run) {
  run.timed_out = true;
  return run;
}

RunRecord seen_only_by_incident(RunRecord run) {
  run.kills.push_back({.pid = 7});
  return run;
}

std::vector<Judged> judged() {
  const OomPolicy allow{.exit_code = 137, .allow = true};
  return {{"Success", ended(0), {}, RunVerdict::kSuccess, 0},
          {"Failure", ended(3), {}, RunVerdict::kFailure, 3},
          {"FailureThatLooksLikeAKill", ended(137), {}, RunVerdict::kFailure, 137},
          {"Signal", killed(SIGSEGV), {}, RunVerdict::kSignal, 139},
          {"SigkillByNobodyKnown", killed(SIGKILL), {}, RunVerdict::kSignal, 137},
          {"SigkillWithoutACounter", killed(SIGKILL, {}), {}, RunVerdict::kSignal, 137},
          {"Oom", killed(SIGKILL, 1), {}, RunVerdict::kOom, 137},
          {"OomHiddenByTheCommand", ended(0, 1), {}, RunVerdict::kOom, 137},
          {"OomThatFailedTheCommand", ended(2, 4), {}, RunVerdict::kOom, 137},
          {"OomWithACodeOfItsOwn", ended(0, 1), {.exit_code = 99}, RunVerdict::kOom, 99},
          {"OomWithCodeZero", ended(5, 1), {.exit_code = 0}, RunVerdict::kOom, 0},
          {"OomAllowed", ended(0, 1), allow, RunVerdict::kOom, 0},
          {"OomAllowedThatFailed", ended(2, 1), allow, RunVerdict::kOom, 2},
          {"OomWithoutACounter", seen_only_by_incident(ended(0, {})), {}, RunVerdict::kOom, 137},
          {"Timeout", late(killed(SIGTERM)), {}, RunVerdict::kTimeout, 124},
          {"TimeoutThatTookSigkill", late(killed(SIGKILL)), {}, RunVerdict::kTimeout, 124},
          {"TimeoutThatEndedWell", late(ended(0)), {}, RunVerdict::kTimeout, 124},
          {"OomBeforeTheTimeout", late(killed(SIGTERM, 1)), {}, RunVerdict::kOom, 137},
          {"OomAllowedBeforeTheTimeout", late(killed(SIGTERM, 1)), allow, RunVerdict::kOom, 124}};
}

class Verdict : public testing::TestWithParam<Judged> {};

TEST_P(Verdict, IsTheStrongestOfWhatIsTrue) {
  RunRecord run = GetParam().run;
  judge(run, GetParam().policy);
  EXPECT_EQ(run.verdict, GetParam().verdict);
  EXPECT_EQ(run.exit_code, GetParam().exit_code);
}

INSTANTIATE_TEST_SUITE_P(Runs, Verdict, testing::ValuesIn(judged()),
                         [](const auto& tested) { return tested.param.name; });

TEST(ExecError, IsAsEnvHasIt) {
  EXPECT_EQ(exit_code_of_exec_error(ENOENT), 127);
  EXPECT_EQ(exit_code_of_exec_error(ENOTDIR), 127);
  EXPECT_EQ(exit_code_of_exec_error(EACCES), 126);
  EXPECT_EQ(exit_code_of_exec_error(ENOEXEC), 126);
}

TEST(ParseSize, IsWhatPeopleAndCgroupFilesWrite) {
  constexpr std::uint64_t kKiB = 1024;
  const std::vector<std::pair<const char*, Opt<std::uint64_t>>> sizes{
      {"1048576", 1048576U},
      {"512M", 512 * kKiB * kKiB},
      {"512m", 512 * kKiB * kKiB},
      {"1.5G", 1536 * kKiB * kKiB},
      {"300MiB", 300 * kKiB * kKiB},
      {"2GB", 2048 * kKiB * kKiB},
      {"1T", kKiB * kKiB * kKiB * kKiB},
      {"7B", 7U},
      {"0", {}},
      {"-1M", {}},
      {"", {}},
      {"M", {}},
      {"1 M", {}},
      {"1Q", {}},
      {"1Mx", {}},
      {"nan", {}},
      {"inf", {}},
      {"0.1", {}},
      {"9999999T", {}}};
  for (const auto& [text, bytes] : sizes) EXPECT_EQ(parse_size(text), bytes) << text;
}

TEST(Sampler, LooksAtAShortRunNever) {
  EXPECT_EQ(Sampler().next_ms(), 20U);
}

TEST(Sampler, KeepsThePeakHoweverLongTheRun) {
  Sampler sampler;
  std::size_t looks = 0;
  for (std::uint64_t ms = sampler.next_ms(); ms < std::uint64_t{24} * 3600 * 1000;
       ms = sampler.next_ms()) {
    sampler.add(ms, {.usage_bytes = looks == 777 ? 1'000'000U : looks % 1000, .swap_bytes = 5});
    ++looks;
  }
  EXPECT_LT(sampler.samples().size(), Sampler::kMaxSamples);
  EXPECT_GT(sampler.samples().size(), Sampler::kMaxSamples / 2 - 1);
  EXPECT_LT(looks, 20'000U) << "a day";
  EXPECT_EQ(sampler.highest_bytes(), 1'000'000U);
  EXPECT_EQ(sampler.highest_swap_bytes(), 5U);
  const auto& kept = sampler.samples();
  EXPECT_TRUE(std::any_of(kept.begin(), kept.end(),
                          [](const MemorySample& s) { return s.usage_bytes == 1'000'000; }));
  EXPECT_TRUE(std::is_sorted(kept.begin(), kept.end(),
                             [](const auto& a, const auto& b) { return a.ms < b.ms; }));
}

TEST(Sampler, AReadingWithoutUsageIsNoSample) {
  Sampler sampler;
  sampler.add(20, {});
  EXPECT_TRUE(sampler.samples().empty());
  EXPECT_GT(sampler.next_ms(), 20U);
}

}  // namespace
}  // namespace oomwitness
