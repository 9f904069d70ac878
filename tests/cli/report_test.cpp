// SPDX-License-Identifier: BSD-2-Clause
// `report` on what the other commands write, and on a kernel log.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gmock/gmock.h>

#include "golden.h"
#include "oomwitness.h"

namespace oomwitness::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

const std::string kIncidents = std::string(GOLDEN_DIR) + "/cli/json/memcg-v2-6.12.json";
const std::string kRecorded = std::string(GOLDEN_DIR) + "/json/recorded.json";
const std::string kLog = std::string(OW_TEST_DATA) + "/kernlog/memcg-v1.kmsg";

class Report : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ / name; }
  static std::string content(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("oomwitness-report." + std::to_string(::getpid()));
};

TEST_F(Report, IsHtmlOnStdoutWhereThatIsNoTerminal) {
  const Ran ran = run({"report", kIncidents});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, StartsWith("<!DOCTYPE html>"));
  EXPECT_THAT(ran.out, HasSubstr("2 incidents"));
  EXPECT_THAT(ran.err, IsEmpty());
}

TEST_F(Report, OfAKernelLogGoesIntoAFileThatIsWhole) {
  const Ran ran = run({"report", "-o", path("out.html"), kLog});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, IsEmpty());
  EXPECT_THAT(content(path("out.html")), HasSubstr("</html>"));
  EXPECT_FALSE(std::filesystem::exists(path("out.html.part")));
}

TEST_F(Report, OfSeveralFilesCountsEachIncidentOnce) {
  const Ran ran = run({"report", kIncidents, kLog, kIncidents});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("3 incidents"));
}

TEST_F(Report, OfARotatedLogJoinsWhatIsCutBetweenItsFiles) {
  const std::string report = content(kLog);
  const std::size_t middle = report.find('\n', report.size() / 2) + 1;
  std::ofstream(path("kern.log.1")) << report.substr(0, middle);
  std::ofstream(path("kern.log")) << report.substr(middle);
  const Ran whole = run({"report", "--text", kLog});
  EXPECT_EQ(whole.code, 0);
  EXPECT_EQ(run({"report", "--text", path("kern.log"), path("kern.log.1")}).out, whole.out);
}

TEST_F(Report, AKillThatTwoLogsTellOfIsCountedOnce) {
  std::ofstream(path("syslog")) << content(kLog);
  const Ran ran = run({"report", "--text", kLog, path("syslog")});
  EXPECT_EQ(ran.out, run({"report", "--text", kLog}).out);
}

TEST_F(Report, OnlyTheIncidentWithTheId) {
  const Ran ran = run({"report", "--id", "01M83HY6BHNE3XDMMV0Q1SWR9Q", kIncidents});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("1 incident,"));
}

TEST_F(Report, AsTextHasPlots) {
  const Ran ran = run({.args = {"report", "--text", kRecorded}, .environment = {"LANG=C.UTF-8"}});
  EXPECT_EQ(ran.code, 0) << ran.err;
  expect_golden("cli/report/recorded-plots.txt", ran.out);
}

TEST_F(Report, AsTextInALocaleWithoutUtf8IsAscii) {
  const Ran ran = run({.args = {"report", "--text", kRecorded}, .environment = {"LANG=C"}});
  EXPECT_TRUE(std::all_of(ran.out.begin(), ran.out.end(),
                          [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); }));
  EXPECT_THAT(ran.out, HasSubstr("####"));
}

TEST_F(Report, AFileThatIsNotThereLeavesTheOthersAndIsCodeOne) {
  const Ran ran = run({"report", "/nonexistent/log", kLog});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("/nonexistent/log"));
  EXPECT_THAT(ran.out, HasSubstr("1 incident,"));
}

TEST_F(Report, OfAStoreReadsWhatTheAgentHasKept) {
  const Ran ran = run({"report", "--store=" + path("none.db")});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("none.db"));
}

TEST_F(Report, OfARunIsToldByItsContent) {
  std::ofstream(path("run.json"))
      << R"({"schema":"oomwitness/run/v1","command":["make"],"host":{},"verdict":"success",)"
         R"("exit_code":0,"cgroup":{"way":"new"},"depth":"cgroup","limits":{},"usage":{},"kills":[],)"
         R"("memory":[{"ms":0,"usage_bytes":4096},{"ms":500,"usage_bytes":8192}],"incidents":[]})"
      << "\n";
  const Ran ran = run({"report", path("run.json")});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("Memory of the run"));
}

TEST_F(Report, WithoutIncidentsWritesNothingAndIsCodeThree) {
  std::ofstream(path("empty.log")) << "nothing\n";
  const Ran ran = run({"report", "-o", path("out.html"), path("empty.log")});
  EXPECT_EQ(ran.code, 3);
  EXPECT_FALSE(std::filesystem::exists(path("out.html")));
}

TEST_F(Report, WhereItCannotWriteSaysSo) {
  const Ran ran = run({"report", "-o", path("no/such/folder/out.html"), kLog});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("No such file or directory"));
}

TEST_F(Report, ListsOnlyTheNewestButCountsAll) {
  const Ran ran = run({"report", "--max", "1", kIncidents});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("2 incidents"));
  EXPECT_THAT(ran.out, HasSubstr("The newest 1 incidents are listed; 1 older ones"));
  EXPECT_THAT(ran.out, Not(HasSubstr("id=\"i2\"")));
}

}  // namespace
}  // namespace oomwitness::cli
