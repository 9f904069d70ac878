// SPDX-License-Identifier: BSD-2-Clause
// Late sources: they fill what the kernel side left open, and nothing else.
#include <cerrno>

#include "assemble_fixture.h"

namespace oomwitness::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;

Delivered unread(std::uint64_t at, int error) {
  Delivered out = delivered(1, at);
  out.argv.reset();
  out.error = error;
  return out;
}

Incident one_kill(const VictimTask& victim, const Delivered& taken, const ProcFacts& late) {
  Bench bench;
  bench.see(decision(1, kT0), chain(1, kT0), victim, marked(1, kT0), taken, late,
            memcg_stat(1, kT0), exited(1, kT0 + kMs));
  EXPECT_THAT(bench.out, SizeIs(1));
  return bench.out.empty() ? Incident{} : bench.out[0];
}

TEST(AssembleProc, NeverOverwritesTheKernel) {
  const Incident incident = one_kill(task(1, kT0), delivered(1, kT0), facts(kT0));
  const Victim& victim = incident.victims.at(0);
  EXPECT_THAT(victim.cmdline.value(), ElementsAre("hog", "-x"));
  EXPECT_EQ(victim.exe, "/usr/bin/hog");
  EXPECT_EQ(victim.cgroup, "/a/b");
  EXPECT_THAT(incident.provenance.late, Not(Contains(Key("victims[0].cmdline"))));
}

TEST(AssembleProc, FillsWhatTheKernelLeftOpenAndIsNamed) {
  VictimTask bare = task(1, kT0);
  bare.exe.reset();
  bare.cgroup.clear();
  bare.ancestry.clear();
  ProcFacts late = facts(kT0);
  late.cmdline_bytes = 14;
  late.exe_deleted = true;
  late.ancestry = {{.pid = 9, .comm = "parent"}};
  late.container = Container{.runtime = "docker", .id = "c0ffee", .name = "", .image = ""};
  const Incident incident = one_kill(bare, unread(kT0, EFAULT), late);
  const Victim& victim = incident.victims.at(0);
  EXPECT_THAT(victim.cmdline.value(), ElementsAre("hog", "from-proc"));
  EXPECT_EQ(victim.exe, "/proc/hog");
  EXPECT_EQ(victim.exe_deleted, true);
  EXPECT_EQ(victim.cgroup, "/proc-cgroup");
  EXPECT_EQ(victim.container->id, "c0ffee");
  EXPECT_THAT(victim.ancestry, SizeIs(1));
  for (const char* field : {"cmdline", "exe", "cgroup", "user", "unit", "container", "ancestry"})
    EXPECT_THAT(incident.provenance.late,
                Contains(Pair("victims[0]." + std::string(field), "proc")));
  EXPECT_THAT(incident.provenance.missing, Not(Contains(Key("victims[0].cmdline"))));
}

TEST(AssembleProc, BothReasonsOfAMissingCommandLineAreTold) {
  ProcFacts late = facts(kT0);
  late.cmdline.reset();
  late.missing = {{"cmdline", "No such process"}, {"pod", "no runtime state"}};
  const Incident incident = one_kill(task(1, kT0), unread(kT0, EFAULT), late);
  EXPECT_EQ(incident.victims.at(0).cmdline, std::nullopt);
  EXPECT_THAT(incident.provenance.missing,
              Contains(Pair("victims[0].cmdline",
                            "read in its own context: Bad address; /proc: No such process")));
  EXPECT_THAT(incident.provenance.missing, Contains(Pair("victims[0].pod", "no runtime state")));
}

TEST(AssembleProc, AnEmptyCommandLineOfADyingProcessTellsNothing) {
  ProcFacts late = facts(kT0);
  late.cmdline = std::vector<std::string>{};
  const Incident incident = one_kill(task(1, kT0), unread(kT0, EFAULT), late);
  EXPECT_EQ(incident.victims.at(0).cmdline, std::nullopt);
  EXPECT_THAT(
      incident.provenance.missing,
      Contains(Pair("victims[0].cmdline", "read in its own context: Bad address; /proc: empty")));
}

TEST(AssembleProc, AReasonForAFieldThatIsThereIsNotAMissingField) {
  ProcFacts late = facts(kT0);
  late.cmdline.reset();
  late.missing = {{"cmdline", "No such process"}};
  const Incident incident = one_kill(task(1, kT0), delivered(1, kT0), late);
  EXPECT_THAT(incident.provenance.missing, Not(Contains(Key("victims[0].cmdline"))));
}

TEST(AssembleArgv, AnEmptyArgvIsKnownToBeEmpty) {
  Delivered none = delivered(1, kT0);
  none.argv = "";
  none.argv_bytes = 0;
  const Incident incident = one_kill(task(1, kT0), none, facts(kT0));
  ASSERT_TRUE(incident.victims.at(0).cmdline);
  EXPECT_THAT(*incident.victims.at(0).cmdline, IsEmpty());
  EXPECT_THAT(incident.provenance.late, Not(Contains(Key("victims[0].cmdline"))));
}

TEST(AssembleArgv, IsSplitAtItsNulsAndNoBytesAreLost) {
  Delivered odd = delivered(1, kT0);
  odd.argv = std::string("a\0\0b\nc\x1b\xff\0", 9);
  odd.argv_bytes = 9;
  const Incident incident = one_kill(task(1, kT0), odd, facts(kT0));
  EXPECT_THAT(*incident.victims.at(0).cmdline, ElementsAre("a", "", "b\nc\x1b\xff"));
  EXPECT_EQ(incident.victims.at(0).cmdline_bytes, std::nullopt);
}

TEST(AssembleArgv, ACutOneSaysHowMuchThereIs) {
  Delivered cut = delivered(1, kT0);
  cut.argv = std::string("hog\0", 4) + std::string(4092, 'x');
  cut.argv_bytes = 4'194'304;
  const Incident incident = one_kill(task(1, kT0), cut, facts(kT0));
  ASSERT_THAT(*incident.victims.at(0).cmdline, SizeIs(2));
  EXPECT_EQ(incident.victims.at(0).cmdline_bytes, 4'194'304U);
  EXPECT_THAT(incident.provenance.missing,
              Contains(Pair("victims[0].cmdline", "first 4096 of 4194304 bytes")));
}

TEST(AssembleMissing, NamesWhatTheDecisionLacked) {
  Decision poor;
  poor.at_ns = kT0;
  poor.id = 1;
  poor.memcg = true;
  poor.scanned = true;
  Bench bench;
  bench.see(poor, task(1, kT0), marked(1, kT0)).flush(kT0 + 1);
  ASSERT_THAT(bench.out, SizeIs(1));
  for (const char* field : {"gfp", "order", "constraint", "total_pages", "selected", "user_stack"})
    EXPECT_THAT(bench.out[0].provenance.missing, Contains(Key(field)));
  EXPECT_THAT(bench.out[0].provenance.missing, Contains(Pair("memcg", "no record of it arrived")));
  EXPECT_THAT(bench.out[0].provenance.missing,
              Contains(Pair("candidates", "no record of it arrived")));
  EXPECT_EQ(bench.out[0].scope.sysrq, std::nullopt);
  EXPECT_EQ(bench.out[0].scope.kill_allocating_task, std::nullopt);
  // An invoker that was not read is absent; the victim's registration knows it.
  EXPECT_EQ(bench.out[0].invoker.tid, 501U);
}

TEST(AssembleMissing, NothingReadIsNotZero) {
  Decision empty;
  empty.at_ns = kT0;
  empty.id = 1;
  VictimTask bare;
  bare.at_ns = kT0;
  bare.id = 1;
  bare.pid = 100;
  Bench bench;
  bench.see(empty, bare).flush(kT0 + 1);
  ASSERT_THAT(bench.out, SizeIs(1));
  const Invoker& asker = bench.out[0].invoker;
  EXPECT_EQ(asker, Invoker{});
  const Victim& victim = bench.out[0].victims.at(0);
  EXPECT_EQ(victim.tid, std::nullopt);
  EXPECT_EQ(victim.ppid, std::nullopt);
  EXPECT_EQ(victim.ns_pid, std::nullopt);
  EXPECT_EQ(victim.threads, std::nullopt);
  EXPECT_EQ(victim.started_unix_ns, std::nullopt);
  EXPECT_EQ(victim.cgroup, std::nullopt);
  EXPECT_EQ(victim.memory, Memory{});
}

TEST(AssembleMissing, PointsOfOurOwnSumAreToldAsSuch) {
  CandidateList summed = candidates(1, kT0);
  summed.exact = false;
  Bench bench;
  bench.see(decision(1, kT0), summed).flush(kT0 + 1);
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_THAT(bench.out[0].provenance.missing, Contains(Key("candidates.points")));
}

TEST(AssembleMissing, CutRecordsSaySo) {
  VictimTask deep = task(1, kT0);
  deep.cgroup_truncated = true;
  MemcgChain longer = chain(1, kT0);
  longer.truncated = true;
  Bench bench;
  bench.see(decision(1, kT0), longer, deep).flush(kT0 + 1);
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_THAT(bench.out[0].provenance.missing, Contains(Key("victims[0].cgroup")));
  EXPECT_THAT(bench.out[0].provenance.missing, Contains(Key("scope.memcg.ancestors")));
}

TEST(AssembleSystem, TheKernelsOwnFiguresWinInEitherOrder) {
  for (const bool proc_first : {false, true}) {
    Bench bench;
    bench.see(decision(1, kT0));
    if (proc_first) bench.see(system_memory(1, kT0, "proc"), system_memory(1, kT0));
    if (!proc_first) bench.see(system_memory(1, kT0), system_memory(1, kT0, "proc"));
    bench.flush(kT0 + 1);
    ASSERT_THAT(bench.out, SizeIs(1));
    EXPECT_EQ(bench.out[0].system.source, "bpf");
    EXPECT_THAT(bench.out[0].provenance.sources, ElementsAre("bpf"));
  }
}

TEST(AssembleSystem, FiguresOfProcAreMarkedLate) {
  Bench bench;
  bench.see(decision(1, kT0), system_memory(1, kT0, "proc")).flush(kT0 + 1);
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_EQ(bench.out[0].system.source, "proc");
  EXPECT_THAT(bench.out[0].provenance.late, Contains(Pair("system", "proc")));
  EXPECT_THAT(bench.out[0].provenance.sources, ElementsAre("bpf", "proc"));
}

// ---- the kernel log

AssemblerConfig with_log(AssemblerConfig config) {
  config.expect_log = true;
  return config;
}

TEST(AssembleLog, FillsTheDecisionOfATracepointHost) {
  Bench bench(with_log(config_of_tracepoints()));
  bench.see(task(0, kT0, 100, SeenAt::kMark), chain(0, kT0, false), marked(0, kT0), facts(kT0),
            exited(0, kT0 + kMs));
  EXPECT_THAT(bench.out, IsEmpty());
  bench.see(log_report(kT0 + 2 * kMs));
  ASSERT_THAT(bench.out, SizeIs(1));
  const Incident& incident = bench.out[0];
  EXPECT_EQ(incident.scope.constraint, "memcg");
  EXPECT_EQ(incident.invoker.order, 2);
  EXPECT_EQ(incident.invoker.gfp->mask, 0xdc0U);
  EXPECT_EQ(incident.candidates.listed, 4U);
  // Kernel truth stays.
  EXPECT_EQ(incident.invoker.comm, "asker");
  EXPECT_EQ(incident.victims.at(0).comm, "hog");
  EXPECT_EQ(incident.victims.at(0).uid, 7U);
  EXPECT_EQ(incident.victims.at(0).memory.anon_rss_bytes, 8000U);
  // The log names the limit, the victim's own chain has the figures above it.
  ASSERT_TRUE(incident.scope.memcg);
  EXPECT_EQ(incident.scope.memcg->self.path, "/a");
  EXPECT_EQ(incident.scope.memcg->self.usage_bytes, 31U);
  ASSERT_THAT(incident.scope.memcg->ancestors, SizeIs(1));
  EXPECT_EQ(incident.scope.memcg->ancestors[0].path, "/");
  EXPECT_EQ(incident.scope.memcg->ancestors[0].usage_bytes, 50U);
  EXPECT_THAT(incident.provenance.sources, ElementsAre("bpf", "proc", "kmsg"));
  EXPECT_THAT(incident.provenance.late, Contains(Pair("invoker.gfp", "kmsg")));
  EXPECT_THAT(incident.provenance.late, Contains(Pair("scope.memcg", "kmsg")));
  EXPECT_THAT(incident.provenance.late, Not(Contains(Key("invoker.comm"))));
  EXPECT_THAT(incident.provenance.missing, Not(Contains(Key("gfp"))));
}

TEST(AssembleLog, ALimitElsewhereGetsNoFiguresOfTheVictimsChain) {
  LogReport elsewhere = log_report(kT0 + kMs);
  elsewhere.scope.memcg->self = MemcgLevel{};
  elsewhere.scope.memcg->self.path = "/other";
  Bench bench(with_log(config_of_tracepoints()));
  bench.see(task(0, kT0, 100, SeenAt::kMark), chain(0, kT0, false), marked(0, kT0), facts(kT0),
            exited(0, kT0 + kMs), elsewhere);
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_EQ(bench.out[0].scope.memcg->self.path, "/other");
  EXPECT_EQ(bench.out[0].scope.memcg->self.usage_bytes, std::nullopt);
  EXPECT_THAT(bench.out[0].scope.memcg->ancestors, IsEmpty());
}

TEST(AssembleLog, OnlyFillsGapsOfAFullHost) {
  LogReport same = log_report(kT0 + kMs);
  same.scope.memcg->self = level("/a/b", 1, 2);
  same.scope.memcg->self.failcnt = 7;
  Bench bench(with_log(config_of_full_host()));
  bench.see(same);
  bench.whole_kill(1, kT0);
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_EQ(bench.out[0].invoker.order, 0);
  EXPECT_EQ(bench.out[0].scope.memcg->self.usage_bytes, 10U);
  EXPECT_EQ(bench.out[0].scope.memcg->self.failcnt, 7U);
  EXPECT_THAT(bench.out[0].provenance.late, Contains(Pair("scope.memcg.failcnt", "kmsg")));
  EXPECT_THAT(bench.out[0].provenance.late, Not(Contains(Key("scope.memcg.usage_bytes"))));
}

TEST(AssembleLog, ALimitIsNotTakenForAKillTheKernelCallsGlobal) {
  Decision global = decision(1, kT0);
  global.memcg = false;
  global.constraint = 0U;
  Bench bench(with_log(config_of_full_host()));
  bench.see(global, task(1, kT0), marked(1, kT0), log_report(kT0 + kMs)).flush(kT0 + 2 * kMs);
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_EQ(bench.out[0].scope.memcg, std::nullopt);
  EXPECT_EQ(bench.out[0].scope.constraint, "none");
}

TEST(AssembleLog, IsWaitedForUntilTheSettlingTime) {
  Bench bench(with_log(config_of_tracepoints()));
  bench.see(task(0, kT0, 100, SeenAt::kMark), marked(0, kT0), facts(kT0), exited(0, kT0 + kMs));
  bench.advance(kT0 + 500 * kMs - 1);
  EXPECT_THAT(bench.out, IsEmpty());
  bench.advance(kT0 + 500 * kMs);
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_THAT(bench.out[0].provenance.missing, Contains(Key("kmsg")));
  EXPECT_THAT(bench.out[0].provenance.missing, Contains(Pair("gfp", "no decision hook: EPERM")));
  EXPECT_EQ(bench.deadline(), std::nullopt);
}

TEST(AssembleLog, ALateReportIsAnUpdate) {
  Bench bench(with_log(config_of_tracepoints()));
  bench.see(task(0, kT0, 100, SeenAt::kMark), marked(0, kT0), facts(kT0), exited(0, kT0 + kMs));
  bench.advance(kT0 + 500 * kMs).see_at(kT0 + 600 * kMs, log_report(kT0 + kMs));
  ASSERT_THAT(bench.out, SizeIs(2));
  EXPECT_EQ(bench.out[1].revision, 1U);
  EXPECT_EQ(bench.out[1].id, bench.out[0].id);
  EXPECT_EQ(bench.out[1].invoker.order, 2);
}

TEST(AssembleLog, OnceWrittenItIsNotWaitedForAgain) {
  Bench bench(with_log(config_of_tracepoints()));
  bench.see(task(0, kT0, 100, SeenAt::kMark), marked(0, kT0), exited(0, kT0 + kMs));
  bench.advance(kT0 + 500 * kMs).see(facts(kT0 + 510 * kMs));
  ASSERT_THAT(bench.out, SizeIs(2));
  EXPECT_EQ(bench.out[1].victims.at(0).user, "joe");
}

TEST(AssembleLog, ATaskThatWasDyingAlreadyHasNoLineToWaitFor) {
  VictimTask dying = task(0, kT0, 100, SeenAt::kMark);
  dying.state.group_exit = true;
  Bench bench(with_log(config_of_full_host()));
  bench.see(dying, marked(0, kT0), facts(kT0), exited(0, kT0 + kMs));
  EXPECT_THAT(bench.out, SizeIs(1));
}

TEST(AssembleLog, MatchesByThreadIdToo) {
  LogReport report = log_report(kT0 + kMs);
  report.victims[0].pid.reset();
  report.victims[0].tid = 109;
  Bench bench(with_log(config_of_tracepoints()));
  bench.see(marked_tid(0, kT0, 109), report).flush(kT0 + 2 * kMs);
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_EQ(bench.out[0].victims.at(0).comm, "log-hog");
  EXPECT_EQ(bench.out[0].victims.at(0).memory.anon_rss_bytes, 77U);
}

TEST(AssembleLog, AVictimOnlyTheLogSawJoinsItsGroup) {
  LogReport report = log_report(kT0 + kMs);
  report.victims.push_back(report.victims[0]);
  report.victims[1].pid = 101;
  report.victims[1].role = Role::kGroup;
  Bench bench(with_log(config_of_tracepoints()));
  bench.see(group_task(0, kT0, 100, SeenAt::kMark), marked(0, kT0), facts(kT0),
            exited(0, kT0 + kMs), report);
  bench.advance(kT0 + 60 * kMs);
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_THAT(pids(bench.out[0]), ElementsAre(100, 101));
  EXPECT_EQ(bench.out[0].victims[1].role, Role::kGroup);
}

TEST(AssembleLog, TheDoubledLineOfAGroupsFirstVictimIsNoIncident) {
  Bench bench(with_log(config_of_tracepoints()));
  bench.see(task(0, kT0, 100, SeenAt::kMark), marked(0, kT0), facts(kT0), exited(0, kT0 + kMs),
            log_report(kT0 + 2 * kMs), log_report(kT0 + 3 * kMs));
  bench.flush(kT0 + 2000 * kMs);
  EXPECT_THAT(bench.out, SizeIs(1));
}

TEST(AssembleLog, AKillTheHooksMissedIsToldByTheLogAlone) {
  Bench bench(with_log(config_of_full_host()));
  bench.see(log_report(kT0));
  EXPECT_THAT(bench.out, IsEmpty());
  EXPECT_EQ(bench.deadline(), kT0 + 500 * kMs);
  bench.advance(kT0 + 500 * kMs);
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_THAT(pids(bench.out[0]), ElementsAre(100));
  EXPECT_EQ(bench.out[0].invoker.comm, "log-asker");
  EXPECT_EQ(bench.out[0].monotonic_ns, kT0);
  EXPECT_THAT(bench.out[0].provenance.sources, ElementsAre("kmsg"));
  EXPECT_THAT(bench.out[0].provenance.late, IsEmpty());
  EXPECT_THAT(bench.out[0].provenance.hooks, IsEmpty());
}

TEST(AssembleLog, WithoutAnyHookTheLogIsNotHeldBack) {
  AssemblerConfig config = with_log(config_of_full_host());
  config.hooks.clear();
  Bench bench(config);
  bench.see(log_report(kT0));
  EXPECT_THAT(bench.out, SizeIs(1));
  EXPECT_EQ(bench.deadline(), std::nullopt);
}

// A kill before the watch is told at once, and nobody who is seen live is its victim: the pid may
// have another life by now.
TEST(AssembleBacklog, IsNobodyWhoIsSeenLive) {
  Bench bench;
  LogReport past = log_report(kT0);
  past.from_backlog = true;
  bench.see(past);
  ASSERT_THAT(bench.out, SizeIs(1));
  EXPECT_EQ(bench.out[0].victims.at(0).comm, "log-hog");
  EXPECT_THAT(bench.out[0].provenance.sources, ElementsAre("kmsg"));
  EXPECT_THAT(bench.out[0].provenance.hooks, IsEmpty());
  bench.see(decision(1, kT0 + 1), chain(1, kT0 + 1), task(1, kT0 + 1), marked(1, kT0 + 1),
            delivered(1, kT0 + 1), facts(kT0 + 1), memcg_stat(1, kT0 + 1), exited(1, kT0 + kMs));
  ASSERT_THAT(bench.out, SizeIs(2));
  EXPECT_NE(bench.out[1].id, bench.out[0].id);
  EXPECT_EQ(bench.out[1].victims.at(0).comm, "hog");
  EXPECT_EQ(bench.out[1].revision, 0U);
}

TEST(AssembleBacklog, KillsOfTheSamePidAreTwo) {
  Bench bench;
  LogReport first = log_report(kT0);
  first.from_backlog = true;
  LogReport second = log_report(kT0 + 10 * kMs);
  second.from_backlog = true;
  bench.see(first, second);
  EXPECT_THAT(bench.out, SizeIs(2));
}

}  // namespace
}  // namespace oomwitness::testing
