// SPDX-License-Identifier: BSD-2-Clause
// Logs of all kinds, as a user analyses them.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "follower.h"
#include "golden.h"
#include "oomwitness.h"
#include "packed.h"

namespace oomwitness::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::string kmsg() {
  return std::string(OW_KERNLOG) + "/memcg-v1.kmsg";
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

// At 2026-11-23T01:00:00Z and as many seconds.
std::string kill_line(int pid, int second = 0) {
  const std::string two = (second < 10 ? "0" : "") + std::to_string(second);
  return "2026-11-23T01:00:" + two + ".000000Z web1 kernel: [  1" + two +
         ".000001] Out of memory: Killed process " + std::to_string(pid) +
         " (hog) total-vm:1000kB, anon-rss:500kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:40kB "
         "oom_score_adj:0\n";
}

class Analyze : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& name, std::string_view text) const {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  std::string folder_ = ::testing::TempDir() + "analyze-" + std::to_string(::getpid());
};

TEST_F(Analyze, AsAReport) {
  const Ran ran = run({"analyze", kmsg()});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.err, "");
  expect_golden("cli/analyze/memcg-v1.txt", ran.out);
}

TEST_F(Analyze, AsJson) {
  const Ran ran = run({"analyze", "--json", kmsg()});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.err, "");
  expect_golden("cli/json/analyze-memcg-v1.json", ran.out);
}

TEST_F(Analyze, AsASummary) {
  const Ran ran =
      run({"analyze", "--summary", file("a.log", kill_line(7) + kill_line(8, 30)), kmsg()});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.err, "");
  expect_golden("cli/analyze/summary.txt", ran.out);
}

TEST_F(Analyze, NoneFoundIsThree) {
  for (const std::string& text :
       {std::string(), std::string("Nov 23 01:02:03 web1 sshd[1]: hello\n"),
        std::string(100'000, '\0'), std::string("\xff\xfe\x00\x80oom", 7)}) {
    for (const char* how : {"--json", "--summary"}) {
      const Ran ran = run({"analyze", how, file("a.log", text)});
      EXPECT_EQ(ran.code, 3);
      EXPECT_EQ(ran.out, "");
      EXPECT_EQ(ran.err, "");
    }
  }
}

TEST_F(Analyze, WhatCannotBeReadIsOneAndDoesNotHideTheRest) {
  const std::string good = file("good.log", kill_line(7));
  const Ran ran = run({"analyze", "--json", folder_ + "/none.log", good, folder_});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(pids(ran.out), ElementsAre(7));
  EXPECT_EQ(ran.err, "error: open " + folder_ + "/none.log: No such file or directory\n" +
                         "error: read " + folder_ +
                         ": Is a directory\nhint: name the logs in it: " + folder_ +
                         "/kern.log*\n");
}

TEST_F(Analyze, CompressedLogsWhateverTheirName) {
  const std::string text = kill_line(7);
  for (const std::string& packed : {gzip(text), xz(text), zstd(text)}) {
    EXPECT_THAT(pids(run({"analyze", "--json", file("a.txt", packed)}).out), ElementsAre(7));
  }
  EXPECT_THAT(pids(run({"analyze", "--json", file("b.gz", text)}).out), ElementsAre(7));
}

TEST_F(Analyze, ACompressedLogThatIsCutShortGivesWhatItHas) {
  std::string text = kill_line(7);
  for (int i = 0; i < 20'000; ++i) text += "line " + std::to_string(i * 7919) + "\n";
  const std::string packed = gzip(text);
  const Ran ran = run({"analyze", "--json", file("a.gz", packed.substr(0, packed.size() / 2))});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(pids(ran.out), ElementsAre(7));
  EXPECT_THAT(ran.err, HasSubstr("it is cut short\nhint: "));
}

TEST_F(Analyze, ARotatedSetIsOneLogInAnyOrder) {
  const std::string report = read_file(kmsg());
  const std::size_t middle = report.find('\n', report.size() / 2) + 1;
  const std::string old = file("kern.log.1", report.substr(0, middle));
  const std::string now = file("kern.log", report.substr(middle));
  const std::string oldest = file("kern.log.2.gz", gzip(kill_line(7)));
  const std::string whole = run({"analyze", "--json", kmsg()}).out;
  EXPECT_THAT(pids(whole), ElementsAre(2083));
  EXPECT_EQ(run({"analyze", "--json", now, old}).out, whole);
  EXPECT_THAT(pids(run({"analyze", "--json", now, oldest, old}).out), ElementsAre(7, 2083));
}

TEST_F(Analyze, AKillThatTwoLogsTellOfIsShownOnce) {
  const std::string kern = file("kern.log", kill_line(1, 1) + kill_line(2, 2));
  const std::string syslog = file("syslog", kill_line(1, 1) + kill_line(2, 2) + kill_line(3, 3));
  const auto ran = run({"analyze", "--json", kern, syslog});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(pids(ran.out), ElementsAre(1, 2, 3));
  EXPECT_THAT(ran.err, HasSubstr("2 kills are told by more than one log"));
}

TEST_F(Analyze, FiltersCountAndTimes) {
  const std::string log = file("a.log", kill_line(7, 10) + kill_line(8, 30) + kill_line(9, 50));
  const auto found = [&](std::vector<std::string> args) {
    args.insert(args.begin(), {"analyze", "--json"});
    args.push_back(log);
    return pids(run(args).out);
  };
  EXPECT_THAT(found({}), ElementsAre(7, 8, 9));
  EXPECT_THAT(found({"--pid", "8", "--"}), ElementsAre(8));
  EXPECT_THAT(found({"--comm", "none", "--"}), IsEmpty());
  EXPECT_THAT(found({"--count", "2"}), ElementsAre(7, 8));
  EXPECT_THAT(found({"--since", "2026-11-23T01:00:20Z"}), ElementsAre(8, 9));
  EXPECT_THAT(found({"--until", "2026-11-23T01:00:20Z"}), ElementsAre(7));
  EXPECT_THAT(found({"--since", "2026-11-23T03:00:30+02:00", "--until", "2026-11-23T01:00:30Z"}),
              ElementsAre(8));
  EXPECT_EQ(run({"analyze", "--since", "2027-01-01", log}).code, 3);
}

TEST_F(Analyze, KillsWithoutADateAreSaidToBeLeftOut) {
  const std::string log = file("a.log", "[  100.000001] Out of memory: Killed process 7 (hog)\n");
  const Ran ran = run({"analyze", "--json", "--since", "1h", log});
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.err, HasSubstr("1 kill has no date in the log"));
}

TEST_F(Analyze, LinesThatAreCutAreCounted) {
  const std::string log =
      file("a.log", "oom-kill" + std::string(100'000, 'x') + "\n" + kill_line(7));
  const Ran ran = run({"analyze", "--json", log});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.err, "note: 1 line was longer than 64 KiB and cut\n");
}

TEST_F(Analyze, FormatsThatAreNotReadSaySo) {
  const Ran ran = run({"analyze", file("a.bz2", "BZh91AY&SY")});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("hint: give its text: bzcat FILE | oomwitness analyze -\n"));
}

TEST_F(Analyze, AStdoutThatTakesNothingIsAnError) {
  const Ran ran =
      run(Invocation{.args = {"analyze", kmsg()}, .environment = {}, .to = Stdout::kFull});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.err, "error: write to stdout: No space left on device\n");
}

TEST_F(Analyze, TheJournalsFilesAreRead) {
  const std::string journal = file("oom.journal", unxz(read_file(OW_JOURNAL)));
  const Ran ran = run({"analyze", "--json", journal});
  if (ran.err.find("load libsystemd") != std::string::npos) GTEST_SKIP() << ran.err;
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.err, "");
  // Not the line that a program wrote in the kernel's name.
  EXPECT_THAT(pids(ran.out), ElementsAre(2083, 3083));
  const Ran late = run({"analyze", "--json", "--since", "2026-11-19", journal});
  EXPECT_THAT(pids(late.out), ElementsAre(3083));
}

TEST_F(Analyze, FollowsGrowthRotationAndTruncation) {
  const std::string old = file("kern.log.1.gz", gzip(kill_line(1)));
  const std::string log = file("kern.log", kill_line(2, 1));
  Follower follower({"analyze", "--json", "--follow", log, old});
  EXPECT_THAT(follower.next(), ElementsAre(1));
  EXPECT_THAT(follower.next(), ElementsAre(2));
  std::ofstream(log, std::ios::app) << kill_line(3, 2);
  EXPECT_THAT(follower.next(), ElementsAre(3));
  // logrotate, create: the daemon goes on in the old file until it is told.
  std::filesystem::rename(log, folder_ + "/kern.log.1");
  file("kern.log", "");
  std::ofstream(folder_ + "/kern.log.1", std::ios::app) << kill_line(4, 3);
  EXPECT_THAT(follower.next(), ElementsAre(4));
  std::ofstream(log, std::ios::app) << kill_line(5, 4) << kill_line(6, 5);
  EXPECT_THAT(follower.next(), ElementsAre(5));
  EXPECT_THAT(follower.next(), ElementsAre(6));
  // logrotate, copytruncate
  std::filesystem::resize_file(log, 0);
  std::ofstream(log, std::ios::app) << kill_line(7, 6);
  EXPECT_THAT(follower.next(), ElementsAre(7));
  EXPECT_EQ(follower.stop(), 0);
}

// A pipe may fall silent and stay open: the report is shown all the same, and SIGTERM heard.
TEST_F(Analyze, FollowsAPipe) {
  Follower follower({"analyze", "--json", "--follow", "-"});
  follower.type(kill_line(1));
  EXPECT_THAT(follower.next(), ElementsAre(1));
  follower.type(kill_line(2, 1));
  EXPECT_THAT(follower.next(), ElementsAre(2));
  EXPECT_EQ(follower.stop(), 0);
}

TEST_F(Analyze, DoesNotFollowWhatIsCompressed) {
  const std::string log = file("kern.log.gz", gzip(kill_line(1)));
  const Ran ran = run({"analyze", "--follow", log});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("follow " + log + ", which is compressed"));
}

TEST_F(Analyze, FollowTakesOneLog) {
  const Ran ran = run({"analyze", "--follow", file("a.log", ""), file("b.log", "")});
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, StartsWith("error: --follow takes one log"));
}

TEST_F(Analyze, FollowsUntilTheCountIsReached) {
  const std::string log = file("a.log", kill_line(7) + kill_line(8, 1) + kill_line(9, 2));
  const Ran ran = run({"analyze", "--json", "--follow", "--count", "2", log});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(pids(ran.out), ElementsAre(7, 8));
}

}  // namespace
}  // namespace oomwitness::cli
