// SPDX-License-Identifier: BSD-2-Clause
// A run as text, JUnit XML and for GitHub.
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "golden.h"
#include "sample_runs.h"
#include "sink/github.h"
#include "sink/junit.h"
#include "sink/run_text.h"

namespace oomwitness {
namespace {

using testing::HasSubstr;
using testing::Not;

class RunSink : public testing::TestWithParam<std::pair<std::string, RunRecord>> {};

TEST_P(RunSink, Text) {
  const auto& [name, run] = GetParam();
  expect_golden("run/text/" + name + ".txt", render_run(run, {}));
}

TEST_P(RunSink, Junit) {
  const auto& [name, run] = GetParam();
  expect_golden("run/junit/" + name + ".xml", render_junit({run}));
}

TEST_P(RunSink, GithubAnnotations) {
  const auto& [name, run] = GetParam();
  expect_golden("run/github/" + name + ".txt", render_github_annotations(run));
}

TEST_P(RunSink, GithubSummary) {
  const auto& [name, run] = GetParam();
  expect_golden("run/github/" + name + ".md", render_github_summary(run));
}

// Every line of the annotations is a command of ours, whatever the names hold.
TEST_P(RunSink, AnnotationsAreNothingButOurCommands) {
  const std::string text = render_github_annotations(GetParam().second);
  std::size_t lines = 0;
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1, ++lines) {
    const std::string line = text.substr(at, text.find('\n', at) - at);
    EXPECT_TRUE(line.starts_with("::error title=") || line.starts_with("::warning title=") ||
                line.starts_with("::notice title="))
        << line;
    EXPECT_EQ(line.find("::", line.find("::", 2) + 2), line.rfind("::error::") == std::string::npos
                                                           ? std::string::npos
                                                           : line.rfind("::error::"))
        << line;
  }
  EXPECT_EQ(lines == 0, GetParam().second.verdict == RunVerdict::kSuccess);
}

INSTANTIATE_TEST_SUITE_P(Samples, RunSink, testing::ValuesIn(sample_runs()),
                         [](const auto& tested) { return tested.param.first; });

TEST(XmlText, HoldsNoMarkupAndNoCharacterThatXmlForbids) {
  EXPECT_EQ(xml_text("a<b>&\"c\""), "a&lt;b&gt;&amp;&quot;c&quot;");
  EXPECT_EQ(xml_text(std::string("\x00\x1b\x1f", 3)), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(xml_text("\n\t\r"), "\n\t&#13;");
  EXPECT_EQ(xml_text("\xEF\xBF\xBE|\xEF\xBF\xBF|\xEF\xBF\xBC"),
            "\xEF\xBF\xBD|\xEF\xBF\xBD|\xEF\xBF\xBC");
  EXPECT_EQ(xml_text("\xff"), "\\xff");
}

TEST(RenderJunit, CountsFailuresAndErrors) {
  std::vector<RunRecord> runs;
  for (const auto& [name, run] : sample_runs()) runs.push_back(run);
  // allowed_oom is a success; not_run is the error.
  EXPECT_THAT(render_junit(runs), HasSubstr("tests=\"11\" failures=\"7\" errors=\"1\""));
}

TEST(RunHeadline, NamesWhoDiedAndOfWhatLimit) {
  const RunRecord hidden = sample_runs().at(1).second;
  EXPECT_EQ(run_headline(hidden),
            "OOM kill: cc1plus (pid 811) was killed at the memory limit of the run, 512 MiB; the "
            "command itself ended with exit code 0");
}

TEST(RenderRun, HasNoControlBytes) {
  const RunRecord hostile = sample_runs().back().second;
  const std::string text = render_run(hostile, {.color = false, .utf8 = false});
  for (const char c : text) ASSERT_TRUE((c >= 0x20 && c < 0x7f) || c == '\n') << int{c};
  EXPECT_THAT(text, Not(HasSubstr("\n::")));
}

}  // namespace
}  // namespace oomwitness
