// SPDX-License-Identifier: BSD-2-Clause
#include "capture/hook_plan.h"

#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>

namespace oomwitness {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Names = std::vector<std::string>;

HookPlan plan_of(const KernelFacts& facts = {}, const Names& forced = {}) {
  auto plan = HookPlan::make(facts, forced);
  if (!plan) {
    ADD_FAILURE() << plan.error().message();
    return *HookPlan::make({}, {});
  }
  return *std::move(plan);
}

// Every way of a hook that is offered, best first.
Names offered(HookPlan plan, Hook hook) {
  Names names;
  for (; plan.current(hook) != nullptr; plan.refuse(hook, "next")) {
    names.emplace_back(plan.current_name(hook));
  }
  return names;
}

std::string error_of(const Names& forced) {
  const auto plan = HookPlan::make({}, forced);
  return plan ? "no error" : plan.error().message();
}

TEST(HookTable, EachHookHasOneRowWithWaysAndPrograms) {
  std::set<Hook> hooks;
  std::set<std::string_view> names;
  for (const HookRow& row : hook_table()) {
    EXPECT_TRUE(hooks.insert(row.hook).second) << row.name;
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(&hook_row(row.hook), &row);
    EXPECT_FALSE(row.ways.empty() || row.gives.empty()) << row.name;
    for (const Way& way : row.ways) EXPECT_FALSE(way.programs.empty()) << row.name << way.name;
  }
}

TEST(HookPlan, BestWayFirst) {
  const HookPlan plan = plan_of();
  EXPECT_THAT(offered(plan, Hook::kDecision), ElementsAre("fentry", "kprobe"));
  EXPECT_THAT(offered(plan, Hook::kMarkVictim), ElementsAre("tp_btf", "raw_tp", "tracepoint"));
  EXPECT_THAT(offered(plan, Hook::kSignalDeliver), ElementsAre("tracepoint", "tp_btf", "raw_tp"));
  EXPECT_EQ(plan.summary().size(), hook_table().size());
  EXPECT_EQ(plan.summary().at("oom_kill_process"), "fentry");
  EXPECT_EQ(plan.reasons(), "");
  EXPECT_FALSE(plan.broken_promise());
}

TEST(HookPlan, WithoutKernelBtfNothingThatNeedsIt) {
  const HookPlan plan = plan_of({.kernel_btf = false});
  for (const HookRow& row : hook_table()) {
    const Names names = offered(plan, row.hook);
    EXPECT_FALSE(names.empty()) << row.name;
    for (const std::string& name : names) {
      EXPECT_FALSE(name.ends_with("fentry") || name == "fexit" || name == "tp_btf")
          << row.name << "=" << name;
    }
  }
  EXPECT_THAT(offered(plan, Hook::kMarkVictim), ElementsAre("raw_tp", "tracepoint"));
}

TEST(HookPlan, SplitBadnessIsProbedWhereItsPartIs) {
  EXPECT_THAT(offered(plan_of(), Hook::kCandidates),
              ElementsAre("fexit", "kretprobe", "evaluate_fentry", "evaluate_kprobe"));
  EXPECT_THAT(offered(plan_of({.badness_is_split = true}), Hook::kCandidates),
              ElementsAre("kretprobe_part", "evaluate_fentry", "evaluate_kprobe"));
}

TEST(HookPlan, BadnessMayBeSplitWhereNobodyKnows) {
  HookPlan plan = plan_of({.badness_is_split = std::nullopt});
  EXPECT_EQ(plan.current_name(Hook::kCandidates), "fexit");
  EXPECT_TRUE(plan.counts_on_whole_badness());
  plan.refuse(Hook::kCandidates, "it would see nothing");
  EXPECT_EQ(plan.current_name(Hook::kCandidates), "kretprobe");
  EXPECT_TRUE(plan.counts_on_whole_badness());
  plan.refuse(Hook::kCandidates, "it would see nothing");
  EXPECT_EQ(plan.current_name(Hook::kCandidates), "evaluate_fentry");
  EXPECT_FALSE(plan.counts_on_whole_badness());
}

TEST(HookPlan, RefusedWaysMakeRoomForTheNextAndKeepTheirReasons) {
  HookPlan plan = plan_of();
  plan.refuse(Hook::kDecision, "load: Operation not permitted");
  EXPECT_EQ(plan.current_name(Hook::kDecision), "kprobe");
  plan.refuse(Hook::kDecision, "attach: No such file or directory");
  EXPECT_EQ(plan.current(Hook::kDecision), nullptr);
  EXPECT_EQ(plan.current_name(Hook::kDecision), "none");
  EXPECT_FALSE(plan.turned_off(Hook::kDecision));
  EXPECT_EQ(plan.summary().at("oom_kill_process"), "none");
  EXPECT_EQ(plan.refusals(Hook::kDecision).size(), 2U);
  EXPECT_EQ(plan.reasons(),
            "\n  fentry/oom_kill_process: load: Operation not permitted"
            "\n  kprobe/oom_kill_process: attach: No such file or directory");
  EXPECT_THAT(plan.refusals(Hook::kMarkVictim), IsEmpty());
}

TEST(HookPlan, ARefusedKindIsNotTriedAgainAnywhere) {
  HookPlan plan = plan_of();
  plan.refuse_kind("fentry", "load: Not supported");
  EXPECT_THAT(offered(plan, Hook::kDecision), ElementsAre("kprobe"));
  EXPECT_THAT(offered(plan, Hook::kVictimKill), ElementsAre("kprobe"));
  EXPECT_THAT(offered(plan, Hook::kCandidates), ElementsAre("kretprobe", "evaluate_kprobe"));
  EXPECT_EQ(offered(plan, Hook::kMarkVictim).front(), "tp_btf");
  ASSERT_EQ(plan.refusals(Hook::kDecision).size(), 1U);
  EXPECT_EQ(plan.refusals(Hook::kDecision)[0].way, "fentry");
  EXPECT_EQ(plan.refusals(Hook::kDecision)[0].reason, "load: Not supported");

  plan.refuse_kind("kretprobe", "no kprobes");
  EXPECT_EQ(plan.current(Hook::kDecision), nullptr);
  EXPECT_EQ(plan.current(Hook::kCandidates), nullptr);
  EXPECT_NE(plan.current(Hook::kReaper), nullptr);
}

TEST(HookPlan, RefusingAKindLeavesWhatIsBehindAlone) {
  HookPlan plan = plan_of();
  plan.refuse(Hook::kDecision, "fentry first");
  plan.refuse_kind("fentry", "the kind");
  EXPECT_EQ(plan.current_name(Hook::kDecision), "kprobe");
  EXPECT_EQ(plan.refusals(Hook::kDecision).size(), 1U);
}

TEST(HookPlan, ForcedHookHasThatWayAlone) {
  const HookPlan plan = plan_of({}, {"oom_kill_process=kprobe", "mark_victim=tracepoint"});
  EXPECT_THAT(offered(plan, Hook::kDecision), ElementsAre("kprobe"));
  EXPECT_THAT(offered(plan, Hook::kMarkVictim), ElementsAre("tracepoint"));
  EXPECT_EQ(plan.current_name(Hook::kVictimKill), "fentry");
}

TEST(HookPlan, ForcedWaysAreTriedWhateverTheFactsSay) {
  const HookPlan plan = plan_of({.kernel_btf = false}, {"oom_kill_process=fentry"});
  EXPECT_EQ(plan.current_name(Hook::kDecision), "fentry");
}

TEST(HookPlan, ForcedHookIsTriedEvenWhenItsKindWasRefused) {
  HookPlan plan = plan_of({}, {"oom_kill_process=fentry"});
  plan.refuse_kind("fexit", "load: Not supported");
  EXPECT_EQ(plan.current_name(Hook::kDecision), "fentry");
  EXPECT_EQ(plan.current_name(Hook::kVictimKill), "kprobe");
}

TEST(HookPlan, RefusedForcedHookIsABrokenPromise) {
  HookPlan plan = plan_of({}, {"mark_victim=raw_tp"});
  plan.refuse(Hook::kDecision, "never promised");
  EXPECT_FALSE(plan.broken_promise());
  plan.refuse(Hook::kMarkVictim, "attach: Permission denied");
  EXPECT_EQ(plan.broken_promise(), Hook::kMarkVictim);
}

TEST(HookPlan, NoneTurnsAHookOffWithoutBreakingAPromise) {
  const HookPlan plan = plan_of({}, {"oom_badness=none"});
  EXPECT_EQ(plan.current(Hook::kCandidates), nullptr);
  EXPECT_EQ(plan.current_name(Hook::kCandidates), "none");
  EXPECT_TRUE(plan.turned_off(Hook::kCandidates));
  EXPECT_FALSE(plan.turned_off(Hook::kDecision));
  EXPECT_FALSE(plan.broken_promise());
  EXPECT_EQ(plan.summary().at("oom_badness"), "none");
}

TEST(HookPlan, TheLastChoiceForAHookCounts) {
  const HookPlan on = plan_of({}, {"oom_badness=none", "oom_badness=fexit"});
  EXPECT_EQ(on.current_name(Hook::kCandidates), "fexit");
  EXPECT_FALSE(on.turned_off(Hook::kCandidates));
  const HookPlan off = plan_of({}, {"oom_badness=fexit", "oom_badness=none"});
  EXPECT_TRUE(off.turned_off(Hook::kCandidates));
  EXPECT_EQ(off.current(Hook::kCandidates), nullptr);
}

TEST(HookPlan, UnknownHooksNameTheOnesThereAre) {
  for (const char* choice : {"oom_kil=fentry", "oom_kill_process", "", "=", "=fentry"}) {
    const std::string error = error_of({choice});
    EXPECT_THAT(error, AllOf(HasSubstr("--hook " + std::string(choice)), HasSubstr("NAME=WAY")));
    for (const HookRow& row : hook_table()) EXPECT_THAT(error, HasSubstr(std::string(row.name)));
  }
}

TEST(HookPlan, UnknownWaysNameTheOnesThereAre) {
  for (const char* way : {"fexit", "", "kprobe ", "NONE", "fentry=kprobe"}) {
    EXPECT_THAT(error_of({std::string("oom_kill_process=") + way}),
                AllOf(HasSubstr("oom_kill_process= one of fentry, kprobe, none")));
  }
}

TEST(HookPlan, OwnerOfAProgramIsTheHookThatUsesItNow) {
  HookPlan plan = plan_of();
  EXPECT_EQ(plan.owner("decision_fentry"), Hook::kDecision);
  EXPECT_EQ(plan.owner("reaper_skip_tp_btf"), Hook::kReaper);
  EXPECT_FALSE(plan.owner("decision_kprobe"));
  EXPECT_FALSE(plan.owner("no_such_program"));
  plan.refuse(Hook::kDecision, "no");
  EXPECT_EQ(plan.owner("decision_kprobe"), Hook::kDecision);
  EXPECT_FALSE(plan.owner("decision_fentry"));
}

}  // namespace
}  // namespace oomwitness
