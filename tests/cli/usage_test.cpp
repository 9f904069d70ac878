// SPDX-License-Identifier: BSD-2-Clause
// What the command line accepts, refuses and says. Golden files: code, stdout and stderr in one.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "golden.h"
#include "oomwitness.h"

namespace oomwitness::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

void expect_said(const std::string& name, const std::vector<std::string>& args) {
  const Ran ran = run(args);
  expect_golden("cli/" + name + ".txt", "exit code " + std::to_string(ran.code) + "\n-- stdout\n" +
                                            ran.out + "-- stderr\n" + ran.err);
}

TEST(Usage, Help) {
  expect_said("help", {"--help"});
  EXPECT_EQ(run({"-h"}).out, run({"--help"}).out);
}

TEST(Usage, TraceHelp) {
  expect_said("trace-help", {"trace", "--help"});
}

TEST(Usage, AnalyzeHelp) {
  expect_said("analyze-help", {"analyze", "--help"});
}

TEST(Usage, AnalyzeWithoutALog) {
  expect_said("analyze-without-log", {"analyze"});
}

TEST(Usage, ReportHelp) {
  expect_said("report-help", {"report", "--help"});
}

TEST(Usage, RunHelp) {
  expect_said("run-help", {"run", "--help"});
}

TEST(Usage, FitHelp) {
  expect_said("fit-help", {"fit", "--help"});
}

TEST(Usage, RunWithoutACommand) {
  const Ran ran = run({"run", "--quiet"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, StartsWith("-- and a command are required."));
  EXPECT_EQ(run({"run", "--"}).code, 2);
  EXPECT_EQ(run({"fit"}).code, 2);
  EXPECT_EQ(run({"run", "true"}).code, 2) << "without --";
}

TEST(Usage, DoctorHelp) {
  expect_said("doctor-help", {"doctor", "--help"});
}

TEST(Usage, Version) {
  const Ran ran = run({"--version"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, MatchesRegex("oomwitness [0-9]+\\.[0-9]+\\.[0-9]+[^ ]*\n"));
  EXPECT_EQ(ran.err, "");
  EXPECT_EQ(run({"-V"}).out, ran.out);
}

TEST(Usage, NoCommand) {
  expect_said("no-command", {});
}

TEST(Usage, UnknownCommand) {
  expect_said("unknown-command", {"tracee"});
}

TEST(Usage, UnknownOptionOfTrace) {
  expect_said("unknown-option", {"trace", "--jsom"});
}

TEST(Usage, RecordAndReplayExcludeEachOther) {
  expect_said("record-and-replay", {"trace", "--record", "a", "--replay", "b"});
}

TEST(Usage, RingSizeThatIsNoPowerOfTwo) {
  expect_said("ring-size", {"trace", "--ring-size", "100"});
}

// Bad usage: exit code 2, nothing on stdout, the option named on stderr.
class BadUsage : public ::testing::TestWithParam<std::vector<std::string>> {};

TEST_P(BadUsage, IsTwoAndNamesTheOption) {
  const Ran ran = run(GetParam());
  EXPECT_EQ(ran.code, 2);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, HasSubstr(GetParam().at(1)));
}

INSTANTIATE_TEST_SUITE_P(
    Options, BadUsage,
    ::testing::Values(std::vector<std::string>{"trace", "--duration", "soon"},
                      std::vector<std::string>{"trace", "--duration", "-1s"},
                      std::vector<std::string>{"trace", "--duration", "1d"},
                      std::vector<std::string>{"trace", "--duration", "10 s"},
                      std::vector<std::string>{"trace", "--duration", "nan"},
                      std::vector<std::string>{"trace", "--duration", "inf"},
                      std::vector<std::string>{"trace", "--duration", "1e400"},
                      std::vector<std::string>{"trace", "--duration", "1e9h"},
                      std::vector<std::string>{"trace", "--duration", ""},
                      std::vector<std::string>{"trace", "--settle", "5x"},
                      std::vector<std::string>{"trace", "--settle", "ms"},
                      std::vector<std::string>{"trace", "--count", "0"},
                      std::vector<std::string>{"trace", "--count", "-1"},
                      std::vector<std::string>{"trace", "--count", "many"},
                      std::vector<std::string>{"trace", "--pid", "x"},
                      std::vector<std::string>{"trace", "--uid", "-5"},
                      std::vector<std::string>{"trace", "--pid", "4294967296"},
                      std::vector<std::string>{"trace", "--ring-size", "0"},
                      std::vector<std::string>{"trace", "--btf", "/no/such/file"},
                      std::vector<std::string>{"trace", "--root", "/no/such/folder"},
                      std::vector<std::string>{"trace", "--proc", "/dev/null"},
                      std::vector<std::string>{"trace", "--replay"},
                      std::vector<std::string>{"run", "--memory-max", "0", "--", "true"},
                      std::vector<std::string>{"run", "--memory-max", "12Q", "--", "true"},
                      std::vector<std::string>{"run", "--memory-max", "-5M", "--", "true"},
                      std::vector<std::string>{"run", "--swap-max", "x", "--", "true"},
                      std::vector<std::string>{"run", "--timeout", "soon", "--", "true"},
                      std::vector<std::string>{"run", "--oom-exit-code", "256", "--", "true"},
                      std::vector<std::string>{"run", "--depth", "deep", "--", "true"},
                      std::vector<std::string>{"run", "--cgroup", "v3", "--", "true"},
                      std::vector<std::string>{"fit", "--margin", "lots", "--", "true"},
                      std::vector<std::string>{"fit", "--runs", "1", "--", "true"},
                      std::vector<std::string>{"doctor", "--count", "1"},
                      std::vector<std::string>{"doctor", "--btf", "/no/such/file"}));

// Bad names of hooks are found before anything is loaded: rights play no part.
TEST(Usage, UnknownHooksAndWaysNameTheOnesThereAre) {
  const Ran hook = run({"trace", "--hook", "oom_kil=fentry"});
  EXPECT_EQ(hook.code, 2);
  EXPECT_EQ(hook.out, "");
  EXPECT_THAT(hook.err, AllOf(HasSubstr("--hook oom_kil=fentry"), HasSubstr("oom_kill_process"),
                              HasSubstr("mark_victim")));
  const Ran way = run({"trace", "--hook", "oom_kill_process=tracepoint"});
  EXPECT_EQ(way.code, 2);
  EXPECT_THAT(way.err, HasSubstr("fentry, kprobe, none"));
  EXPECT_EQ(run({"trace", "--hook", "oom_kill_process"}).code, 2);
}

TEST(Usage, HelpThatCannotBeWrittenIsAnError) {
  const Ran ran = run(Invocation{.args = {"--help"}, .environment = {}, .to = Stdout::kFull});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, StartsWith("error: write to stdout: No space left on device"));
}

// What it finds is this host's business; that it can be read is not.
TEST(Doctor, JsonIsOneObjectThatNamesEverySource) {
  const Ran ran = run({"doctor", "--json"});
  const auto json = nlohmann::json::parse(ran.out, nullptr, false);
  ASSERT_TRUE(json.is_object()) << ran.out << ran.err;
  EXPECT_EQ(json["schema"], "oomwitness/doctor/v1");
  EXPECT_EQ(ran.code, json["sees_kills"] == true ? 0 : 1);
  EXPECT_EQ(json.contains("error"), !json.contains("hooks"));
  EXPECT_EQ(json["sees_kills"] == false, json["rung"] == "none");
  ASSERT_TRUE(json["sources"].is_array());
  for (const auto& source : json["sources"]) {
    EXPECT_TRUE(source["works"].is_boolean()) << source;
    EXPECT_FALSE(source["gives"].get<std::string>().empty()) << source;
    if (source["works"] == false) {
      EXPECT_NE(source["detail"], "") << source;
    }
  }
  if (json.contains("hooks")) {
    EXPECT_GE(json["hooks"].size(), 8U);
  }
}

TEST(Doctor, TextSaysWhetherKillsAreSeen) {
  const Ran ran = run({"doctor"});
  EXPECT_THAT(ran.out, AllOf(StartsWith("oomwitness on "), HasSubstr("\nhooks\n"),
                             HasSubstr("\nsources\n")));
  EXPECT_THAT(ran.out, HasSubstr(ran.code == 0 ? "can be seen" : "cannot be seen"));
}

}  // namespace
}  // namespace oomwitness::cli
