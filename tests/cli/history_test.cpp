// SPDX-License-Identifier: BSD-2-Clause
#include <filesystem>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "incident/json.h"
#include "oomwitness.h"
#include "sample_incidents.h"
#include "store/store.h"

namespace oomwitness::cli {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    out.push_back(text.substr(at, end - at));
    at = end == std::string::npos ? text.size() : end + 1;
  }
  return out;
}

// A store with the sample incidents, one a second, and a hostile one.
class History : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string dir = ::testing::TempDir() + "historyXXXXXX";
    ASSERT_NE(::mkdtemp(dir.data()), nullptr);
    dir_ = dir;
    auto store = Store::open(path());
    ASSERT_TRUE(store) << store.error().message();
    for (auto& [name, incident] : sample_incidents()) {
      incident.time_unix_ns += static_cast<std::int64_t>(samples_.size()) * 1'000'000'000;
      ASSERT_TRUE(store->put(incident));
      samples_.push_back(incident);
    }
    Incident hostile = samples_.front();
    hostile.id = "01ZZZZZZZZZZZZZZZZZZZZZZZZ";
    hostile.time_unix_ns += 3600LL * 1'000'000'000;
    hostile.victims.resize(1);
    hostile.victims[0].comm = "=cmd|'/C \x1b[2J\"\n\xff";
    hostile.victims[0].unit = "@sum";
    hostile.victims[0].cgroup = "/a,b";
    ASSERT_TRUE(store->put(hostile));
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  std::string path() const { return dir_ + "/incidents.db"; }
  Ran history(std::vector<std::string> args) const {
    args.insert(args.begin(), "history");
    args.insert(args.end(), {"--store", path()});
    return run(args);
  }

  std::string dir_;
  std::vector<Incident> samples_;
};

TEST_F(History, ShowsATableNewestFirst) {
  const Ran ran = history({});
  EXPECT_EQ(ran.code, 0) << ran.err;
  const auto rows = lines(ran.out);
  std::set<std::string> ids;
  for (const Incident& sample : samples_) ids.insert(sample.id);  // one of them is an update
  ASSERT_EQ(rows.size(), ids.size() + 2);
  EXPECT_THAT(rows[0], AllOf(StartsWith("time"), HasSubstr("killed"), HasSubstr("cause")));
  EXPECT_THAT(rows[1], HasSubstr("01ZZZZZZZZZZZZZZ"));
  EXPECT_THAT(rows.back(), StartsWith("1970-01-01T00:00:08Z"));
}

TEST_F(History, JsonIsWhatWasKept) {
  const Ran ran =
      history({"--json", "--since", "2026-11-23T01:23:45Z", "--until", "2026-11-23T01:23:45.9Z"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, to_json(samples_.front()) + "\n");
}

TEST_F(History, FiltersAndLimit) {
  const Ran ran = history({"--json", "--cgroup", "/a,b", "--unit", "@sum"});
  EXPECT_THAT(lines(ran.out), testing::ElementsAre(HasSubstr("01ZZZZZZZZZZZZZZ")));
  EXPECT_EQ(lines(history({"--limit", "1"}).out).size(), 2U);
  const Ran none = history({"--comm", "nobody"});
  EXPECT_EQ(none.code, 3);
  EXPECT_EQ(none.out, "");
}

TEST_F(History, ATerminalIsToldNothingByNames) {
  const Ran ran = history({});
  EXPECT_THAT(lines(ran.out), Each(Not(HasSubstr("\x1b"))));
  EXPECT_THAT(ran.out, HasSubstr("=cmd|'/C \\e[2J\"\\n\\xff"));
}

TEST_F(History, CsvIsNoFormulaAndStaysInItsCell) {
  const Ran ran = history({"--csv", "--unit", "@sum"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  const auto rows = lines(ran.out);
  ASSERT_EQ(rows.size(), 2U) << ran.out;
  EXPECT_THAT(rows[0], StartsWith("time,id,killer,comm,pid"));
  EXPECT_THAT(rows[1], HasSubstr(",\"'=cmd|'/C \\e[2J\"\"\\n\\xff\","));
  EXPECT_THAT(rows[1], HasSubstr(",\"'@sum\",\"/a,b\","));
  EXPECT_EQ(rows[1].back(), '\r');
}

TEST_F(History, ExplainTakesTheBeginningOfAnId) {
  const Ran ran = run({"explain", "01ZZZZZZZZ", "--store", path()});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("01ZZZZZZZZZZZZZZZZZZZZZZZZ"), HasSubstr("What happened")));
  const Ran json = run({"explain", "--json", "01zzzzzzzzzz", "--store", path()});
  EXPECT_THAT(json.out, StartsWith("{\"schema\""));
  EXPECT_EQ(run({"explain", "01AAAAAAAAAA", "--store", path()}).code, 3);
}

TEST_F(History, ExplainAsksForMoreOfAnIdThatIsNotTheOnlyOne) {
  const Ran ran = history({"--explain", "01"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("more than one"), HasSubstr("hint: give more of it")));
}

TEST_F(History, WhatIsNotThereIsAnErrorWithAHint) {
  const Ran ran = run({"history", "--store", dir_ + "/none"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("No such file"), HasSubstr("hint:")));
  EXPECT_EQ(run({"history", "--since", "yesteryear"}).code, 2);
  EXPECT_EQ(run({"history", "--json", "--csv"}).code, 2);
}

TEST_F(History, ItsHelpIsItsOwn) {
  const Ran ran = run({"history", "--help"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, AllOf(HasSubstr("--pod"), HasSubstr("Exit codes:")));
  EXPECT_THAT(run({"--help"}).out, HasSubstr("history"));
}

}  // namespace
}  // namespace oomwitness::cli
