// SPDX-License-Identifier: BSD-2-Clause
// `explain` on what the other commands write, and on a kernel log.
#include <string>

#include <gmock/gmock.h>

#include "golden.h"
#include "oomwitness.h"

namespace oomwitness::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kIncidents = std::string(GOLDEN_DIR) + "/cli/json/memcg-v2-6.12.json";
const std::string kLog = std::string(OW_TEST_DATA) + "/kernlog/memcg-v1.kmsg";

TEST(Explain, AFileOfIncidents) {
  const Ran ran = run({"explain", kIncidents});
  EXPECT_EQ(ran.code, 0) << ran.err;
  expect_golden("cli/explain/memcg-v2-6.12.txt", ran.out);
}

TEST(Explain, OnlyTheIncidentWithTheId) {
  const Ran all = run({"explain", kIncidents});
  const Ran one = run({"explain", "--id", "01M83HY6BHNE3XDMMV0Q1SWR9Q", kIncidents});
  EXPECT_EQ(one.code, 0) << one.err;
  EXPECT_LT(one.out.size(), all.out.size());
  EXPECT_THAT(one.out, HasSubstr("\nid 01M83HY6BHNE3XDMMV0Q1SWR9Q"));
}

TEST(Explain, NoIncidentWithTheIdIsCodeThree) {
  const Ran ran = run({"explain", "--id", "x", kIncidents});
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.out, IsEmpty());
}

TEST(Explain, JsonHasTheDiagnosisAndIsExplainedAgain) {
  const Ran json = run({"explain", "--json", kIncidents});
  EXPECT_EQ(json.code, 0) << json.err;
  EXPECT_THAT(json.out, HasSubstr(R"("diagnosis":{"cause":"own-limit-single-consumer")"));
}

// With the schema's test, which reads this file: a history, and the trend that it shows.
TEST(Explain, JsonOfARecordedKillHasItsTrend) {
  const Ran json = run({"explain", "--json", std::string(GOLDEN_DIR) + "/json/recorded.json"});
  EXPECT_THAT(json.out, HasSubstr(R"("trend":{"shape":"leak","of":"limit","slope_bytes_per_s":2)"));
  expect_golden("cli/json/recorded-explained.json", json.out);
}

TEST(Explain, AKernelLogIsToldByItsContent) {
  const Ran ran = run({"explain", kLog});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("\nWhose limit\n"));
  EXPECT_THAT(ran.out, HasSubstr("\nWhat to do\n"));
}

TEST(Explain, AFileThatIsNotThereIsAnError) {
  const Ran ran = run({"explain", "/nonexistent/log"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("/nonexistent/log"));
}

}  // namespace
}  // namespace oomwitness::cli
