// SPDX-License-Identifier: BSD-2-Clause
// Each hook by each of its ways tells the same story, and so do tracepoints alone.
#include <algorithm>
#include <string>
#include <tuple>

#include "live_test.h"

namespace oomwitness::live {
namespace {

struct Forced {
  const char* hook;
  const char* way;
};

void PrintTo(const Forced& forced, std::ostream* out) {
  *out << forced.hook << '=' << forced.way;
}

class Ladder : public LiveTest, public ::testing::WithParamInterface<Forced> {};

TEST_P(Ladder, GivesTheSameVictim) {
  const Forced forced = GetParam();
  std::vector<std::string> args = {"--hook", std::string(forced.hook) + "=" + forced.way};
  // Without the exit nothing says that a victim is gone, and the settling time is all there is.
  if (args.back() == "sched_process_exit=none") args.insert(args.end(), {"--settle", "5000"});
  Tracer tracer(args);
  if (!tracer.ready()) {
    EXPECT_EQ(tracer.wait(), 1);
    const std::string said = tracer.stderr_text();
    EXPECT_NE(said.find(forced.hook), std::string::npos) << "the error names the hook: " << said;
    EXPECT_NE(said.find("hint:"), std::string::npos) << said;
    ASSERT_STRNE(forced.way, "none") << said;
    GTEST_SKIP() << "this kernel refuses " << forced.hook << "=" << forced.way << ": " << said;
  }
  EXPECT_EQ(tracer.way(forced.hook), forced.way) << tracer.ready_line();

  Cgroup box(memory(), Cgroup::unique("ladder"));
  box.limit(16 * kMiB);
  const Provoked bystander({.words = "before=1", .cgroup = &box});
  Provoked hog({.words = "adj=1000 uid=4711 threads=2 alloc=max",
                .cgroup = &box,
                .argv = {"hog", "one two", "three"}});
  hog.go();
  hog.wait_killed();
  const json incident = tracer.incident();

  ExpectedVictim expected{
      .pid = hog.pid(), .cmdline = {"hog", "one two", "three"}, .uid = 4711, .cgroup = box.path()};
  // Without the read in the victim's own context argv is what /proc still had, if it did.
  if (!tracer.is_on("signal_deliver"))
    expected.cmdline =
        all_bytes_of(victim_with(incident, hog.pid()).value("cmdline", json::array()));
  expected.lost_at_most = tracer.dropped_runs();
  expect_victim(incident, expected);
  const json victim = victim_with(incident, hog.pid());
  if (tracer.is_on("mark_victim") && tracer.is_on("signal_deliver") &&
      tracer.is_on("sched_process_exit"))
    expect_timeline(victim);
  expect_between(victim.at("memory").at("anon_rss_bytes"), 10 * kMiB, 17 * kMiB, "anon");
  expect_decision(tracer, incident,
                  {.limited = &box,
                   .limit_bytes = 16 * kMiB,
                   .invoker = hog.pid(),
                   .invoker_tid = hog.tid(),
                   .invoker_cgroup = box.path(),
                   .candidates = {hog.pid(), bystander.pid()},
                   .selected = hog.pid()});
  EXPECT_EQ(incident.at("provenance").at("hooks").value(forced.hook, "none"), forced.way);
  EXPECT_EQ(tracer.stop(), 0);
  EXPECT_TRUE(tracer.left_over().empty()) << "one kill, one incident";
}

std::string test_name(const ::testing::TestParamInfo<Forced>& info) {
  return std::string(info.param.hook) + "_by_" + info.param.way;
}

INSTANTIATE_TEST_SUITE_P(
    Hook, Ladder,
    ::testing::Values(Forced{"oom_kill_process", "fentry"}, Forced{"oom_kill_process", "kprobe"},
                      Forced{"oom_kill_process", "none"}, Forced{"__oom_kill_process", "fentry"},
                      Forced{"__oom_kill_process", "kprobe"}, Forced{"__oom_kill_process", "none"},
                      Forced{"out_of_memory", "fentry"}, Forced{"out_of_memory", "kprobe"},
                      Forced{"out_of_memory", "none"}, Forced{"oom_badness", "fexit"},
                      Forced{"oom_badness", "kretprobe"}, Forced{"oom_badness", "kretprobe_part"},
                      Forced{"oom_badness", "evaluate_fentry"},
                      Forced{"oom_badness", "evaluate_kprobe"}, Forced{"oom_badness", "none"},
                      Forced{"mark_victim", "tp_btf"}, Forced{"mark_victim", "raw_tp"},
                      Forced{"mark_victim", "tracepoint"}, Forced{"signal_deliver", "tracepoint"},
                      Forced{"signal_deliver", "tp_btf"}, Forced{"signal_deliver", "raw_tp"},
                      Forced{"signal_deliver", "none"}, Forced{"sched_process_exit", "tracepoint"},
                      Forced{"sched_process_exit", "tp_btf"},
                      Forced{"sched_process_exit", "raw_tp"}, Forced{"sched_process_exit", "none"},
                      Forced{"reaper", "tp_btf"}, Forced{"reaper", "raw_tp"},
                      Forced{"reaper", "tracepoint"}, Forced{"reaper", "none"}),
    test_name);

class Tracepoints : public LiveTest, public ::testing::WithParamInterface<const char*> {};

// A host without function hooks: no fentry, no kprobes.
TEST_P(Tracepoints, AloneGiveFullIdentity) {
  std::vector<std::string> args = without_function_hooks();
  args.insert(args.end(), {"--hook", std::string("mark_victim=") + GetParam()});
  Tracer tracer(args);
  SKIP_UNLESS_READY(tracer);
  EXPECT_FALSE(tracer.sees_decision()) << tracer.ready_line();
  Cgroup limited(memory(), Cgroup::unique("tracepoints"));
  limited.limit(96 * kMiB);
  Cgroup quiet(limited, "quiet");
  Cgroup busy(limited, "busy");
  Provoked idle({.words = "adj=1000 uid=4711 before=60", .cgroup = &quiet, .argv = {"i", "d"}});
  // On 7.x more is killed now and then before the first victim's memory is back: not the asker.
  const Provoked spare({.words = "adj=999 before=1", .cgroup = &quiet});
  Provoked asker({.words = "alloc=48", .cgroup = &busy});
  asker.go();
  asker.wait_done();
  const json incident = tracer.incident();
  expect_victim(incident,
                {.pid = idle.pid(), .cmdline = {"i", "d"}, .uid = 4711, .cgroup = quiet.path()});
  const json victim = victim_with(incident, idle.pid());
  expect_timeline(victim);
  expect_between(victim.at("memory").at("anon_rss_bytes"), 59 * kMiB, 61 * kMiB, "anon");
  // mark_victim runs in the invoker's context: that much is known without a decision.
  EXPECT_EQ(incident.at("/invoker/pid"_json_pointer), asker.pid());
  EXPECT_FALSE(incident.at("provenance").at("missing").empty()) << "what is not known is said";
  // Absent, never zero.
  EXPECT_FALSE(incident.contains("/selected/points"_json_pointer));
  EXPECT_FALSE(incident.contains("/candidates/considered"_json_pointer));
}

INSTANTIATE_TEST_SUITE_P(MarkVictim, Tracepoints,
                         ::testing::Values("tp_btf", "raw_tp", "tracepoint"),
                         [](const auto& each) { return std::string(each.param); });

class Noise : public LiveTest {};

// /proc/PID/oom_score calls oom_badness() too.
TEST_F(Noise, ReadsOfOomScoreAreNotCandidates) {
  Tracer tracer;
  SKIP_UNLESS_READY(tracer);
  if (!tracer.sees_candidates())
    GTEST_SKIP() << "no candidates by these hooks: " << tracer.ready_line();
  Cgroup box(memory(), Cgroup::unique("noise"));
  box.limit(16 * kMiB);
  const Provoked reader({.words = "mode=scores"});
  const Provoked bystander({.words = "before=1", .cgroup = &box});
  for (int i = 0; i < 5; ++i) {
    Provoked hog({.words = "adj=1000 alloc=max", .cgroup = &box});
    hog.go();
    hog.wait_killed();
    const json incident = tracer.incident();
    expect_decision(tracer, incident,
                    {.limited = &box,
                     .limit_bytes = 16 * kMiB,
                     .invoker = hog.pid(),
                     .invoker_tid = hog.tid(),
                     .invoker_cgroup = box.path(),
                     .candidates = {hog.pid(), bystander.pid()},
                     .selected = hog.pid()});
  }
  EXPECT_EQ(tracer.stop(), 0);
  EXPECT_TRUE(tracer.left_over().empty()) << "reading scores is not an incident";
}

}  // namespace
}  // namespace oomwitness::live
