// SPDX-License-Identifier: BSD-2-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "capture/kmsg.h"
#include "kernlog_fixture.h"

namespace oomwitness {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::uint64_t kKib = 1024;
constexpr std::uint64_t kSecond = 1'000'000'000;

const std::string kHead =
    "hog invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0";
const std::string kTable =
    "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name";
const std::string kSummary =
    "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=g,mems_allowed=0,oom_memcg=/g,"
    "task_memcg=/g/a,task=hog,pid=7,uid=5";
const std::string kStatsOf = "Memory cgroup stats for /g:";
const std::string kNone = "Out of memory and no killable processes...";

std::string kill_of(std::uint32_t pid, const std::string& comm = "hog") {
  return "Memory cgroup out of memory: Killed process " + std::to_string(pid) + " (" + comm +
         ") total-vm:40kB, anon-rss:30kB, file-rss:20kB, shmem-rss:10kB, UID:5 pgtables:8kB "
         "oom_score_adj:-7";
}
std::string group_of(const std::string& path) {
  return "Tasks in " + path + " are going to be killed due to memory.oom.group set";
}

std::vector<std::uint32_t> pids(const LogReport& report) {
  std::vector<std::uint32_t> out;
  for (const Victim& victim : report.victims) out.push_back(victim.pid.value_or(0));
  return out;
}

LogReport only(const std::vector<std::string>& messages) {
  auto reports = parse_messages(messages);
  EXPECT_THAT(reports, SizeIs(1));
  return reports.empty() ? LogReport{} : std::move(reports.front());
}

std::vector<LogReport> parse_kmsg_file(const std::string& name) {
  LogParser parser;
  for (const std::string& raw : split_lines(read_text(OW_TEST_DATA "/kernlog/" + name))) {
    const auto record = parse_kmsg_record(raw);
    EXPECT_TRUE(record) << raw;
    if (record) parser.line(record->at_ns, record->text);
  }
  parser.flush();
  return parser.take();
}

TEST(kernlog, reads_a_report_of_cgroup_v1) {
  const auto reports = parse_kmsg_file("memcg-v1.kmsg");
  ASSERT_THAT(reports, SizeIs(1));
  const LogReport& report = reports[0];
  EXPECT_EQ(report.scope.memcg->self.path, "/owk-plain");
  EXPECT_EQ(report.scope.memcg->self.limit_bytes, 24576 * kKib);
  EXPECT_EQ(report.scope.memcg->self.failcnt, 19U);
  EXPECT_EQ(report.invoker.oom_score_adj, 1000);
  EXPECT_EQ(report.invoker.tid, 2083U);
  EXPECT_EQ(report.invoker.uid, 0U);
  EXPECT_EQ(report.invoker.kernel_stack.front().symbol, "oom_kill_process.cold+0x8/0x8a");
  EXPECT_EQ(report.victims[0].cgroup, "/owk-plain");
  EXPECT_EQ(report.candidates.listed, 1U);
}

// A cgroup "/owk,task_memcg=/v,task=x" under the limit of "/owk,task_memcg=", and a process
// named "h)\n,pid=1,uid=0" in it.
TEST(kernlog, names_made_to_mislead_do_not) {
  const auto reports = parse_kmsg_file("hostile-v1.kmsg");
  ASSERT_THAT(reports, SizeIs(1));
  const LogReport& report = reports[0];
  const std::string comm = "h)\n,pid=1,uid=0";
  EXPECT_EQ(report.scope.memcg->self.path, "/owk,task_memcg=");
  EXPECT_EQ(report.scope.memcg->self.usage_bytes, 24576 * kKib);
  EXPECT_EQ(report.scope.cpuset, "/");
  EXPECT_EQ(report.scope.mems_allowed, "0");
  EXPECT_EQ(report.invoker.comm, comm);
  EXPECT_EQ(report.invoker.pid, 2041U);
  ASSERT_THAT(report.victims, SizeIs(1));
  EXPECT_EQ(report.victims[0].pid, 2041U);
  EXPECT_EQ(report.victims[0].comm, comm);
  EXPECT_EQ(report.victims[0].cgroup, "/owk,task_memcg=/v,task=x");
  EXPECT_EQ(report.victims[0].memory.anon_rss_bytes, 31608 * kKib);
  EXPECT_EQ(report.victims[0].oom_score_adj, 1000);
  EXPECT_EQ(report.candidates.top[0].comm, comm);
}

TEST(kernlog, a_kill_line_without_a_head_is_a_report) {
  const LogReport report = only({kill_of(7)});
  EXPECT_EQ(report.scope.constraint, "memcg");
  EXPECT_FALSE(report.scope.memcg);
  EXPECT_FALSE(report.scope.sysrq);
  EXPECT_FALSE(report.invoker.comm);
  EXPECT_FALSE(report.candidates.listed);
  EXPECT_EQ(report.victims[0].uid, 5U);
  EXPECT_EQ(report.victims[0].oom_score_adj, -7);
  EXPECT_EQ(report.victims[0].memory.total_vm_bytes, 40 * kKib);
  EXPECT_EQ(report.victims[0].memory.pgtables_bytes, 8 * kKib);
  EXPECT_THAT(parse_messages({kill_of(7), kill_of(8), kill_of(9)}), SizeIs(3));
}

TEST(kernlog, the_first_of_a_group_is_told_twice_and_counted_once) {
  const LogReport report =
      only({kHead, kSummary, kill_of(7), group_of("/g"), kill_of(5), kill_of(7), kill_of(6)});
  EXPECT_TRUE(report.oom_group);
  EXPECT_THAT(pids(report), ElementsAre(7, 5, 6));
  EXPECT_EQ(report.victims[0].role, Role::kChosen);
  EXPECT_EQ(report.victims[2].role, Role::kGroup);
  EXPECT_EQ(report.scope.memcg->self.oom_group, true);
}

TEST(kernlog, the_oom_group_of_a_cgroup_below_is_not_that_of_the_limit) {
  const LogReport report = only({kHead, kSummary, kill_of(7), group_of("/g/a"), kill_of(7)});
  EXPECT_TRUE(report.oom_group);
  EXPECT_FALSE(report.scope.memcg->self.oom_group);
}

TEST(kernlog, groups_without_heads_come_apart) {
  const auto reports = parse_messages({kill_of(1), group_of("/g"), kill_of(2), kill_of(1),
                                       kill_of(3), group_of("/h"), kill_of(4), kill_of(3)});
  ASSERT_THAT(reports, SizeIs(2));
  EXPECT_THAT(pids(reports[0]), ElementsAre(1, 2));
  EXPECT_THAT(pids(reports[1]), ElementsAre(3, 4));
  EXPECT_EQ(reports[1].victims[0].role, Role::kChosen);
  EXPECT_EQ(reports[1].scope.constraint, "memcg");
}

TEST(kernlog, a_kill_long_after_a_group_is_another) {
  LogParser parser;
  parser.line(kSecond, kill_of(1));
  parser.line(kSecond, group_of("/g"));
  parser.line(2 * kSecond, kill_of(2));
  parser.line(3 * kSecond + 1, kill_of(3));
  parser.flush();
  EXPECT_THAT(parser.take(), SizeIs(2));
}

TEST(kernlog, a_report_is_complete_when_the_next_begins) {
  LogParser parser;
  parser.line(1, kHead);
  EXPECT_FALSE(parser.settled());
  parser.line(2, kill_of(7));
  EXPECT_TRUE(parser.settled());
  EXPECT_THAT(parser.take(), IsEmpty());
  parser.line(3, kHead);
  EXPECT_FALSE(parser.settled());
  EXPECT_THAT(parser.take(), SizeIs(1));
  EXPECT_THAT(parser.take(), IsEmpty());
  parser.flush();
  EXPECT_THAT(parser.take(), SizeIs(1));
  parser.flush();
  EXPECT_THAT(parser.take(), IsEmpty());
}

TEST(kernlog, lines_of_others_between_change_nothing) {
  const auto reports = parse_messages(
      {"eth0: link up", kHead, "CPU: 3 PID: 99 Comm: other Not tainted 6.1.0", "usb 1-1: reset",
       "CPU: 1 PID: 7 Comm: hog Not tainted 6.1.0", "memory: usage 4kB, limit 8kB, failcnt 1",
       kStatsOf, "anon 12", kTable, "audit: type=1400",
       "[     7]     5     7      10        8     4096        1           -17 hog",
       "[     8]     0     8       9        8     4096        1             0  b 1 ", kSummary,
       "EXT4-fs: mounted", kill_of(7), "eth0: link down",
       "oom_reaper: reaped process 9 (x), now anon-rss:0kB"});
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ(reports[0].invoker.tid, 7U);
  EXPECT_FALSE(reports[0].invoker.uid);
  EXPECT_EQ(reports[0].candidates.listed, 2U);
  // The kill line has kB where the table has pages.
  EXPECT_EQ(reports[0].host.page_size_bytes, 4096U);
  const auto& top = reports[0].candidates.top;
  EXPECT_EQ(top[0].oom_score_adj, -17);
  EXPECT_EQ(top[0].memory.swap_bytes, 4096U);
  EXPECT_EQ(top[1].comm, " b 1 ");
  EXPECT_EQ(reports[0].scope.memcg->self.usage_bytes, 4096U);
  EXPECT_EQ(reports[0].victims[0].cgroup, "/g/a");
}

TEST(kernlog, a_thread_that_outlived_its_leader_is_named_by_its_process) {
  const LogReport report = only(
      {kHead, kTable, "[    70]     5     7       9        8     4096        0             0 hog",
       kSummary, kill_of(70)});
  EXPECT_EQ(report.victims[0].pid, 7U);
  EXPECT_EQ(report.victims[0].tid, 70U);
  EXPECT_EQ(report.victims[0].cgroup, "/g/a");
}

TEST(kernlog, a_kill_of_somebody_else_does_not_end_a_report_with_a_table) {
  const auto reports = parse_messages({kHead, kTable, kSummary, kill_of(8)});
  ASSERT_THAT(reports, SizeIs(2));
  EXPECT_THAT(pids(reports[0]), ElementsAre(7));  // as the summary says
  EXPECT_EQ(reports[0].victims[0].uid, 5U);
  EXPECT_FALSE(reports[0].victims[0].memory.anon_rss_bytes);
  EXPECT_THAT(pids(reports[1]), ElementsAre(8));
}

TEST(kernlog, a_summary_cut_by_another_message_is_joined) {
  const LogReport report =
      only({kHead, "oom-kill:constraint=CONSTRAINT_CPUSET,nodemask=0-1,3", "eth0: link up",
            ",cpuset=a,b,mems_allowed=0,2", ",global_oom,task_memcg=", "/x",
            ",task=hog,pid=7,uid=5", kill_of(7)});
  EXPECT_EQ(report.scope.constraint, "cpuset");
  EXPECT_EQ(report.scope.nodemask, "0-1,3");
  EXPECT_EQ(report.scope.cpuset, "a,b");
  EXPECT_EQ(report.scope.mems_allowed, "0,2");
  EXPECT_EQ(report.victims[0].cgroup, "/x");
}

TEST(kernlog, a_summary_of_several_readings_keeps_only_what_they_share) {
  const std::string text =
      "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=a,mems_allowed=0,"
      "mems_allowed=0-3,oom_memcg=/g,task_memcg=/g/b,task=c,task=hog,pid=7,uid=5";
  const LogReport unsure = only({text});
  EXPECT_EQ(unsure.scope.cpuset, "a,mems_allowed=0");
  EXPECT_EQ(unsure.scope.mems_allowed, "0-3");
  EXPECT_EQ(unsure.scope.memcg->self.path, "/g");
  EXPECT_EQ(unsure.victims[0].pid, 7U);
  EXPECT_EQ(unsure.victims[0].uid, 5U);
  EXPECT_FALSE(unsure.victims[0].comm);
  EXPECT_FALSE(unsure.victims[0].cgroup);
  const LogReport told = only({text, kill_of(7, "c,task=hog")});
  EXPECT_EQ(told.victims[0].cgroup, "/g/b");
  const LogReport other = only({text, kill_of(7)});
  EXPECT_EQ(other.victims[0].cgroup, "/g/b,task=c");
}

TEST(kernlog, reads_5_0_to_5_2_without_cpuset_and_with_their_wrong_constraint) {
  const LogReport report = only(
      {"oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),oom_memcg=/g,task_memcg=/g,task=hog,"
       "pid=7,uid=0",
       "Memory cgroup out of memory: Killed process 7 (hog) total-vm:4kB, anon-rss:3kB, "
       "file-rss:2kB, shmem-rss:0kB"});
  EXPECT_EQ(report.scope.constraint, "memcg");
  EXPECT_FALSE(report.scope.cpuset);
  EXPECT_EQ(report.victims[0].memory.anon_rss_bytes, 3 * kKib);
  EXPECT_EQ(report.victims[0].uid, 0U);
  EXPECT_FALSE(report.victims[0].oom_score_adj);
}

TEST(kernlog, an_unknown_constraint_is_kept_as_it_is) {
  EXPECT_EQ(only({"oom-kill:constraint=CONSTRAINT_NEW,nodemask=(null),task=a,pid=7,uid=0"})
                .scope.constraint,
            "CONSTRAINT_NEW");
}

TEST(kernlog, comms_may_look_like_the_words_around_them) {
  for (const std::string comm : {") total-vm:1kB,", "(sd-pam)", ",task=a,pid=1,u", "", " ", "a b",
                                 "Killed process ", "Out of memory: ", "\n[ 1.0] x: y"}) {
    SCOPED_TRACE(comm);
    const LogReport report =
        only({comm + kHead.substr(3),
              "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,"
              "global_oom,task_memcg=/,task=" +
                  comm + ",pid=7,uid=0",
              kill_of(7, comm)});
    EXPECT_EQ(report.invoker.comm, comm);
    EXPECT_EQ(report.victims[0].comm, comm);
    EXPECT_EQ(report.victims[0].cgroup, "/");
  }
}

TEST(kernlog, a_path_cannot_pose_as_another_line) {
  EXPECT_THAT(parse_messages({"Memory cgroup stats for /x invoked oom-killer: gfp_mask=0x0(), "
                              "order=0, oom_score_adj=0"}),
              IsEmpty());
  EXPECT_THAT(
      parse_messages({"foo: Memory cgroup out of memory: Killed process 1 (a) total-vm:1kB"}),
      IsEmpty());
  EXPECT_THAT(parse_messages({"oom_reaper: reaped process 7 (x), now anon-rss:0kB"}), IsEmpty());
}

TEST(kernlog, panics_and_having_nobody_to_kill_are_reports_without_victims) {
  const LogReport none =
      only({kHead, kNone, "Kernel panic - not syncing: System is deadlocked on memory"});
  EXPECT_TRUE(none.no_killable);
  EXPECT_EQ(none.panic, "System is deadlocked on memory");
  EXPECT_THAT(none.victims, IsEmpty());
  const LogReport panic = only(
      {kHead, "Kernel panic - not syncing: Out of memory: system-wide panic_on_oom is enabled"});
  EXPECT_EQ(panic.panic, "Out of memory: system-wide panic_on_oom is enabled");
  EXPECT_THAT(parse_messages({"Kernel panic - not syncing: Attempted to kill init!"}), IsEmpty());
  EXPECT_THAT(parse_messages({kNone, kNone, kill_of(1)}), SizeIs(3));
}

TEST(kernlog, numbers_too_big_are_absent) {
  const LogReport report =
      only({"Out of memory: Killed process 7 (x) total-vm:99999999999999999999kB, "
            "anon-rss:18014398509481984kB, file-rss:1MB, shmem-rss:-1kB, UID:-1 pgtables:4kB "
            "oom_score_adj:1x"});
  EXPECT_EQ(report.victims[0].memory, (Memory{.total_vm_bytes = {},
                                              .anon_rss_bytes = {},
                                              .file_rss_bytes = {},
                                              .shmem_rss_bytes = {},
                                              .swap_bytes = {},
                                              .pgtables_bytes = 4096}));
  EXPECT_FALSE(report.victims[0].uid);
  EXPECT_FALSE(report.victims[0].oom_score_adj);
  EXPECT_THAT(parse_messages({"Killed process 99999999999 (x)", "Killed process 0 (x)"}),
              IsEmpty());
}

TEST(kernlog, no_cut_of_a_line_crashes_or_changes_the_pid) {
  const std::vector<std::string> lines = {kHead,      kStatsOf,       kTable, kSummary,
                                          kill_of(7), group_of("/g"), kNone};
  for (std::size_t cut = 0; cut < lines.size(); ++cut) {
    for (std::size_t size = 0; size <= lines[cut].size(); ++size) {
      auto damaged = lines;
      damaged[cut].resize(size);
      for (const LogReport& report : parse_messages(damaged)) {
        for (const Victim& victim : report.victims) EXPECT_EQ(victim.pid, 7U);
        if (report.scope.memcg) {
          EXPECT_EQ(report.scope.memcg->self.path, "/g");
        }
      }
    }
  }
}

}  // namespace
}  // namespace oomwitness
