// SPDX-License-Identifier: BSD-2-Clause
// What a diagnosis says, whatever the record holds.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diagnose/diagnose.h"
#include "diagnose/facts.h"
#include "diagnose_fixture.h"

namespace oomwitness {
namespace {

using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::Not;

bool printable(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

Incident scored(const char* kernel, std::int64_t score, Opt<std::uint32_t> uid = 1000) {
  Incident incident;
  incident.host.kernel = kernel;
  Victim victim;
  victim.pid = 7;
  victim.comm = "x";
  victim.role = Role::kChosen;
  victim.oom_score_adj = 0;
  victim.uid = uid;
  incident.victims = {victim};
  incident.selected = Selected{.pid = 7, .comm = "x", .points = {}, .score = score};
  return incident;
}

TEST(Counterfactual, NamesWhomAdjustmentsSpared) {
  const Incident incident = on_host({task(7, "web", kGib), task(8, "db", 9 * kGib, -900)});
  EXPECT_THAT(
      diagnose(incident).evidence,
      Contains("With every oom_score_adj at 0 it would have been db (pid 8) with 9 GiB, not "
               "web (pid 7) with 1 GiB."));
}

TEST(Counterfactual, SaysWhenAdjustmentsChangedNothing) {
  const Incident incident = on_host({task(7, "hog", 9 * kGib, 500), task(8, "sh", kMib)});
  EXPECT_THAT(diagnose(incident).evidence,
              Contains(HasSubstr("would still have been hog (pid 7)")));
}

TEST(Counterfactual, IsOfTheListedTasksWhereSomeAreNot) {
  Incident incident = on_host({task(7, "hog", 9 * kGib, 500), task(8, "sh", kMib)});
  incident.candidates.considered = 400;
  EXPECT_THAT(diagnose(incident).evidence,
              Contains(HasSubstr(", of the tasks that the record lists.")));
}

TEST(Counterfactual, TakesMemoryOutOfPoints) {
  Incident incident = on_host({task(7, "web", 0), task(8, "db", 0, -500)});
  incident.candidates.total_pages = 4'194'304;
  incident.candidates.top[0].memory = {};
  incident.candidates.top[0].points = 1000;
  incident.candidates.top[1].memory = {};
  incident.candidates.top[1].points = 900'000 - 4194 * 500;
  const Facts facts = gather(incident, {});
  ASSERT_EQ(facts.tasks.size(), 2U);
  EXPECT_EQ(facts.tasks[0].weighed_bytes, 900'000U * 4096);
}

TEST(Score, IsAShareSince2636) {
  EXPECT_FALSE(gather(scored("2.6.32-5-amd64", 700), {}).score);
  EXPECT_TRUE(gather(scored("2.6.32-642.el6.x86_64", 700), {}).score);
  const auto old = gather(scored("3.2.0-67-generic", 6), {}).score;
  ASSERT_TRUE(old && old->most);
  EXPECT_DOUBLE_EQ(old->least, 0.006);
  EXPECT_DOUBLE_EQ(*old->most, 0.007);
  EXPECT_FALSE(old->root_allowed);
}

TEST(Score, AllowsForTheDiscountOfRoot) {
  const auto before_3_14 = gather(scored("3.2.0", 6, 0), {}).score;
  EXPECT_NEAR(*before_3_14->most, 0.037, 1e-9);
  const auto before_4_17 = gather(scored("4.4.0", 485, 0), {}).score;
  EXPECT_NEAR(before_4_17->least, 0.5, 1e-9);
  EXPECT_FALSE(gather(scored("4.19.0", 485, 0), {}).score->root_allowed);
}

TEST(Score, Above1000OnlyGivesALowerBound) {
  Incident incident = scored("4.4.0", 1400);
  incident.victims[0].oom_score_adj.reset();
  const auto score = gather(incident, {}).score;
  ASSERT_TRUE(score);
  EXPECT_DOUBLE_EQ(score->least, 0.4);
  EXPECT_FALSE(score->most);
}

TEST(Limits, OfAllOfMemoryAreNone) {
  Incident incident = under_limit({task(7, "hog", 400 * kMib), task(8, "sh", kMib)});
  incident.scope.memcg->self.limit_bytes = 9'007'199'254'740'988ULL * 1024;
  EXPECT_FALSE(gather(incident, {}).limit_bytes);
}

TEST(Limits, TheKernelsWordForALimitBeatsTheConstraint) {
  Incident incident = under_limit({task(7, "hog", 400 * kMib), task(8, "sh", kMib)});
  incident.scope.constraint = "none";
  EXPECT_EQ(diagnose(incident).cause, "own-limit-single-consumer");
}

TEST(Limits, WithoutPathsAreNeitherOwnNorAnAncestors) {
  Incident incident = under_limit({task(7, "hog", 400 * kMib), task(8, "sh", kMib)});
  incident.victims[0].cgroup.reset();
  const Diagnosis diagnosis = diagnose(incident);
  EXPECT_EQ(diagnosis.cause, "insufficient-evidence");
  EXPECT_THAT(diagnosis.summary, HasSubstr("whether it was the victim's own"));
}

TEST(Swap, OfAHostWithoutSwapIsNeverFull) {
  const Incident incident = on_host({task(7, "hog", 9 * kGib), task(8, "sh", kMib)});
  const Diagnosis diagnosis = diagnose(incident);
  EXPECT_THAT(diagnosis.also, Not(Contains("swap-full")));
  EXPECT_THAT(diagnosis.evidence, Contains("The host has no swap."));
}

TEST(Request, OfMaskZeroIsNone) {
  Incident incident = on_host({task(7, "hog", 9 * kGib), task(8, "sh", kMib)});
  EXPECT_THAT(diagnose(incident).evidence, Not(Contains(HasSubstr("gfp mask"))));
  incident.invoker.gfp = Gfp{};
  EXPECT_THAT(diagnose(incident).evidence, Contains(HasSubstr("The gfp mask is 0")));
}

TEST(Absent, IsNotZero) {
  Incident incident = on_host({task(7, "hog", 9 * kGib), task(8, "sh", kMib)});
  incident.system = {};
  incident.candidates = {};
  const Diagnosis diagnosis = diagnose(incident);
  EXPECT_EQ(diagnosis.cause, "insufficient-evidence");
  for (const std::string& text : diagnosis.evidence) EXPECT_THAT(text, Not(HasSubstr("0 B")));
  EXPECT_THAT(diagnosis.evidence, Contains(HasSubstr("Missing: the table of tasks")));
}

TEST(Strings, AreSafeWhateverTheNames) {
  const std::string evil = "\x1b[2J\n$(reboot) \xff\"; rm";
  Incident incident = under_limit({task(7, evil.c_str(), 400 * kMib), task(8, "sh", kMib)});
  incident.scope.memcg->self.path = "/" + evil + ".service";
  incident.victims[0].cgroup = incident.scope.memcg->self.path;
  incident.victims[0].unit = evil + ".service";
  incident.provenance.missing["decision"] = evil;
  const Diagnosis diagnosis = diagnose(incident);
  EXPECT_TRUE(printable(diagnosis.summary)) << diagnosis.summary;
  for (const std::string& text : diagnosis.evidence) EXPECT_TRUE(printable(text)) << text;
  for (const std::string& text : diagnosis.advice) EXPECT_TRUE(printable(text)) << text;
  EXPECT_THAT(diagnosis.advice,
              Contains(HasSubstr("`systemctl set-property UNIT MemoryMax=SIZE`")));
}

TEST(Numbers, OfAnySizeDoNotOverflow) {
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  Incident incident = under_limit({task(7, "a", kMost), task(8, "b", kMost)});
  Memory all = anon(kMost);
  all.file_rss_bytes = all.shmem_rss_bytes = all.swap_bytes = all.pgtables_bytes = kMost;
  all.total_vm_bytes = kMost;
  for (Candidate& row : incident.candidates.top) {
    row.memory = all;
    row.points = std::numeric_limits<std::int64_t>::min();
    row.oom_score_adj = std::numeric_limits<std::int32_t>::min();
  }
  incident.victims[0].memory = all;
  incident.selected->score = std::numeric_limits<std::int64_t>::min();
  incident.candidates.total_pages = kMost;
  incident.candidates.listed = incident.candidates.considered = kMost;
  incident.candidates.listed_memory = all;
  incident.candidates.by_name = {{.comm = "a", .count = kMost, .memory = all}};
  incident.scope.memcg->self.swap_usage_bytes = kMost;
  incident.scope.memcg->self.swap_limit_bytes = kMost;
  incident.scope.memcg->stat = {{"anon", kMost}, {"file", kMost}, {"kernel", kMost}};
  incident.invoker.order = std::numeric_limits<std::int32_t>::max();
  incident.time_unix_ns = std::numeric_limits<std::int64_t>::min();
  EXPECT_FALSE(diagnose(incident).cause.empty());
  incident.scope.memcg.reset();
  incident.scope.constraint = "none";
  incident.invoker.gfp = Gfp{.mask = kMost, .flags = {"GFP_KERNEL"}};
  incident.system.zones = {zone(kMost & 0xffffffff, "Normal", kMost, kMost, {kMost})};
  incident.system.zones[0].lowmem_reserve_pages = {kMost};
  for (const char* key : {"MemTotal", "MemFree", "Shmem", "Slab", "Unevictable", "Mlocked"})
    incident.system.meminfo_bytes[key] = kMost;
  EXPECT_FALSE(diagnose(incident).cause.empty());
}

}  // namespace
}  // namespace oomwitness
