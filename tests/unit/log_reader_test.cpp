// SPDX-License-Identifier: BSD-2-Clause
// Reports of every era in the prefixes of every logger: each pair must give the same.
#include "kernlog/log_reader.h"

#include <functional>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "assemble/log_incident.h"

namespace oomwitness {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::uint64_t kKib = 1024;

std::vector<LogReport> read(const std::vector<std::string>& lines, LogReaderOptions options = {}) {
  LogReader reader(std::move(options));
  for (const std::string& line : lines) reader.line(line);
  reader.flush();
  EXPECT_TRUE(reader.idle());
  return reader.take();
}

// A report as some kernels wrote it, and what is in it.
struct Era {
  const char* name;
  std::vector<std::string> lines;
  const char* invoker;
  std::uint64_t mask;
  std::uint64_t rows;
  std::uint64_t anon_kb = 0;  // 0: not told
  const char* memcg = nullptr;
  const char* cgroup = nullptr;
  const char* kernel = "";
};

std::ostream& operator<<(std::ostream& out, const Era& era) {
  return out << era.name;
}

// NOLINTNEXTLINE(readability-function-size): a table
std::vector<Era> eras() {
  return {
      {.name = "v2_6_8",
       .lines = {"oom-killer: gfp_mask=0xd0", "DMA per-cpu:",
                 "Free pages:       44kB (0kB HighMem)", "Out of Memory: Killed process 7 (hog)."},
       .invoker = nullptr,
       .mask = 0xd0,
       .rows = 0},
      {.name = "v2_6_28",
       .lines = {"a b invoked oom-killer: gfp_mask=0x80d0, order=0, oomkilladj=0",
                 "Pid: 5, comm: a b Tainted: P           2.6.28-14-generic #47-Ubuntu",
                 "Call Trace:", " [<c01916b5>] oom_kill_process+0x75/0x210",
                 "Mem-Info:", "Out of memory: kill process 7 (hog) score 75994 or a child",
                 "Killed process 7 (hog)"},
       .invoker = "a b",
       .mask = 0x80d0,
       .rows = 0,
       .kernel = "2.6.28-14-generic"},
      {.name = "rhel6",
       .lines =
           {"t invoked oom-killer: gfp_mask=0xd0, order=0, oom_adj=0, oom_score_adj=0",
            "t cpuset=/ mems_allowed=0", "Pid: 5, comm: t Not tainted 2.6.32-358.el6.x86_64 #1",
            "Call Trace:", " [<ffffffff8111ce40>] ? dump_header+0x90/0x1b0",
            "Task in /g/a killed as a result of limit of /g",
            "memory: usage 8kB, limit 8kB, failcnt 9",
            "memory+swap: usage 8kB, limit 9007199254740992kB, failcnt 0",
            "[ pid ]   uid  tgid total_vm      rss cpu oom_adj oom_score_adj name",
            "[    7]     3     7     3619      677   0       0             0 hog",
            "Memory cgroup out of memory: Kill process 7 (hog) score 1000 or sacrifice child",
            "Killed process 7, UID 3, (hog) total-vm:14476kB, anon-rss:1408kB, file-rss:1300kB"},
       .invoker = "t",
       .mask = 0xd0,
       .rows = 1,
       .anon_kb = 1408,
       .memcg = "/g",
       .cgroup = "/g/a",
       .kernel = "2.6.32-358.el6.x86_64"},
      {.name = "v4_8",
       .lines =
           {"t invoked oom-killer: gfp_mask=0x24000c0(GFP_KERNEL), order=0, oom_score_adj=0",
            "t cpuset=x mems_allowed=0",
            "CPU: 0 PID: 5 Comm: t Tainted: G           O    4.8.0-gentoo #2",
            "Task in /g killed as a result of limit of /g",
            "memory: usage 8kB, limit 8kB, failcnt 1",
            "Memory cgroup stats for /g: cache:0KB rss:8KB rss_huge:0KB",
            "[ pid ]   uid  tgid total_vm      rss nr_ptes nr_pmds swapents oom_score_adj name",
            "[    7]     0     7   530382     5191      34       4     5489             0 hog",
            "Memory cgroup out of memory: Kill process 7 (hog) score 1046 or sacrifice child",
            "Killed process 7 (hog) total-vm:2121528kB, anon-rss:20736kB, file-rss:28kB, "
            "shmem-rss:0kB",
            "oom_reaper: reaped process 7 (hog), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB"},
       .invoker = "t",
       .mask = 0x24000c0,
       .rows = 1,
       .anon_kb = 20736,
       .memcg = "/g",
       .cgroup = "/g",
       .kernel = "4.8.0-gentoo"},
      {.name = "v6_12",
       .lines =
           {"runc:[2:INIT] invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, "
            "oom_score_adj=0",
            "CPU: 1 UID: 0 PID: 5 Comm: runc:[2:INIT] Not tainted 6.12.1-amd64 #1  Debian",
            "Call Trace:", " <TASK>", " dump_header+0x4a/0x213", " oom_kill_process.cold+0xb/0x10",
            " </TASK>", "memory: usage 8kB, limit 8kB, failcnt 54",
            "swap: usage 0kB, limit 0kB, failcnt 0", "Memory cgroup stats for /g:", "anon 4096",
            "file 0", "Tasks state (memory values in pages):",
            "[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes "
            "swapents oom_score_adj name",
            "[      7]     3     7    15607     5668     5505        1      162    86016        0"
            "             0 hog",
            "[      8]     3     8       10        1        1        0        0     4096        0"
            "         -1000 (sd-pam)",
            "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=a,mems_allowed=0,"
            "oom_memcg=/g,task_memcg=/g/a,task=hog,pid=7,uid=3",
            "Memory cgroup out of memory: Killed process 7 (hog) total-vm:62428kB, "
            "anon-rss:22020kB, file-rss:4kB, shmem-rss:648kB, UID:3 pgtables:84kB oom_score_adj:0"},
       .invoker = "runc:[2:INIT]",
       .mask = 0xcc0,
       .rows = 2,
       .anon_kb = 22020,
       .memcg = "/g",
       .cgroup = "/g/a",
       .kernel = "6.12.1-amd64"},
  };
}

std::string json_escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

// How a logger writes a message.
struct Logger {
  const char* name;
  std::function<std::string(const std::string&)> write;  // may give several lines
};

std::ostream& operator<<(std::ostream& out, const Logger& logger) {
  return out << logger.name;
}

Logger with_front(const char* name, const std::string& front) {
  return {name, [front](const std::string& text) { return front + text; }};
}

// NOLINTNEXTLINE(readability-function-size): a table
std::vector<Logger> loggers() {
  return {
      with_front("bare", ""),
      with_front("indented", "    "),
      with_front("dmesg", "[15180285.537297] "),
      with_front("dmesg_early", "[    0.189015] "),
      with_front("dmesg_two_blanks", "\t[73963.996160]  "),
      with_front("caller", "[   30.424603][  T728] "),
      with_front("caller_apart", "[71073.562094] [T13546] "),
      with_front("delta", "[ 1234.567890 <    0.000004>] "),
      with_front("relative", "[  +0.000004] "),
      with_front("ctime", "[Thu Apr  1 16:45:10 2021] "),
      with_front("ctime_german", "[Di Aug 12 03:54:03 2025] "),
      with_front("ctime_chinese", "[\xe5\x9b\x9b 3\xe6\x9c\x88 18 18:47:12 2021] "),
      with_front("level", "<4>[    0.189015] "),
      with_front("kmsg", "6,30574067,3816544225424,-;"),
      with_front("kmsg_caller", "6,30574067,3816544225424,-,caller=T5;"),
      with_front("decoded", "kern  :warn  : [    1.234567] "),
      with_front("decoded_iso", "kern  :info  : 2025-01-21T08:41:30,287197+00:00 "),
      with_front("rfc3164", "Jun 20 12:47:02 host kernel: "),
      with_front("rfc3164_uptime", "Jan  5 15:19:27 host.example.org kernel: [ 5864.708440] "),
      with_front("rfc3164_no_host", "Jan  5 15:19:27 kernel: [ 5864.708440] "),
      with_front("rfc3164_year", "Jun 20 2024 12:47:02 host kernel: "),
      with_front("rfc3164_priority", "<4>Jun 20 12:47:02 host kernel: "),
      with_front("short_precise", "Jun 20 12:47:02.123456 host kernel: "),
      with_front("short_iso", "2026-09-19T17:27:56+0300 host kernel: "),
      with_front("short_iso_precise", "2026-09-19T17:27:56.877089+00:00 host kernel: "),
      with_front("short_full", "Thu 2021-04-01 16:45:10 CEST host kernel: "),
      with_front("short_unix", "1787068905.416344 host kernel: "),
      with_front("short_monotonic", "[ 5864.708440] host kernel: "),
      with_front("rfc5424", "<4>1 2014-05-17T14:22:02.000000+09:00 host kernel - - - "),
      with_front("rfc5424_data", "<4>1 2014-05-17T14:22:02Z host kernel - - [x@1 a=\"b\\]c\"] "),
      with_front("logread", "Tue Jul 29 06:26:59 2025 kern.info kernel: [161775.410289] "),
      with_front("busybox", "Jan  1 00:00:09 host kern.warn kernel: [    9.123456] "),
      with_front("tag", "kernel: "),
      with_front("host_and_tag", "host kernel: "),
      with_front("cri", "2016-10-06T00:17:09.669794202Z stdout F "),
      with_front("cri_dmesg", "2016-10-06T00:17:09.669794202Z stderr F [    9.123456] "),
      with_front("compose_quoted", "> >> [  663.593821] "),
      with_front("twice", "2023-01-05T10:11:12.000Z Jan  5 10:11:12 host kernel: [    9.123456] "),
      with_front("colour", "\x1b[32m[    9.123456] \x1b[0m"),
      {"carriage_return", [](const std::string& text) { return "[    9.123456] " + text + "\r"; }},
      {"trailing_blanks", [](const std::string& text) { return "[    9.123456] " + text + "  "; }},
      {"nul_bytes",
       [](const std::string& text) { return std::string(3, '\0') + "[    9.123456] " + text; }},
      {"docker",
       [](const std::string& text) {
         return "{\"log\":\"" + json_escaped(text) +
                "\\n\",\"stream\":\"stdout\",\"time\":\"2023-01-05T10:11:12.000000001Z\"}";
       }},
      {"journal_json",
       [](const std::string& text) {
         return R"({"__REALTIME_TIMESTAMP":"1790268964000000","_HOSTNAME":"host",)"
                R"("_TRANSPORT":"kernel","SYSLOG_IDENTIFIER":"kernel","MESSAGE":")" +
                json_escaped(text) + "\",\"PRIORITY\":\"4\"}";
       }},
      {"nested_json",
       [](const std::string& text) {
         return R"({"kubernetes":{"host":"node"},"fields":{"message":"[    9.123456] )" +
                json_escaped(text) + "\"}}";
       }},
      {"journal_export",
       [](const std::string& text) {
         return "__CURSOR=s=1;i=2\n__REALTIME_TIMESTAMP=1790268964000000\n_HOSTNAME=host\n"
                "_TRANSPORT=kernel\nMESSAGE=" +
                text + "\nPRIORITY=4\n";
       }},
      {"journal_verbose",
       [](const std::string& text) {
         return "Mon 2024-01-01 00:00:00.123456 CET [s=1;i=2;b=3;m=4;t=5;x=6]\n    PRIORITY=4\n"
                "    _TRANSPORT=kernel\n    MESSAGE=" +
                text;
       }},
  };
}

std::vector<std::string> written(const Era& era, const Logger& logger) {
  std::vector<std::string> lines;
  for (const std::string& message : era.lines) {
    std::string text = logger.write(message);
    for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n')) {
      lines.push_back(text.substr(0, end));
      text.erase(0, end + 1);
    }
    lines.push_back(text);
  }
  return lines;
}

class EveryEraInEveryLog : public ::testing::TestWithParam<std::tuple<Era, Logger>> {};

TEST_P(EveryEraInEveryLog, GivesTheSame) {
  const auto& [era, logger] = GetParam();
  const auto reports = read(written(era, logger));
  ASSERT_THAT(reports, SizeIs(1));
  const LogReport& report = reports[0];
  EXPECT_EQ(report.invoker.comm, era.invoker ? Opt<std::string>(era.invoker) : std::nullopt);
  EXPECT_EQ(report.invoker.tid, era.invoker ? Opt<std::uint32_t>(5) : std::nullopt);
  ASSERT_TRUE(report.invoker.gfp);
  EXPECT_EQ(report.invoker.gfp->mask, era.mask);
  EXPECT_EQ(report.host.kernel, era.kernel);
  EXPECT_EQ(report.candidates.listed.value_or(0), era.rows);
  EXPECT_EQ(report.scope.memcg ? report.scope.memcg->self.path.c_str() : "",
            std::string(era.memcg ? era.memcg : ""));
  if (era.memcg) {
    EXPECT_EQ(report.scope.constraint, "memcg");
    EXPECT_EQ(report.scope.memcg->self.limit_bytes, 8 * kKib);
  }
  ASSERT_THAT(report.victims, SizeIs(1));
  const Victim& victim = report.victims[0];
  EXPECT_EQ(victim.pid, 7U);
  EXPECT_EQ(victim.comm, "hog");
  EXPECT_EQ(victim.cgroup.value_or(""), era.cgroup ? era.cgroup : "");
  EXPECT_EQ(victim.memory.anon_rss_bytes,
            era.anon_kb ? Opt<std::uint64_t>(era.anon_kb * kKib) : std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(LogReader, EveryEraInEveryLog,
                         ::testing::Combine(::testing::ValuesIn(eras()),
                                            ::testing::ValuesIn(loggers())),
                         [](const auto& one) {
                           return std::string(std::get<0>(one.param).name) + "_in_" +
                                  std::get<1>(one.param).name;
                         });

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
  EXPECT_THAT(
      read({R"({"_TRANSPORT":"syslog","SYSLOG_IDENTIFIER":"kernel","MESSAGE":")" + kKill + "\"}"}),
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
      read({"lowmemorykiller: Killing '.networkupgrade' (6924), adj 705,",
            "Feb 20 10:59:34 debian earlyoom[10231]: sending SIGTERM to process 7378 uid 1",
            "systemd-oomd[1]: Killed /user.slice/a due to memory pressure for /user.slice",
            "Jan  1 00:00:00 h systemd[1]: x.scope: A process of this unit has been killed "
            "by the OOM killer.",
            "./run.sh: line 3:   519 Killed                  ./hog"});
  for (const LogReport& report : reports) EXPECT_NE(report.killer, "kernel");
}

TEST(LogReader, TwoHostsInOneLogDoNotMix) {
  const auto reports = read(
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
  const auto reports = read(
      {"[  1.000000][    T5] x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, "
       "oom_score_adj=0",
       "[  1.000001][    T6] memory: usage 4kB, limit 8kB, failcnt 1",
       "[  1.000002][    T5] Out of memory: Killed process 7 (hog) total-vm:4kB, anon-rss:1kB"});
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_FALSE(reports[0].scope.memcg);
}

TEST(LogReader, AReportFoldedByRsyslogIsUnfolded) {
  const auto reports =
      read({"Sep 29 08:12:34 h kernel: x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, "
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

// Each line of the report broken in two, at every place, with the blank there dropped as mail
// programs do: what comes out is right or absent.
TEST(LogReader, LinesBrokenAnywhereSayNothingWrong) {
  const Era era = eras().back();
  const auto whole = read(written(era, loggers()[2]));
  ASSERT_THAT(whole, SizeIs(1));
  for (std::size_t broken = 0; broken < era.lines.size(); ++broken) {
    for (std::size_t cut = 3; cut + 3 < era.lines[broken].size(); ++cut) {
      const std::string& line = era.lines[broken];
      const bool inside_name = line.substr(0, cut).ends_with("(h") || line[cut] == 'o';
      if (inside_name && line.find("hog") != std::string::npos) continue;
      std::vector<std::string> lines;
      for (std::size_t i = 0; i < era.lines.size(); ++i) {
        if (i != broken) {
          lines.push_back("[   30.424603] " + era.lines[i]);
          continue;
        }
        const std::size_t next = line[cut] == ' ' ? cut + 1 : cut;
        lines.push_back("[   30.424603] " + line.substr(0, cut));
        lines.push_back(line.substr(next));
      }
      SCOPED_TRACE(line.substr(0, cut) + " | " + line.substr(cut));
      const auto reports = read(lines);
      ASSERT_THAT(reports, SizeIs(1));
      const LogReport& report = reports[0];
      ASSERT_THAT(report.victims, SizeIs(1));
      EXPECT_EQ(report.victims[0].pid, 7U);
      const auto right_or_absent = [](const auto& found, const auto& wanted) {
        EXPECT_TRUE(!found || found == wanted);
      };
      const Memory& memory = report.victims[0].memory;
      const Memory& wanted = whole[0].victims[0].memory;
      right_or_absent(memory.total_vm_bytes, wanted.total_vm_bytes);
      right_or_absent(memory.anon_rss_bytes, wanted.anon_rss_bytes);
      right_or_absent(memory.shmem_rss_bytes, wanted.shmem_rss_bytes);
      right_or_absent(memory.pgtables_bytes, wanted.pgtables_bytes);
      right_or_absent(report.victims[0].uid, whole[0].victims[0].uid);
      right_or_absent(report.victims[0].oom_score_adj, whole[0].victims[0].oom_score_adj);
      right_or_absent(report.invoker.tid, whole[0].invoker.tid);
      right_or_absent(report.invoker.order, whole[0].invoker.order);
      if (report.invoker.gfp) {
        EXPECT_EQ(report.invoker.gfp, whole[0].invoker.gfp);
      }
      if (report.scope.memcg) {
        right_or_absent(report.scope.memcg->self.limit_bytes,
                        whole[0].scope.memcg->self.limit_bytes);
      }
      EXPECT_LE(report.candidates.listed.value_or(0), 2U);
    }
  }
}

TEST(LogReader, TheOldChoiceAndItsChildAreTwo) {
  const auto reports = read({"Out of memory: Kill process 5 (tmux) score 6 or sacrifice child",
                             "Killed process 9 (bash) total-vm:4kB, anon-rss:1kB, file-rss:0kB"});
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ(reports[0].selected->pid, 5U);
  EXPECT_EQ(reports[0].selected->score, 6);
  EXPECT_EQ(reports[0].victims[0].role, Role::kChild);
  EXPECT_FALSE(reports[0].victims[0].score);
}

TEST(LogReader, OldWordingTellsWhatWasExhausted) {
  EXPECT_EQ(read({"No available memory in cpuset: kill process 5 (x) score 1 or a child",
                  "Killed process 5 (x)"})[0]
                .scope.constraint,
            "cpuset");
  EXPECT_EQ(read({"No available memory (MPOL_BIND): kill process 5 (x) score 1 or a child",
                  "Killed process 5 (x)"})[0]
                .scope.constraint,
            "mempolicy");
}

TEST(LogReader, OnlyTheReaperNamesTheVictim) {
  const auto reports =
      read({"Task in /g/a killed as a result of limit of /g",
            "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
            "[      7]     0     7   178320     5602   131072        0          -997 main",
            "oom_reaper: reaped process 7 (main), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB"});
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ(reports[0].victims[0].pid, 7U);
  EXPECT_EQ(reports[0].victims[0].cgroup, "/g/a");
  EXPECT_FALSE(reports[0].victims[0].memory.anon_rss_bytes);
}

TEST(LogReader, AMemInfoOfAFailedAllocationIsNotTheKills) {
  const auto reports =
      read({"swapper: page allocation failure: order:9, mode:0x100cc2(GFP_HIGHUSER)",
            "Mem-Info:", "active_anon:1 inactive_anon:1 isolated_anon:0", "2048 pages RAM", kKill});
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_TRUE(reports[0].system.source.empty());
}

TEST(LogReader, TimesAreOfTheFirstLine) {
  LogReaderOptions options;
  options.newest_unix_ns = 1'750'000'000'000'000'000;  // June 2025
  const auto dated = [&](const std::string& front) {
    const auto reports = read({front + kKill}, options);
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
  const std::string id = incident_from_report(read({line}).at(0)).id;
  EXPECT_EQ(incident_from_report(read({line}, later).at(0)).id, id);
  EXPECT_NE(incident_from_report(read({"Jun 20 12:47:03" + line.substr(15)}).at(0)).id, id);
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
