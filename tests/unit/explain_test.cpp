// SPDX-License-Identifier: BSD-2-Clause
#include "sink/explain.h"

#include <algorithm>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diagnose/diagnose.h"
#include "golden.h"
#include "sample_incidents.h"
#include "sink/report.h"

namespace oomwitness {
namespace {

using testing::HasSubstr;
using testing::Not;

class Explanation : public testing::TestWithParam<std::pair<std::string, Incident>> {};

TEST_P(Explanation, ReadsAsRecorded) {
  const auto& [name, incident] = GetParam();
  expect_golden("explain/" + name + ".txt", render_explanation(incident, {}));
}

TEST_P(Explanation, HasNoControlByteButTheLineEnds) {
  const std::string text = render_explanation(GetParam().second, {.utf8 = false});
  EXPECT_TRUE(std::all_of(text.begin(), text.end(),
                          [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); }));
}

INSTANTIATE_TEST_SUITE_P(Samples, Explanation, testing::ValuesIn(sample_incidents()),
                         [](const auto& tested) { return tested.param.first; });

TEST(ReportDiagnosis, StandsBehindTheHeadAndIsShort) {
  Incident incident = sample_incidents().front().second;
  EXPECT_THAT(render_report(incident, {}), Not(HasSubstr("\nDiagnosis: ")));
  incident.diagnosis = diagnose(incident);
  expect_golden("report/diagnosed.txt", render_report(incident, {}));
}

TEST(ReportDiagnosis, OfAHostileRecordStartsNoLineOfItsOwn) {
  Incident incident = sample_incidents().front().second;
  incident.diagnosis = Diagnosis{.cause = "x\n\x1b[31m",
                                 .also = {"y\nz"},
                                 .confidence = Confidence::kHigh,
                                 .summary = "a\nScope: none",
                                 .evidence = {"b\r\n"},
                                 .advice = {"c\xff"}};
  for (const std::string& text :
       {render_report(incident, {}), render_explanation(incident, {.utf8 = false})}) {
    EXPECT_THAT(text, Not(HasSubstr("\nScope: none")));
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
    EXPECT_THAT(text, HasSubstr("a\\x0aScope: none"));
  }
}

}  // namespace
}  // namespace oomwitness
