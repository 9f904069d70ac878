// SPDX-License-Identifier: BSD-2-Clause
// Recordings of real kills (tests/data/recordings, how they were made is in its README.md), as a
// user sees them again.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "golden.h"
#include "oomwitness.h"

namespace oomwitness::cli {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string recording(const std::string& name) {
  return std::string(OW_RECORDINGS) + "/" + name + ".owrec";
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class Replay : public ::testing::TestWithParam<std::string> {
 protected:
  std::vector<std::string> args(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"trace", "--replay", recording(GetParam())});
    return more;
  }
};

TEST_P(Replay, AsAReport) {
  const Ran ran = run(args());
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.err, "");
  EXPECT_THAT(ran.out, Not(HasSubstr("\x1b")));
  expect_golden("cli/report/" + GetParam() + ".txt", ran.out);
}

TEST_P(Replay, AsJson) {
  const Ran ran = run(args({"--json"}));
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.err, "");
  for (const std::string& line : lines(ran.out)) {
    EXPECT_TRUE(nlohmann::json::parse(line, nullptr, false).is_object()) << line;
  }
  expect_golden("cli/json/" + GetParam() + ".json", ran.out);
}

TEST_P(Replay, TheSameBytesWhateverTheEnvironment) {
  const Ran plain = run(args());
  for (const char* variable :
       {"NO_COLOR=1", "NO_COLOR=", "TERM=xterm-256color", "TZ=Asia/Tokyo", "LC_ALL=C"}) {
    const Ran ran = run(Invocation{.args = args(), .environment = {variable}, .to = Stdout::kKept});
    EXPECT_EQ(ran.out, plain.out) << variable;
  }
}

TEST_P(Replay, CountEndsIt) {
  const auto first = run(args({"--json", "--count", "1"}));
  EXPECT_EQ(first.code, 0);
  EXPECT_EQ(lines(first.out).size(), 1U);
  EXPECT_THAT(run(args({"--json"})).out, StartsWith(first.out));
}

TEST_P(Replay, FiltersShowAndHide) {
  const auto all = run(args({"--json"})).out;
  const auto victim = nlohmann::json::parse(lines(all).at(0)).at("victims").at(0);
  const auto is_shown = [&](const std::string& option, const std::string& value) {
    const Ran ran = run(args({"--json", "--count", "1", option, value}));
    EXPECT_EQ(ran.code, 0) << ran.err;
    return ran.out == lines(all).at(0) + "\n";
  };
  const auto hides = [&](const std::string& option, const std::string& value) {
    const Ran ran = run(args({"--json", option, value}));
    return ran.code == 0 && ran.out.empty() && ran.err.empty();
  };
  EXPECT_TRUE(is_shown("--comm", victim.at("comm")));
  EXPECT_TRUE(is_shown("--pid", victim.at("pid").dump()));
  EXPECT_TRUE(is_shown("--uid", victim.at("uid").dump()));
  EXPECT_TRUE(is_shown("--cgroup", victim.at("cgroup")));
  EXPECT_TRUE(is_shown("--cgroup", "/"));
  EXPECT_TRUE(hides("--comm", "no-such-comm"));
  EXPECT_TRUE(hides("--pid", "4000000000"));
  EXPECT_TRUE(hides("--uid", "4000000000"));
  EXPECT_TRUE(hides("--cgroup", "/no/such"));
  EXPECT_TRUE(hides("--unit", "no-such-unit"));
  EXPECT_TRUE(hides("--container", "no-such-container"));
}

TEST_P(Replay, AStdoutThatTakesNothingIsAnError) {
  const Ran full = run(Invocation{.args = args(), .environment = {}, .to = Stdout::kFull});
  EXPECT_EQ(full.code, 1);
  EXPECT_EQ(full.err, "error: write to stdout: No space left on device\n");
  const Ran closed = run(Invocation{.args = args(), .environment = {}, .to = Stdout::kClosed});
  EXPECT_EQ(closed.code, 1);
  EXPECT_EQ(closed.err, "error: write to stdout: Bad file descriptor\n");
}

TEST_P(Replay, CutShortGivesWhatItHasAndSaysSo) {
  const std::string whole = read(recording(GetParam()));
  const std::string json = run(args({"--json"})).out;
  const std::string path = ::testing::TempDir() + "cut-" + std::to_string(::getpid()) + ".owrec";
  for (const std::size_t keep : {whole.size() - 1, whole.size() / 2, std::size_t{1000}}) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << whole.substr(0, keep);
    const Ran ran = run({"trace", "--json", "--replay", path});
    EXPECT_EQ(ran.code, 1) << keep;
    EXPECT_EQ(ran.err, "error: read the recording " + path +
                           ": it is cut short\nhint: the recorder was interrupted or the file "
                           "damaged; what came before is shown\n");
    if (keep == whole.size() - 1) {
      EXPECT_EQ(ran.out, json);
    }
    EXPECT_LE(lines(ran.out).size(), lines(json).size());
  }
  std::filesystem::remove(path);
}

INSTANTIATE_TEST_SUITE_P(Recordings, Replay, ::testing::Values("memcg-v2-6.12", "memcg-v1-6.1"),
                         [](const auto& seen) {
                           std::string name = seen.param;
                           for (char& c : name) c = c == '-' || c == '.' ? '_' : c;
                           return name;
                         });

TEST(ReplayOf, AMissingFileIsAnErrorWithAHint) {
  const Ran ran = run({"trace", "--replay", "/no/such/file"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, StartsWith("error: open the recording /no/such/file: "
                                  "No such file or directory\nhint: "));
}

TEST(ReplayOf, OtherFilesAreAnErrorWithAHint) {
  for (const char* path : {"/proc/self/status", "/dev/null", "/"}) {
    const Ran ran = run({"trace", "--replay", path});
    EXPECT_EQ(ran.code, 1);
    EXPECT_EQ(ran.out, "");
    EXPECT_THAT(ran.err, AllOf(StartsWith("error: open the recording " + std::string(path)),
                               HasSubstr("not a recording of oomwitness\nhint: "), EndsWith("\n")));
  }
}

}  // namespace
}  // namespace oomwitness::cli
