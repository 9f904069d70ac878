// SPDX-License-Identifier: BSD-2-Clause
// The search for a limit, against programs that exist only as rules.
#include "run/fit.h"

#include <random>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "golden.h"
#include "sink/fit_text.h"

namespace oomwitness {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;
constexpr std::uint64_t kSecond = 1'000'000'000;

// Needs `need` and uses `peak` when it may; below `unslowed` it waits for memory.
struct Program {
  std::uint64_t need;
  std::uint64_t peak;
  std::uint64_t unslowed = 0;
  bool pressure_known = true;
  double flaky = 0;       // of the runs within 2 % of the edge that end the other way
  double always_off = 0;  // of the runs that fail whatever the limit
  std::mt19937 random{7};

  bool chance(double share) { return std::uniform_real_distribution<double>(0, 1)(random) < share; }

  TrialResult operator()(std::optional<std::uint64_t> limit) {
    TrialResult result{.end = TrialEnd::kSuccess, .what = "success", .wall_ns = kSecond};
    result.peak_bytes = limit ? std::min(*limit, peak) : peak;
    result.limit_hits = limit && *limit < peak ? 100U : 0U;
    if (pressure_known) result.stall_ns = 0;
    if (chance(always_off))
      return {.end = TrialEnd::kFailure, .what = "exit code 1", .peak_bytes = peak};
    bool fails = limit && *limit < need;
    const bool edge = limit && *limit > need * 98 / 100 && *limit < need * 102 / 100;
    if (edge && chance(flaky)) fails = !fails;
    if (fails) return {.end = TrialEnd::kOom, .what = "OOM kill", .wall_ns = kSecond / 2};
    if (limit && *limit < unslowed) {
      result.wall_ns = 3 * kSecond;
      if (pressure_known) result.stall_ns = 2 * kSecond;
    }
    return result;
  }
};

FitResult fit(Program program, FitOptions options = {}) {
  return find_fit(options, [&program](auto limit) { return program(limit); }, {});
}

void expect_within(std::optional<std::uint64_t> found, std::uint64_t truth, double share) {
  ASSERT_TRUE(found);
  EXPECT_GE(*found, truth);
  EXPECT_LE(static_cast<double>(*found), static_cast<double>(truth) * (1 + share) + 8192);
}

TEST(Fit, ProgramThatNeedsWhatItUsesTakesAHandfulOfRuns) {
  const FitResult found = fit({.need = 300 * kMiB, .peak = 300 * kMiB + 300'000});
  EXPECT_EQ(found.end, FitEnd::kFound);
  expect_within(found.need_bytes, 300 * kMiB, 0.01);
  EXPECT_LE(found.runs.size(), 6U);
  EXPECT_EQ(found.unslowed_bytes, found.need_bytes);
  EXPECT_FALSE(found.noisy);
}

TEST(Fit, FindsEveryNeedBelowThePeakToOnePercent) {
  for (const std::uint64_t need : {5U, 17U, 60U, 111U, 200U, 250U, 290U, 299U}) {
    const FitResult found = fit({.need = need * kMiB, .peak = 300 * kMiB});
    EXPECT_EQ(found.end, FitEnd::kFound) << need;
    expect_within(found.need_bytes, need * kMiB, 0.0101);
    EXPECT_LT(*found.fails_bytes, need * kMiB);
    EXPECT_LE(found.runs.size(), FitOptions().max_runs) << need;
  }
}

TEST(Fit, FindsWhereReclaimNoLongerSlows) {
  for (const bool pressure : {true, false}) {
    const FitResult found = fit({.need = 100 * kMiB,
                                 .peak = 300 * kMiB,
                                 .unslowed = 170 * kMiB,
                                 .pressure_known = pressure},
                                {.max_runs = 40});
    EXPECT_EQ(found.end, FitEnd::kFound);
    expect_within(found.need_bytes, 100 * kMiB, 0.0101);
    expect_within(found.unslowed_bytes, 170 * kMiB, 0.0202);
  }
}

TEST(Fit, NoiseNearTheEdgeGivesALimitThatHolds) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    Program program{.need = 200 * kMiB, .peak = 300 * kMiB, .flaky = 0.3};
    program.random.seed(seed);
    const FitResult found = fit(program, {.max_runs = 40});
    ASSERT_TRUE(found.need_bytes) << seed;
    EXPECT_GT(*found.need_bytes, 196 * kMiB) << seed;
    EXPECT_LT(*found.need_bytes, 215 * kMiB) << seed;
  }
}

TEST(Fit, BadCasesAreSaid) {
  EXPECT_EQ(fit({.need = kMiB, .peak = kMiB, .always_off = 1}).end, FitEnd::kFailsWithoutLimit);
  EXPECT_EQ(fit({.need = 100 * kMiB, .peak = 10 * kMiB}).end, FitEnd::kNoFit);
  const FitResult tiny = fit({.need = 100'000, .peak = 300'000});
  EXPECT_EQ(tiny.end, FitEnd::kNoOom);
  const FitResult cache = fit({.need = 100'000, .peak = 300 * kMiB});
  EXPECT_EQ(cache.end, FitEnd::kNoOom);
  EXPECT_EQ(cache.need_bytes, kMiB);
  EXPECT_FALSE(suggested_bytes({.command = {}, .result = cache}));
}

TEST(Fit, FailingNowAndThenIsNotDeterministic) {
  int number = 0;
  const auto result =
      find_fit({},
               [&number](auto) {
                 return TrialResult{.end = ++number == 1 ? TrialEnd::kFailure : TrialEnd::kSuccess,
                                    .peak_bytes = kMiB};
               },
               {});
  EXPECT_EQ(result.end, FitEnd::kNotDeterministic);
  number = 0;
  // Good without a limit, bad with a generous one, bad again without.
  const auto later =
      find_fit({},
               [&number](auto) {
                 return TrialResult{.end = ++number == 1 ? TrialEnd::kSuccess : TrialEnd::kFailure,
                                    .peak_bytes = 50 * kMiB};
               },
               {});
  EXPECT_EQ(later.end, FitEnd::kNotDeterministic);
}

TEST(Fit, NeverRunsMoreThanItMay) {
  for (unsigned runs = 4; runs < 20; ++runs) {
    const FitResult found =
        fit({.need = 61 * kMiB, .peak = 300 * kMiB, .unslowed = 170 * kMiB}, {.max_runs = runs});
    EXPECT_LE(found.runs.size(), runs);
    if (found.end == FitEnd::kOutOfRuns && found.need_bytes) {
      EXPECT_GE(*found.need_bytes, 61 * kMiB);
    }
  }
}

TEST(WithMargin, IsWholeMiB) {
  EXPECT_EQ(with_margin(300 * kMiB, 0.2), 360 * kMiB);
  EXPECT_EQ(with_margin(300 * kMiB + 1, 0), 301 * kMiB);
  EXPECT_EQ(with_margin(1, 0.5), kMiB);
}

TEST(FitText, SaysTheAnswerAndWhatToPaste) {
  FitReport report{.command = {"make", "a b"}, .margin = 0.2};
  report.result = fit({.need = 300 * kMiB, .peak = 300 * kMiB + 300'000});
  const std::string text = render_fit(report);
  for (const char* part : {"make \"a b\"", "succeeds from           300.", "memory: 361Mi",
                           "memory: 361M\n", "MemoryMax=361M"})
    EXPECT_THAT(text, HasSubstr(part));
  const auto json = nlohmann::json::parse(fit_json(report), nullptr, false);
  ASSERT_TRUE(json.is_object());
  EXPECT_EQ(json["result"], "found");
  EXPECT_EQ(json["suggested_bytes"], 361 * kMiB);
  EXPECT_EQ(json["runs"].size(), report.result.runs.size());
  EXPECT_FALSE(json["runs"][0].contains("limit_bytes")) << "the first is without";
}

TEST(FitText, JsonIsWrittenAsRecorded) {
  const FitReport report{
      .command = {"x", "\xff"},
      .result =
          fit({.need = 100 * kMiB, .peak = 300 * kMiB, .unslowed = 170 * kMiB, .flaky = 0.2})};
  expect_golden("fit/found.json", fit_json(report));
}

TEST(FitText, BadCasesHaveNothingToPaste) {
  const FitReport report{.command = {"x"},
                         .result = fit({.need = kMiB, .peak = kMiB, .always_off = 1})};
  EXPECT_THAT(render_fit(report), HasSubstr("no answer: the command fails without any limit (exit "
                                            "code 1)"));
  EXPECT_THAT(render_fit(report), Not(HasSubstr("Kubernetes")));
  EXPECT_FALSE(suggested_bytes(report));
}

}  // namespace
}  // namespace oomwitness
