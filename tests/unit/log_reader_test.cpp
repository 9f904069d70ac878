// SPDX-License-Identifier: BSD-2-Clause
#include "kernlog/log_reader.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "assemble/log_incident.h"
#include "kernlog_fixture.h"

namespace oomwitness {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::uint64_t kKib = 1024;

const std::string kKill =
    "Out of memory: Killed process 7 (hog) total-vm:40kB, anon-rss:30kB, file-rss:20kB, "
    "shmem-rss:10kB, UID:5 pgtables:8kB oom_score_adj:-7";

TEST(LogReader, WhatUserSpaceLoggedIsNotTheKernels) {
  for (const std::string front :
       {"Jun 20 12:47:02 host sshd[12]: ", "Jun 20 12:47:02 host logger: ", "<12>[    1.234567] ",
        "12,5,123456,-;", "user  :notice: [    1.234567] ",
        "<13>1 2014-05-17T14:22:02Z host app - - - ",
        "<13>1 2014-05-17T14:22:02Z host kernel - - - ",
        "Tue Jul 29 06:26:59 2025 user.notice kernel: ", "[ 5864.708440] host sshd[12]: ",
        "1787068905.416344 host sshd[12]: ", "<13>Jun 20 12:47:02 host kernel: "}) {
    LogReader reader;
    reader.line(front + kKill);
    reader.flush();
    EXPECT_THAT(reader.take(), IsEmpty()) << front;
    EXPECT_EQ(reader.forged(), 1U) << front;
  }
  EXPECT_THAT(read_lines({R"({"_TRANSPORT":"syslog","SYSLOG_IDENTIFIER":"kernel","MESSAGE":")" +
                          kKill + "\"}"}),
              IsEmpty());
}

// Lines that begin like the one before are read as that was, but for what the program may be.
TEST(LogReader, AProgramsLineAfterAnUntaggedOneIsItsOwn) {
  LogReader reader;
  reader.line("Sep 13 15:31:25 host Mem-info:");
  reader.line("Sep 13 15:31:25 host sshd[12]: " + kKill);
  reader.flush();
  EXPECT_THAT(reader.take(), IsEmpty());
  EXPECT_EQ(reader.forged(), 1U);
}

TEST(LogReader, KillersOfUserSpaceAreNotTheKernel) {
  const auto reports =
      read_lines({"lowmemorykiller: Killing '.networkupgrade' (6924), adj 705,",
                  "Feb 20 10:59:34 debian earlyoom[10231]: sending SIGTERM to process 7378 uid 1",
                  "systemd-oomd[1]: Killed /user.slice/a due to memory pressure for /user.slice",
                  "Jan  1 00:00:00 h systemd[1]: x.scope: A process of this unit has been killed "
                  "by the OOM killer.",
                  "./run.sh: line 3:   519 Killed                  ./hog"});
  for (const LogReport& report : reports) EXPECT_NE(report.killer, "kernel");
}

TEST(LogReader, TwoHostsInOneLogDoNotMix) {
  const auto reports = read_lines(
      {"Jun 20 12:47:02 a kernel: x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=1, "
       "oom_score_adj=0",
       "Jun 20 12:47:02 b kernel: y invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=2, "
       "oom_score_adj=0",
       "Jun 20 12:47:03 a kernel: Out of memory: Killed process 1 (x) total-vm:4kB, anon-rss:1kB",
       "Jun 20 12:47:03 b kernel: Out of memory: Killed process 2 (y) total-vm:4kB, anon-rss:1kB"});
  ASSERT_THAT(reports, SizeIs(2));
  for (const LogReport& report : reports) {
    EXPECT_EQ(report.victims[0].comm, report.invoker.comm);
    EXPECT_EQ(report.host.name, report.invoker.order == 1 ? "a" : "b");
  }
}

TEST(LogReader, AnotherCpusLinesAreNotTheReports) {
  const auto reports = read_lines(
      {"[  1.000000][    T5] x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, "
       "oom_score_adj=0",
       "[  1.000001][    T6] memory: usage 4kB, limit 8kB, failcnt 1",
       "[  1.000002][    T5] Out of memory: Killed process 7 (hog) total-vm:4kB, anon-rss:1kB"});
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_FALSE(reports[0].scope.memcg);
}

TEST(LogReader, AReportFoldedByRsyslogIsUnfolded) {
  const auto reports = read_lines(
      {"Sep 29 08:12:34 h kernel: x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, "
       "oom_score_adj=0",
       "Sep 29 08:12:34 h kernel: active_anon:33632 inactive_anon:1327714 isolated_anon:0#012 "
       "active_file:43 inactive_file:127#012 free:20",
       "Sep 29 08:12:34 h kernel: Node 0 DMA free:900kB boost:0kB min:136kB low:168kB "
       "high:200kB present:15992kB managed:15360kB mlocked:0kB#012lowmem_reserve[]: 0 193",
       "Sep 29 08:12:34 h kernel: Node 0 DMA: 1*4kB (M) 2*8kB (UM) = 20kB",
       "Sep 29 08:12:34 h kernel: " + kKill});
  ASSERT_THAT(reports, SizeIs(1));
  const System& system = reports[0].system;
  EXPECT_EQ(system.meminfo_bytes.at("Active(anon)"), 33632 * 4 * kKib);
  EXPECT_EQ(system.meminfo_bytes.at("MemFree"), 20 * 4 * kKib);
  ASSERT_THAT(system.zones, SizeIs(1));
  EXPECT_EQ(system.zones[0].min_bytes, 136 * kKib);
  EXPECT_THAT(system.zones[0].lowmem_reserve_pages, ElementsAre(0, 193));
  EXPECT_THAT(system.zones[0].free_blocks, ElementsAre(1, 2));
  EXPECT_EQ(reports[0].host.page_size_bytes, 4096U);
}

TEST(LogReader, TheOldChoiceAndItsChildAreTwo) {
  const auto reports =
      read_lines({"Out of memory: Kill process 5 (tmux) score 6 or sacrifice child",
                  "Killed process 9 (bash) total-vm:4kB, anon-rss:1kB, file-rss:0kB"});
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ(reports[0].selected->pid, 5U);
  EXPECT_EQ(reports[0].selected->score, 6);
  EXPECT_EQ(reports[0].victims[0].role, Role::kChild);
  EXPECT_FALSE(reports[0].victims[0].score);
}

TEST(LogReader, OldWordingTellsWhatWasExhausted) {
  EXPECT_EQ(read_lines({"No available memory in cpuset: kill process 5 (x) score 1 or a child",
                        "Killed process 5 (x)"})[0]
                .scope.constraint,
            "cpuset");
  EXPECT_EQ(read_lines({"No available memory (MPOL_BIND): kill process 5 (x) score 1 or a child",
                        "Killed process 5 (x)"})[0]
                .scope.constraint,
            "mempolicy");
}

TEST(LogReader, OnlyTheReaperNamesTheVictim) {
  const auto reports = read_lines(
      {"Task in /g/a killed as a result of limit of /g",
       "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
       "[      7]     0     7   178320     5602   131072        0          -997 main",
       "oom_reaper: reaped process 7 (main), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB"});
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ(reports[0].victims[0].pid, 7U);
  EXPECT_EQ(reports[0].victims[0].cgroup, "/g/a");
  EXPECT_FALSE(reports[0].victims[0].memory.anon_rss_bytes);
}

TEST(LogReader, AMemInfoOfAFailedAllocationIsNotTheKills) {
  const auto reports = read_lines(
      {"swapper: page allocation failure: order:9, mode:0x100cc2(GFP_HIGHUSER)",
       "Mem-Info:", "active_anon:1 inactive_anon:1 isolated_anon:0", "2048 pages RAM", kKill});
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_TRUE(reports[0].system.source.empty());
}

TEST(LogReader, AReportEndsWithItsBoot) {
  const std::string head =
      "hog invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, "
      "oom_score_adj=0";
  const std::string start = "Linux version 6.1.0 (gcc)";
  const auto journal = [](char boot, const std::string& text) {
    return R"({"_TRANSPORT":"kernel","_BOOT_ID":")" + std::string(32, boot) + R"(","MESSAGE":")" +
           text + "\"}";
  };
  for (const std::vector<std::string>& lines :
       {std::vector<std::string>{"[ 5000.000001] " + head, "[    0.000000] " + start,
                                 "[    0.004001] x86/fpu: x87", "[   70.000001] " + kKill},
        {journal('a', head), journal('b', start), journal('b', kKill)}}) {
    const auto reports = read_lines(lines);
    ASSERT_THAT(reports, SizeIs(2));
    EXPECT_THAT(reports[0].victims, IsEmpty());
    ASSERT_THAT(reports[1].victims, SizeIs(1));
    EXPECT_FALSE(reports[1].invoker.comm);
  }
  // A stamp of another kind, or a damaged one, is no boot.
  EXPECT_THAT(
      read_lines({"[ 5000.000001] " + head, "[  500.000000] CPU: 1", "[ 5000.000001] " + kKill}),
      SizeIs(1));
}

TEST(LogReader, TimesAreOfTheFirstLine) {
  LogReaderOptions options;
  options.newest_unix_ns = 1'750'000'000'000'000'000;  // June 2025
  const auto dated = [&](const std::string& front) {
    const auto reports = read_lines({front + kKill}, options);
    return incident_from_report(reports.at(0)).time_unix_ns / 1'000'000'000;
  };
  EXPECT_EQ(dated("2023-01-05T10:11:12.5+02:00 h kernel: "), 1672906272);
  EXPECT_EQ(dated("Jan  5 10:11:12 h kernel: "), 1736071872);  // 2025
  EXPECT_EQ(dated("Dec  5 10:11:12 h kernel: "), 1733393472);  // 2024
  EXPECT_EQ(dated("Feb 29 10:11:12 h kernel: "), 1709201472);  // 2024
  EXPECT_EQ(dated("[    1.000000] "), 0);
  options.to_utc = [](std::int64_t civil_s) { return civil_s - 3600; };
  EXPECT_EQ(dated("[Thu Apr  1 16:45:10 2021] "), 1617291910);
  EXPECT_EQ(dated("1787068905.416344 h kernel: "), 1787068905);
}

TEST(LogReader, TheSameTextGivesTheSameId) {
  const std::string line = "Jun 20 12:47:02 h kernel: " + kKill;
  LogReaderOptions later;
  later.newest_unix_ns = 1'850'000'000'000'000'000;
  later.to_utc = [](std::int64_t civil_s) { return civil_s + 7200; };
  const std::string id = incident_from_report(read_lines({line}).at(0)).id;
  EXPECT_EQ(incident_from_report(read_lines({line}, later).at(0)).id, id);
  EXPECT_NE(incident_from_report(read_lines({"Jun 20 12:47:03" + line.substr(15)}).at(0)).id, id);
}

TEST(LogReader, IsIdleSoonAfterAReport) {
  LogReader reader;
  EXPECT_TRUE(reader.idle());
  reader.line("[    1.000000] " + kKill);
  EXPECT_FALSE(reader.idle());
  std::size_t lines = 0;
  while (!reader.idle() && lines < 1000) {
    reader.line("[    1.000000] eth0: link up");
    ++lines;
  }
  EXPECT_LT(lines, 100U);
  EXPECT_THAT(reader.take(), SizeIs(1));
  reader.line("[    2.000000] " + kKill);
  reader.line("[   20.000000] eth0: link up");
  reader.line("[   20.000000] eth0: link up");
  EXPECT_TRUE(reader.idle());
}

}  // namespace
}  // namespace oomwitness
