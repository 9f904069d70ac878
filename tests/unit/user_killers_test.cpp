// SPDX-License-Identifier: BSD-2-Clause
#include "kernlog/user_killers.h"

#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernlog/killer_lines.h"

namespace oomwitness {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::SizeIs;

constexpr std::uint64_t kSecond = 1'000'000'000;

// A log of one program's lines, a second apart.
class Log {
 public:
  Log& say(std::string_view program, std::string_view text) {
    stamp_.at_ns += kSecond;
    killers_.line(stamp_, program, text);
    return *this;
  }
  Log& wait(std::uint64_t seconds) {
    stamp_.at_ns += seconds * kSecond;
    return *this;
  }
  std::vector<LogReport> end() {
    killers_.flush();
    return killers_.take();
  }
  UserKillers& killers() { return killers_; }

 private:
  LogReport stamp_;
  UserKillers killers_;
};

// ---------------------------------------------------------------- systemd-oomd

struct OomdCase {
  const char* text;
  const char* cgroup;
  const char* reason;
};

class SystemdOomdTest : public testing::TestWithParam<OomdCase> {};
INSTANTIATE_TEST_SUITE_P(
    Wordings, SystemdOomdTest,
    testing::Values(
        OomdCase{"Killed /user.slice/user-1000.slice/user@1000.service/app.slice/hog.scope due to "
                 "memory pressure for /user.slice/user-1000.slice/user@1000.service being 57.97% > "
                 "50.00% for > 20s with reclaim activity",
                 "/user.slice/user-1000.slice/user@1000.service/app.slice/hog.scope",
                 "memory pressure for /user.slice/user-1000.slice/user@1000.service being 57.97% > "
                 "50.00% for > 20s with reclaim activity"},
        OomdCase{"Killed /system.slice/hog.service due to memory used (8054784) / total (8192000) "
                 "and swap used (950272) / total (1048576) being more than 90.00%",
                 "/system.slice/hog.service",
                 "memory used (8054784) / total (8192000) and swap used (950272) / total (1048576) "
                 "being more than 90.00%"},
        OomdCase{"Killed /system.slice/hog.service due to swap used (950272) / total (1048576) "
                 "being more than 90.00%",
                 "/system.slice/hog.service",
                 "swap used (950272) / total (1048576) being more than 90.00%"},
        OomdCase{"Marked /system.slice/hog.service for killing due to memory pressure for "
                 "/system.slice being 61.02% > 60.00% for > 30s with reclaim activity",
                 "/system.slice/hog.service",
                 "memory pressure for /system.slice being 61.02% > 60.00% for > 30s with reclaim "
                 "activity"},
        OomdCase{"Rule 'swapless' conditions met for cgroup /hog.slice for 10s, taking action "
                 "kill-all",
                 "/hog.slice",
                 "Rule 'swapless' conditions met for cgroup /hog.slice for 10s, taking action "
                 "kill-all"},
        // A unit's name may hold the words.
        OomdCase{"Killed /a due to b.service due to memory pressure for /a being c being 51.00% > "
                 "50.00% for > 20s with reclaim activity",
                 "/a due to b.service",
                 "memory pressure for /a being c being 51.00% > 50.00% for > 20s with reclaim "
                 "activity"}));

TEST_P(SystemdOomdTest, EveryWording) {
  const auto kill = parse_systemd_oomd(GetParam().text);
  ASSERT_TRUE(kill);
  EXPECT_EQ(kill->victim.cgroup, GetParam().cgroup);
  EXPECT_EQ(kill->reason, GetParam().reason);
}

TEST(SystemdOomdTest, WhatTheHostHad) {
  const auto kill = parse_systemd_oomd(
      "Killed /x due to memory used (8054784) / total (8192000) and swap used (950272) / total "
      "(1048576) being more than 90.00%");
  ASSERT_TRUE(kill);
  EXPECT_EQ(kill->system.source, "log");
  EXPECT_THAT(kill->system.meminfo_bytes,
              ElementsAre(Pair("MemAvailable", 137216), Pair("MemTotal", 8192000)));
  EXPECT_THAT(kill->system.swap_bytes, ElementsAre(Pair("free", 98304), Pair("total", 1048576)));
  // Nonsense gives no figures.
  EXPECT_EQ(parse_systemd_oomd("Killed /x due to swap used (9) / total (1) being more than 9%")
                ->system.source,
            "");
}

TEST(SystemdOomdTest, ARuleThatTakesACgroupBelowDoesNotNameIt) {
  const auto kill = parse_systemd_oomd(
      "Rule 'r' conditions met for cgroup /a.slice for 10s, taking action kill-by-pgscan");
  ASSERT_TRUE(kill);
  EXPECT_FALSE(kill->victim.cgroup);
  EXPECT_THAT(kill->reason, HasSubstr("cgroup /a.slice for 10s"));
}

TEST(SystemdOomdTest, OtherLinesOfItAreNoKills) {
  for (const char* text :
       {"Memory pressure for /a is 51.00% > 50.00% for > 20s with reclaim activity",
        "Memory used (1) / total (2) and swap used (3) / total (4) is more than 90.00%",
        "Considered 3 cgroups for killing, top candidates were:", "\tPath: /a",
        "oomd attempting to kill 12 with KILL", "Failed to kill any cgroups based on swap: x",
        "oomd dry-run: Would have tried to kill /a and all its descendants", "Killed",
        "Killed a due to memory pressure for b", "Killed /a", "Marked /a for killing",
        "Rule 'r' conditions met for cgroup /a for 10s, taking action notify", ""})
    EXPECT_FALSE(parse_systemd_oomd(text)) << text;
}

TEST(UserKillersTest, TheServiceManagersCountBelongsToTheKill) {
  const char* const killed =
      "Killed /user.slice/hog.scope due to memory pressure for /user.slice being 51.00% > 50.00% "
      "for > 20s with reclaim activity";
  const char* const counted = "hog.scope: systemd-oomd killed 3 process(es) in this unit.";
  for (const bool count_first : {false, true}) {
    Log log;
    log.say(count_first ? "systemd" : "systemd-oomd", count_first ? counted : killed);
    log.say(count_first ? "systemd-oomd" : "systemd", count_first ? killed : counted);
    const auto kills = log.end();
    ASSERT_THAT(kills, SizeIs(1)) << count_first;
    EXPECT_EQ(kills[0].killer, "systemd-oomd");
    ASSERT_THAT(kills[0].victims, SizeIs(1));
    EXPECT_EQ(kills[0].victims[0].cgroup, "/user.slice/hog.scope");
    EXPECT_EQ(kills[0].victims[0].unit, "hog.scope");
    EXPECT_THAT(*kills[0].scope.reason, HasSubstr("killed 3 process(es)"));
    EXPECT_THAT(*kills[0].scope.reason, HasSubstr("51.00% > 50.00%"));
  }
}

TEST(UserKillersTest, EveryKillOfOneUnitCounts) {
  const char* const killed = "Killed /a/x.service due to swap used (9) / total (9) being more";
  const char* const counted = "x.service: systemd-oomd killed 1 process(es) in this unit.";
  Log log;
  log.say("systemd-oomd", killed).say("systemd", counted);
  log.say("systemd-oomd", killed).say("systemd", counted);
  log.say("systemd", counted);  // its own line is lost
  log.say("systemd", "y.service: systemd-oomd killed 2 process(es) in this unit.");
  const auto kills = log.end();
  ASSERT_THAT(kills, SizeIs(4));
  EXPECT_FALSE(kills[2].victims[0].cgroup);
  EXPECT_EQ(kills[3].victims[0].unit, "y.service");
}

// ---------------------------------------------------------------- earlyoom

struct EarlyoomCase {
  const char* text;
  std::uint32_t pid;
  const char* comm;
  Opt<std::uint32_t> uid;
  Opt<std::int32_t> adj;
  const char* reason;
};

class EarlyoomTest : public testing::TestWithParam<EarlyoomCase> {};
INSTANTIATE_TEST_SUITE_P(
    Wordings, EarlyoomTest,
    testing::Values(
        EarlyoomCase{"Killing process 7378 tail", 7378, "tail", {}, {}, "sent a signal"},
        EarlyoomCase{"sending SIGTERM to process 7378 \"tail\": badness 156, VmRSS 4962 MiB",
                     7378,
                     "tail",
                     {},
                     {},
                     "sent SIGTERM: badness 156, VmRSS 4962 MiB"},
        EarlyoomCase{
            "sending SIGKILL to process 7378 uid 1000 \"tail\": badness 156, VmRSS 4962 MiB",
            7378,
            "tail",
            1000,
            {},
            "sent SIGKILL: badness 156, VmRSS 4962 MiB"},
        EarlyoomCase{"sending SIGTERM to process 7378 uid 1000 \"tail\": oom_score 156, VmRSS 4962 "
                     "MiB, cmdline \"tail /dev/zero\"",
                     7378,
                     "tail",
                     1000,
                     {},
                     "sent SIGTERM: oom_score 156, VmRSS 4962 MiB"},
        EarlyoomCase{
            "sending SIGTERM to process 991 uid 0 \"a\": oom_score 1331, oom_score_adj 500, "
            "VmRSS 3287 MiB, cmdline \"a --password=x\": badness 1\"",
            991, "a", 0, 500, "sent SIGTERM: oom_score 1331, oom_score_adj 500, VmRSS 3287 MiB"},
        // A comm with the words in it.
        EarlyoomCase{"sending SIGTERM to process 7 uid 9 \"x\" uid 0 \"y\": badness 1, VmRSS 2 MiB",
                     7,
                     "x\" uid 0 \"y",
                     9,
                     {},
                     "sent SIGTERM: badness 1, VmRSS 2 MiB"}));

TEST_P(EarlyoomTest, EveryWording) {
  EarlyoomLines lines;
  const auto kill = lines.line(GetParam().text);
  ASSERT_TRUE(kill);
  EXPECT_EQ(kill->kind, KillerEvent::Kind::kKill);
  EXPECT_EQ(kill->victim.pid, GetParam().pid);
  EXPECT_EQ(kill->victim.comm, GetParam().comm);
  EXPECT_EQ(kill->victim.uid, GetParam().uid);
  EXPECT_EQ(kill->victim.oom_score_adj, GetParam().adj);
  EXPECT_EQ(kill->reason, GetParam().reason);
}

TEST(EarlyoomTest, WhatItSawStandsBeforeTheKill) {
  EarlyoomLines lines;
  EXPECT_FALSE(
      lines.line("mem avail:  1021 of 21701 MiB ( 4.70%), swap free:  251 of 8191 MiB ( "
                 "3.06%)"));
  EXPECT_FALSE(lines.line("low memory! at or below SIGTERM limits: mem 10.00%, swap 10.00%"));
  const auto kill = lines.line("sending SIGTERM to process 7 uid 9 \"x\": badness 1, VmRSS 2 MiB");
  ASSERT_TRUE(kill);
  EXPECT_EQ(kill->reason,
            "low memory! at or below SIGTERM limits: mem 10.00%, swap 10.00%; sent SIGTERM: "
            "badness 1, VmRSS 2 MiB");
  constexpr std::uint64_t kMib = 1024ULL * 1024;
  EXPECT_EQ(kill->system.meminfo_bytes.at("MemAvailable"), 1021 * kMib);
  EXPECT_EQ(kill->system.meminfo_bytes.at("MemTotal"), 21701 * kMib);
  EXPECT_EQ(kill->system.swap_bytes.at("free"), 251 * kMib);
  EXPECT_EQ(kill->system.source, "log");
  // Said once: the next kill has its own.
  const auto next = lines.line("sending SIGTERM to process 8 uid 9 \"x\": badness 1, VmRSS 2 MiB");
  EXPECT_EQ(next->system.source, "");
  EXPECT_THAT(next->reason, Not(HasSubstr("low memory")));
}

TEST(EarlyoomTest, OldMemoryLine) {
  EarlyoomLines lines;
  EXPECT_FALSE(lines.line("mem avail:   612 MiB, swap free:     0 MiB"));
  EXPECT_FALSE(lines.line("Out of memory! avail: 612 MiB < min: 785 MiB"));
  const auto kill = lines.line("Killing process 7 a b");
  EXPECT_EQ(kill->victim.comm, "a b");
  EXPECT_EQ(kill->system.meminfo_bytes.count("MemTotal"), 0U);
  EXPECT_EQ(kill->system.swap_bytes.at("free"), 0U);
  EXPECT_THAT(kill->reason, HasSubstr("avail: 612 MiB < min: 785 MiB"));
}

TEST(EarlyoomTest, OtherLinesOfItAreNoKills) {
  EarlyoomLines lines;
  for (const char* text : {"sending SIGTERM when mem <= 10.00% and swap <= 10.00%,",
                           "        SIGKILL when mem <=  5.00% and swap <=  5.00%",
                           "sending 0 (no-op signal) to process 7 uid 9 \"x\": badness 1, VmRSS 2",
                           "sending SIGTERM to process x", "sending SIGTERM to process 7",
                           "sending SIGTERM to process 7 uid 9 \"x\"", "earlyoom 1.7", "",
                           "Killing process", "escalating to SIGKILL after 5.0 seconds"})
    EXPECT_FALSE(lines.line(text)) << text;
}

TEST(UserKillersTest, EarlyoomSignalsUntilTheVictimGoes) {
  Log log;
  log.say("earlyoom", "sending SIGTERM to process 7 uid 9 \"x\": badness 1, VmRSS 2 MiB");
  EXPECT_FALSE(log.killers().idle());
  log.say("earlyoom", "sending SIGKILL to process 7 uid 9 \"x\": badness 1, VmRSS 2 MiB");
  log.say("earlyoom", "process exited after 0.3 seconds");
  EXPECT_TRUE(log.killers().idle());
  log.say("earlyoom", "sending SIGTERM to process 8 uid 9 \"y\": badness 1, VmRSS 2 MiB");
  const auto kills = log.end();
  ASSERT_THAT(kills, SizeIs(2));
  EXPECT_EQ(kills[0].killer, "earlyoom");
  EXPECT_EQ(kills[0].at_ns, 2 * kSecond);
  EXPECT_THAT(*kills[0].scope.reason, HasSubstr("SIGTERM"));
  EXPECT_THAT(*kills[0].scope.reason, HasSubstr("SIGKILL"));
  EXPECT_EQ(kills[1].victims[0].pid, 8U);
}

TEST(UserKillersTest, WhatDidNotHappenIsNoKill) {
  Log log;
  for (const char* outcome : {"dryrun, not actually sending any signal",
                              "kill failed: No such process", "Could not kill process: x"}) {
    log.say("earlyoom", "sending SIGTERM to process 7 uid 9 \"x\": badness 1, VmRSS 2 MiB");
    log.say("earlyoom", outcome);
  }
  log.say("oomd",
          "oomd kill: 1.00 2.00 3.00 a.slice 9 ruleset:[r] detectorgroup:[d] "
          "killer:(dry)memory_size v2");
  EXPECT_THAT(log.end(), IsEmpty());
}

TEST(UserKillersTest, APidUsedAgainIsAnotherKill) {
  Log log;
  const char* const kill = "sending SIGTERM to process 7 uid 9 \"x\": badness 1, VmRSS 2 MiB";
  log.say("earlyoom", kill).wait(60).say("earlyoom", kill);
  EXPECT_THAT(log.end(), SizeIs(2));
}

// ---------------------------------------------------------------- nohang

void say_nohang(Log& log, std::initializer_list<const char*> lines) {
  for (const char* line : lines) log.say("nohang", line);
}

TEST(NohangTest, AReportOfSeveralLines) {
  Log log;
  say_nohang(log, {"Memory status that requires corrective actions:",
                   "  MemAvailable [612 MiB, 3.8 %] <= hard_threshold_min_mem [640 MiB, 4.0 %]",
                   "  SwapFree [0 MiB, 0.0 %] <= hard_threshold_min_swap [820 MiB, 10.0 %]",
                   "Process with highest badness (found in 12ms):",
                   "  PID: 4711, Name: hog, badness: 812", "Victim status (found in 1ms):",
                   "  PID:       4711, name: hog, state: S, state: S, EUID: 1000, SID: 4 (sh)",
                   "  badness:   812, oom_score:  812, oom_score_adj:  300",
                   "  Vm, MiB:   Size: 20480, RSS: 15000 (Anon: 14998, File: 2, Shmem: 0), Swap: 7",
                   "  cgroup_v1: ", "  cgroup_v2: /user.slice/hog.scope",
                   "  exe realpath: /usr/bin/hog", "  cwd realpath: /root", "Memory info, MiB:",
                   "Implementing a corrective action:", "  Sending SIGKILL to the victim",
                   "OK; total response time: 20ms", "The victim died in 0.112s"});
  EXPECT_TRUE(log.killers().idle());
  const auto kills = log.end();
  ASSERT_THAT(kills, SizeIs(1));
  EXPECT_EQ(kills[0].killer, "nohang");
  const Victim& victim = kills[0].victims.at(0);
  EXPECT_EQ(victim.pid, 4711U);
  EXPECT_EQ(victim.comm, "hog, state: S");
  EXPECT_EQ(victim.uid, 1000U);
  EXPECT_EQ(victim.oom_score_adj, 300);
  EXPECT_EQ(victim.cgroup, "/user.slice/hog.scope");
  EXPECT_EQ(victim.exe, "/usr/bin/hog");
  EXPECT_EQ(victim.memory.total_vm_bytes, 20480ULL << 20U);
  EXPECT_EQ(victim.memory.anon_rss_bytes, 14998ULL << 20U);
  EXPECT_EQ(victim.memory.file_rss_bytes, 2ULL << 20U);
  EXPECT_EQ(victim.memory.swap_bytes, 7ULL << 20U);
  EXPECT_EQ(*kills[0].scope.reason,
            "MemAvailable [612 MiB, 3.8 %] <= hard_threshold_min_mem [640 MiB, 4.0 %]; SwapFree [0 "
            "MiB, 0.0 %] <= hard_threshold_min_swap [820 MiB, 10.0 %]; sent SIGKILL");
}

TEST(NohangTest, TheShortForm) {
  Log log;
  say_nohang(
      log, {"Process with highest badness (found in 12ms):", "  PID: 4711, Name: hog, badness: 812",
            "Implement a corrective action:", "  Send SIGTERM to the victim"});
  const auto kills = log.end();
  ASSERT_THAT(kills, SizeIs(1));
  EXPECT_EQ(kills[0].victims[0].comm, "hog");
  EXPECT_EQ(*kills[0].scope.reason, "sent SIGTERM");
}

TEST(NohangTest, WhatIsNoKill) {
  Log log;
  say_nohang(log,
             {"  PID: 4711, Name: hog, badness: 812",
              "Implementing a corrective action:", "  Executing the command: systemctl restart hog",
              "  PID: 4711, Name: hog, badness: 812",
              "Implementing a corrective action:", "  Sending SIGTERM to the victim",
              "Selected process died before corrective action", "  Sending SIGTERM to the victim",
              "Implementing a corrective action:", "  Sending SIGTERM to the victim"});
  EXPECT_THAT(log.end(), IsEmpty());
}

// ---------------------------------------------------------------- oomd, Android

TEST(OomdTest, TheLineInTheKernelsLog) {
  for (const char* program : {"oomd", "kernel"}) {
    Log log;
    log.say(program,
            "oomd kill: 81.28 80.05 42.78 system.slice/a b.service 12345678 ruleset:[r 1] "
            "detectorgroup:[d] killer:memory_size_based_kill v2");
    const auto kills = log.end();
    ASSERT_THAT(kills, SizeIs(1)) << program;
    EXPECT_EQ(kills[0].killer, "oomd");
    EXPECT_EQ(kills[0].victims[0].cgroup, "/system.slice/a b.service");
    EXPECT_THAT(*kills[0].scope.reason, HasSubstr("81.28 80.05 42.78"));
  }
  EXPECT_EQ(parse_oomd("oomd kill: 10.00 60.00 600.00 Evil  1999 detector:swap,12345MB "
                       "killer:Evaporate ")
                ->victim.cgroup,
            "/Evil");
  for (const char* text : {"oomd kill: ", "oomd kill: a b c d", "oomd kill: 1 2 3 a",
                           "oomd kill: 1.0 2.0 3.0 ruleset:[r] killer:x", "Killed 3: 1 2 3"})
    EXPECT_FALSE(parse_oomd(text)) << text;
}

TEST(LmkdTest, UserSpaceAndKernel) {
  const auto kill = parse_lmkd(
      "Kill 'com.example.app' (17757), uid 10174, oom_score_adj 905 to free 4445960kB rss, "
      "3990164kB anon rss, 2413008kB swap, 0kB dmabuf_pss; reason: min watermark is breached");
  ASSERT_TRUE(kill);
  EXPECT_EQ(kill->victim.pid, 17757U);
  EXPECT_EQ(kill->victim.comm, "com.example.app");
  EXPECT_EQ(kill->victim.uid, 10174U);
  EXPECT_EQ(kill->victim.oom_score_adj, 905);
  EXPECT_EQ(kill->victim.memory.anon_rss_bytes, 3990164ULL * 1024);
  EXPECT_EQ(kill->victim.memory.swap_bytes, 2413008ULL * 1024);
  EXPECT_EQ(kill->reason, "min watermark is breached");
  EXPECT_EQ(parse_lmkd("Kill 'x' (pid=12, uid=0, oom_score_adj=100) to free 1kB rss, 0kB swap; "
                       "reason: low memory (thrashing=1%)")
                ->victim.oom_score_adj,
            100);
  const auto in_kernel = parse_lowmemorykiller("lowmemorykiller: Killing 'a b' (6924), adj 705,");
  ASSERT_TRUE(in_kernel);
  EXPECT_EQ(in_kernel->victim.pid, 6924U);
  EXPECT_EQ(in_kernel->victim.comm, "a b");
  EXPECT_EQ(in_kernel->victim.oom_score_adj, 705);
  EXPECT_EQ(parse_lowmemorykiller("send sigkill to 6924 (x), adj 12, size 5242")->victim.comm, "x");
  for (const char* text : {"Kill 'x", "Kill 'x' (", "Killinfo: 1", "lowmemorykiller: lowmem_shrink",
                           "send sigkill to x", "send sigkill to 12"}) {
    EXPECT_FALSE(parse_lmkd(text)) << text;
    EXPECT_FALSE(parse_lowmemorykiller(text)) << text;
  }
}

// ---------------------------------------------------------------- who says it

TEST(UserKillersTest, OnlyTheKillersOwnWordCounts) {
  const char* const earlyoom = "sending SIGTERM to process 7 uid 9 \"x\": badness 1, VmRSS 2 MiB";
  const char* const systemd_oomd =
      "Killed /a due to swap used (9) / total (9) being more than 90.00%";
  const char* const unit = "x.service: systemd-oomd killed 2 process(es) in this unit.";
  Log log;
  for (const char* program : {"kernel", "sh", "", "systemd-oomd", "systemd", "nohang", "oomd"})
    log.say(program, earlyoom);
  for (const char* program : {"kernel", "sh", "", "earlyoom", "systemd", "nohang", "oomd"})
    log.say(program, systemd_oomd);
  for (const char* program : {"kernel", "sh", "", "earlyoom", "systemd-oomd", "nohang", "oomd"})
    log.say(program, unit);
  EXPECT_THAT(log.end(), IsEmpty());
  EXPECT_TRUE(is_user_killer("earlyoom"));
  EXPECT_FALSE(is_user_killer("earlyoomx"));
  EXPECT_FALSE(is_user_killer(""));
}

}  // namespace
}  // namespace oomwitness
