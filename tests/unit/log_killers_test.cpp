// SPDX-License-Identifier: BSD-2-Clause
// A log's lines to kills by user-space killers, and gfp masks to names: what LogReader makes of
// both.
#include <initializer_list>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "assemble/log_incident.h"
#include "kernlog/log_reader.h"

namespace oomwitness {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<LogReport> read(std::initializer_list<std::string_view> lines) {
  LogReader reader({.newest_unix_ns = 1'800'000'000'000'000'000});
  for (const std::string_view line : lines) reader.line(line);
  reader.flush();
  return reader.take();
}

TEST(LogKillersTest, EarlyoomInSyslog) {
  const auto kills = read(
      {"Feb 20 10:59:33 debian earlyoom[10231]: mem avail:  1021 of 21701 MiB ( 4.70%), swap free: "
       " "
       "251 of 8191 MiB ( 3.06%)",
       "Feb 20 10:59:33 debian earlyoom[10231]: low memory! at or below SIGTERM limits: mem "
       "10.00%, "
       "swap 10.00%",
       "Feb 20 10:59:34 debian earlyoom[10231]: sending SIGTERM to process 7378 uid 1000 \"tail\": "
       "oom_score 156, VmRSS 4962 MiB"});
  ASSERT_THAT(kills, SizeIs(1));
  const Incident incident = incident_from_report(kills[0]);
  EXPECT_EQ(incident.killer, "earlyoom");
  EXPECT_EQ(incident.host.name, "debian");
  EXPECT_NE(incident.time_unix_ns, 0);
  EXPECT_EQ(incident.victims.at(0).pid, 7378U);
  EXPECT_EQ(incident.victims.at(0).comm, "tail");
  EXPECT_EQ(incident.victims.at(0).uid, 1000U);
  EXPECT_EQ(incident.system.meminfo_bytes.at("MemTotal"), 21701ULL << 20U);
  EXPECT_THAT(incident.scope.reason.value_or(""), HasSubstr("SIGTERM limits: mem 10.00%"));
  EXPECT_EQ(incident.provenance.missing.count("gfp"), 0U);
}

TEST(LogKillersTest, SystemdOomdInEveryContainer) {
  for (
      const std::string_view line :
      {R"(2026-11-20T10:00:00+0100 host systemd-oomd[612]: Killed /a.slice/b.scope due to memory pressure for /a.slice being 51.00% > 50.00% for > 20s with reclaim activity)",
       R"({"MESSAGE":"Killed /a.slice/b.scope due to memory pressure for /a.slice being 51.00% > 50.00% for > 20s with reclaim activity","SYSLOG_IDENTIFIER":"systemd-oomd","_TRANSPORT":"journal","_HOSTNAME":"host","__REALTIME_TIMESTAMP":"1763629200000000"})",
       R"(<29>1 2026-11-20T10:00:00+01:00 host systemd-oomd 612 - - Killed /a.slice/b.scope due to memory pressure for /a.slice being 51.00% > 50.00% for > 20s with reclaim activity)"}) {
    const auto kills = read({line});
    ASSERT_THAT(kills, SizeIs(1)) << line;
    EXPECT_EQ(kills[0].killer, "systemd-oomd");
    EXPECT_EQ(kills[0].host.name, "host");
    EXPECT_EQ(kills[0].victims.at(0).cgroup, "/a.slice/b.scope");
    EXPECT_TRUE(kills[0].wall_ns) << line;
  }
}

TEST(LogKillersTest, KillersThatWriteIntoTheKernelsLog) {
  constexpr std::string_view kOomd =
      "oomd kill: 81.28 80.05 42.78 a.slice 1000 ruleset:[r] detectorgroup:[d] killer:x v2";
  for (const std::string_view prefix :
       {"[   12.345678] ", "14,7,12345678,-;", "Feb 20 10:59:34 host kernel: [   12.345678] "}) {
    const std::string line = std::string(prefix) + std::string(kOomd);
    const auto kills = read({line});
    ASSERT_THAT(kills, SizeIs(1)) << line;
    EXPECT_EQ(kills[0].killer, "oomd");
  }
  EXPECT_EQ(read({"[   12.345678] lowmemorykiller: Killing 'x' (6924), adj 705,"}).at(0).killer,
            "lowmemorykiller");
}

TEST(LogKillersTest, NobodyElsesWordCounts) {
  EXPECT_THAT(
      read(
          {"Feb 20 10:59:34 host kernel: [   12.345678] sending SIGTERM to process 7 uid 0 \"x\": "
           "badness 1, VmRSS 2 MiB",
           "Feb 20 10:59:34 host sh[1]: sending SIGTERM to process 7 uid 0 \"x\": badness 1, VmRSS "
           "2",
           "sending SIGTERM to process 7 uid 0 \"x\": badness 1, VmRSS 2 MiB",
           "Feb 20 10:59:34 host sh: Killed /a due to swap used (9) / total (9) being more than "
           "90%",
           "Feb 20 10:59:34 host kernel: Killed /a due to swap used (9) / total (9) being more",
           R"({"MESSAGE":"sending SIGTERM to process 7 uid 0 \"x\": badness 1, VmRSS 2 MiB","_TRANSPORT":"kernel","SYSLOG_IDENTIFIER":"kernel"})",
           R"({"MESSAGE":"sending SIGTERM to process 7 uid 0 \"x\": badness 1, VmRSS 2 MiB","_TRANSPORT":"stdout","SYSLOG_IDENTIFIER":"sh"})"}),
      IsEmpty());
}

TEST(LogKillersTest, BothKindsOfKillInOneLog) {
  const auto kills =
      read({"Feb 20 10:59:34 host earlyoom[1]: sending SIGTERM to process 7 uid 0 \"x\": badness "
            "1, VmRSS "
            "2 MiB",
            "Feb 20 10:59:35 host kernel: Out of memory: Killed process 8 (y) total-vm:4kB, "
            "anon-rss:4kB, "
            "file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:4kB oom_score_adj:0",
            "Feb 20 10:59:36 host earlyoom[1]: process exited after 0.1 seconds"});
  ASSERT_THAT(kills, SizeIs(2));
  std::vector<std::string> killers;
  for (const LogReport& kill : kills) killers.push_back(kill.killer);
  EXPECT_THAT(killers, testing::UnorderedElementsAre("earlyoom", "kernel"));
}

TEST(LogKillersTest, AnOpenKillEndsWithTime) {
  LogReader reader({.newest_unix_ns = 1'800'000'000'000'000'000});
  reader.line(
      "Feb 20 10:59:34 host earlyoom[1]: sending SIGTERM to process 7 uid 0 \"x\": badness 1");
  EXPECT_FALSE(reader.idle());
  reader.line("Feb 20 11:59:34 host cron[2]: hello");
  EXPECT_TRUE(reader.idle());
  EXPECT_THAT(reader.take(), SizeIs(1));
}

// ---------------------------------------------------------------- gfp

LogReport with_mask(const char* mask, const char* release) {
  const std::string header = std::string("[   10.000000] hog invoked oom-killer: gfp_mask=") +
                             mask + ", order=0, oom_score_adj=0";
  const std::string cpu =
      std::string("[   10.000001] CPU: 0 PID: 12 Comm: hog Not tainted ") + release + " #1";
  const auto reports =
      read({header, *release == '\0' ? "[   10.000001] Mem-Info:" : std::string_view(cpu),
            "[   10.000002] Out of memory: Kill process 12 (hog) score 6 or sacrifice child",
            "[   10.000003] Killed process 12 (hog) total-vm:4kB, anon-rss:4kB, file-rss:0kB"});
  return reports.empty() ? LogReport{} : reports[0];
}

TEST(LogGfpTest, MasksOfOldKernelsByName) {
  EXPECT_THAT(with_mask("0x201da", "3.10.0-957.el7.x86_64").invoker.gfp->flags,
              ElementsAre("GFP_HIGHUSER_MOVABLE", "__GFP_COLD"));
  EXPECT_THAT(with_mask("0xd0", "").invoker.gfp->flags, ElementsAre("GFP_KERNEL"));
}

TEST(LogGfpTest, AmbiguityIsSaid) {
  const LogReport report = with_mask("0x1000d0", "");
  EXPECT_THAT(report.invoker.gfp->flags, IsEmpty());
  EXPECT_THAT(report.missing.at("invoker.gfp.flags"), HasSubstr("0x100000 is __GFP_KMEMCG"));
}

TEST(LogGfpTest, NamesThatTheLogPrintsStay) {
  EXPECT_THAT(with_mask("0xcc0(GFP_OF_TOMORROW)", "9.9.0").invoker.gfp->flags,
              ElementsAre("GFP_OF_TOMORROW"));
}

}  // namespace
}  // namespace oomwitness
