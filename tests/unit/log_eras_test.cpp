// SPDX-License-Identifier: BSD-2-Clause
// Reports of every era in the prefixes of every logger: each pair must give the same.
#include <functional>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernlog_fixture.h"

namespace oomwitness {
namespace {

using ::testing::SizeIs;

constexpr std::uint64_t kKib = 1024;

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
  const auto reports = read_lines(written(era, logger));
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

// Each line of the report broken in two, at every place, with the blank there dropped as mail
// programs do: what comes out is right or absent.
TEST(LogReader, LinesBrokenAnywhereSayNothingWrong) {
  const Era era = eras().back();
  const auto whole = read_lines(written(era, loggers()[2]));
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
      const auto reports = read_lines(lines);
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

}  // namespace
}  // namespace oomwitness
