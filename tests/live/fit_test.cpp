// SPDX-License-Identifier: BSD-2-Clause
// `oomwitness fit` on programs whose need is known.
#include <sstream>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "live_test.h"
#include "wrapped.h"

namespace oomwitness::live {
namespace {

using ::testing::HasSubstr;

class Fit : public LiveTest {};

Finished fit(const std::vector<std::string>& options, const std::string& line) {
  std::vector<std::string> args{"fit"};
  args.insert(args.end(), options.begin(), options.end());
  args.insert(args.end(), {"--", "sh", "-c", line});
  return run_oomwitness(args);
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

// 300 MiB, or what a small guest has.
std::uint64_t affordable_mib() {
  std::istringstream lines(read_file("/proc/meminfo"));
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("MemAvailable:"))
      return std::stoull(line.substr(13)) > 700'000 ? 300 : 120;
  return 120;
}

TEST_F(Fit, FindsAKnownNeedInAFewRuns) {
  const std::uint64_t need = affordable_mib() * kMiB;
  const Finished done = fit({"--json"}, "exec " + eat(std::to_string(need / kMiB)));
  ASSERT_EQ(done.code, 0) << done.err;
  const json found = json::parse(joined(done.lines), nullptr, false);
  ASSERT_TRUE(found.is_object()) << joined(done.lines);
  EXPECT_EQ(found.at("result"), "found");
  EXPECT_EQ(found.at("schema"), "oomwitness/fit/v1");
  // The program itself and the tables of its pages come on top of what it touches.
  expect_between(found.at("need_bytes"), need, need + need / 50 + kMiB, "need");
  EXPECT_LT(found.at("fails_bytes"), found.at("need_bytes"));
  expect_between(found.at("unslowed_bytes"), found.at("need_bytes").get<std::uint64_t>(),
                 need + need / 20 + kMiB, "not slowed");
  EXPECT_LE(found.at("runs").size(), 12U);
  RecordProperty("runs", static_cast<int>(found.at("runs").size()));
  RecordProperty("need_kib", static_cast<int>(found.at("need_bytes").get<std::uint64_t>() / 1024));
}

TEST_F(Fit, SaysThatACommandFailsWithoutALimit) {
  const Finished done = fit({}, "exit 3");
  EXPECT_EQ(done.code, 1);
  EXPECT_THAT(joined(done.lines), HasSubstr("fails without any limit"));
  EXPECT_THAT(joined(done.lines), HasSubstr("exit code 3"));
}

TEST_F(Fit, SaysThatACommandIsNotDeterministic) {
  const std::string mark = "/tmp/owfit-" + std::to_string(getpid());
  // The first run fails, the second does not.
  const Finished done =
      fit({}, "test -e " + mark + " && exec rm " + mark + "; touch " + mark + "; exit 1");
  EXPECT_EQ(done.code, 1);
  EXPECT_THAT(joined(done.lines), HasSubstr("not deterministic"));
  unlink(mark.c_str());
}

TEST_F(Fit, CommandThatIsNotThere) {
  EXPECT_EQ(run_oomwitness({"fit", "--", "no-such-command-anywhere"}).code, 127);
}

TEST_F(Fit, GivesWhatToPaste) {
  const Finished done = fit({"--margin", "50%"}, "exec " + eat("40"));
  ASSERT_EQ(done.code, 0) << done.err;
  const std::string text = joined(done.lines);
  for (const char* part : {"memory: 6", "Mi\n", "MemoryMax=6", "MemorySwapMax=0", "margin of 50 %"})
    EXPECT_THAT(text, HasSubstr(part));
  EXPECT_THAT(done.err, HasSubstr("run 1: without limit: success"));
}

}  // namespace
}  // namespace oomwitness::live
