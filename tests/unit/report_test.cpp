// SPDX-License-Identifier: BSD-2-Clause
#include "sink/report.h"

#include <cstdint>
#include <sstream>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "golden.h"
#include "sample_incidents.h"

namespace oomwitness {
namespace {

using testing::HasSubstr;
using testing::Not;

class ReportGolden : public testing::TestWithParam<std::pair<std::string, Incident>> {};

TEST_P(ReportGolden, ReadsAsRecorded) {
  const auto& [name, incident] = GetParam();
  expect_golden("report/" + name + ".txt", render_report(incident, {}));
}

INSTANTIATE_TEST_SUITE_P(Samples, ReportGolden, testing::ValuesIn(sample_incidents()),
                         [](const auto& tested) { return tested.param.first; });

}  // namespace
}  // namespace oomwitness
