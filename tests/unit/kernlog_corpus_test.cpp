// SPDX-License-Identifier: BSD-2-Clause
// Reports that real kernels wrote, kept outside the repository (OOMWITNESS_CORPUS). The expected
// values were read off the text by eye.
#include <filesystem>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernlog/log_reader.h"
#include "kernlog_fixture.h"

namespace oomwitness {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

constexpr std::uint64_t kKib = 1024;

std::filesystem::path corpus() {
  const char* const chosen = std::getenv("OOMWITNESS_CORPUS");
  return chosen != nullptr ? chosen : OW_CORPUS;
}

// One kind of kill, the same on every kernel.
struct Kind {
  const char* name;
  const char* constraint;
  const char* memcg = nullptr;  // whose limit was hit
  std::uint64_t limit_kb = 0;
  const char* invoker = "hog";
  const char* victim = "hog";
  const char* victim_cgroup = "/";
  const char* cpuset = "/";
  const char* mems_allowed = "0";
  const char* nodemask = nullptr;
  bool sysrq = false;
  bool allocating = false;
  bool group = false;
  int victim_adj = 0;
};

std::ostream& operator<<(std::ostream& out, const Kind& kind) {
  return out << kind.name;
}

class Provoked : public ::testing::TestWithParam<Kind> {};

std::vector<std::filesystem::path> logs_of(const std::string& kind) {
  std::vector<std::filesystem::path> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(corpus(), error)) {
    if (entry.path().filename().string().ends_with("-" + kind + ".txt")) {
      found.push_back(entry.path());
    }
  }
  return found;
}

void check_scope(const Scope& scope, const Kind& kind) {
  EXPECT_EQ(scope.constraint, kind.constraint);
  EXPECT_EQ(scope.cpuset, kind.cpuset);
  EXPECT_EQ(scope.mems_allowed, kind.mems_allowed);
  EXPECT_EQ(scope.nodemask,
            kind.nodemask ? std::optional<std::string>(kind.nodemask) : std::nullopt);
  EXPECT_EQ(scope.sysrq, kind.sysrq);
  EXPECT_EQ(scope.kill_allocating_task, kind.allocating);
  ASSERT_EQ(scope.memcg.has_value(), kind.memcg != nullptr);
  if (kind.memcg == nullptr) return;
  EXPECT_EQ(scope.memcg->self.path, kind.memcg);
  EXPECT_EQ(scope.memcg->self.limit_bytes, kind.limit_kb * kKib);
  EXPECT_EQ(scope.memcg->self.usage_bytes, kind.limit_kb * kKib);
  EXPECT_GT(scope.memcg->self.failcnt.value_or(0), 0U);
}

void check_report(const LogReport& report, const Kind& kind) {
  check_scope(report.scope, kind);
  EXPECT_EQ(report.invoker.order, kind.sysrq ? -1 : 0);
  EXPECT_TRUE(report.invoker.comm.value_or("").starts_with(kind.invoker));
  EXPECT_EQ(report.invoker.oom_score_adj, 0);
  ASSERT_TRUE(report.invoker.gfp);
  EXPECT_FALSE(report.invoker.gfp->flags.empty());
  EXPECT_TRUE(report.invoker.tid);
  EXPECT_FALSE(report.invoker.kernel_stack.empty());
  EXPECT_EQ(report.oom_group, kind.group);
  ASSERT_FALSE(report.victims.empty());
  const Victim& victim = report.victims.front();
  EXPECT_EQ(victim.comm, kind.victim);
  EXPECT_EQ(victim.cgroup, kind.victim_cgroup);
  EXPECT_EQ(victim.uid, 0U);
  EXPECT_EQ(victim.oom_score_adj, kind.victim_adj);
  EXPECT_EQ(victim.role, Role::kChosen);
  if (!kind.group) {
    EXPECT_THAT(report.victims, SizeIs(1));
  }
}

TEST_P(Provoked, reads_the_first_report_on_every_kernel) {
  const auto logs = logs_of(GetParam().name);
  if (logs.empty()) GTEST_SKIP() << "no logs in " << corpus() << " (set OOMWITNESS_CORPUS)";
  for (const auto& log : logs) {
    SCOPED_TRACE(log.string());
    const auto reports = parse_dmesg(read_text(log));
    ASSERT_FALSE(reports.empty());
    check_report(reports.front(), GetParam());
  }
}

INSTANTIATE_TEST_SUITE_P(
    kernlog, Provoked,
    ::testing::Values(
        Kind{.name = "memcg",
             .constraint = "memcg",
             .memcg = "/m1",
             .limit_kb = 20480,
             .victim_cgroup = "/m1",
             .cpuset = "m1"},
        Kind{.name = "memcgother",
             .constraint = "memcg",
             .memcg = "/m2",
             .limit_kb = 30720,
             .victim_cgroup = "/m2",
             .cpuset = "m2",
             .victim_adj = 900},
        Kind{.name = "threads",
             .constraint = "memcg",
             .memcg = "/t",
             .limit_kb = 20480,
             .invoker = "thog",
             .victim = "thog",
             .victim_cgroup = "/t",
             .cpuset = "t"},
        Kind{.name = "reaper",
             .constraint = "memcg",
             .memcg = "/rp",
             .limit_kb = 61440,
             .victim = "shog",
             .victim_cgroup = "/rp/a",
             .cpuset = "rp",
             .victim_adj = 900},
        Kind{.name = "v1memcg",
             .constraint = "memcg",
             .memcg = "/v1t",
             .limit_kb = 20480,
             .victim_cgroup = "/v1t"},
        Kind{.name = "group",
             .constraint = "memcg",
             .memcg = "/g",
             .limit_kb = 30720,
             .victim_cgroup = "/g",
             .cpuset = "g",
             .group = true},
        Kind{.name = "group5",
             .constraint = "memcg",
             .memcg = "/g",
             .limit_kb = 30720,
             .victim_cgroup = "/g",
             .cpuset = "g",
             .group = true},
        Kind{.name = "global", .constraint = "none"},
        Kind{.name = "alloc", .constraint = "none", .allocating = true},
        Kind{.name = "sysrq", .constraint = "none", .invoker = "kworker/0:", .sysrq = true},
        Kind{.name = "cpuset",
             .constraint = "cpuset",
             .victim_cgroup = "/cs",
             .cpuset = "cs",
             .mems_allowed = "1"},
        Kind{.name = "mpol",
             .constraint = "mempolicy",
             .invoker = "mhog",
             .victim = "mhog",
             .mems_allowed = "0-1",
             .nodemask = "1"}),
    [](const auto& one) { return one.param.name; });

class Corpus : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(corpus())) {
      GTEST_SKIP() << "no " << corpus() << " (set OOMWITNESS_CORPUS)";
    }
  }
  static std::string log(const std::string& name) { return read_text(corpus() / name); }
};

TEST_F(Corpus, a_group_kill_of_five_is_one_report) {
  const auto reports = parse_dmesg(log("oom-7.2-group5.txt"));
  ASSERT_THAT(reports, SizeIs(1));
  const LogReport& report = reports.front();
  EXPECT_EQ(report.at_ns, 4'947'572'000U);
  EXPECT_EQ(report.candidates.listed, 5U);
  EXPECT_TRUE(report.oom_group);
  EXPECT_EQ(report.scope.memcg->self.oom_group, true);
  EXPECT_EQ(report.scope.memcg->self.failcnt, 18U);
  EXPECT_EQ(report.scope.memcg->self.swap_usage_bytes, 0U);
  EXPECT_EQ(report.scope.memcg->self.swap_limit_bytes, 0U);
  EXPECT_FALSE(report.scope.memcg->self.swap_is_memsw);
  EXPECT_EQ(report.invoker.tid, 137U);
  EXPECT_EQ(report.invoker.pid, 137U);
  EXPECT_EQ(report.invoker.uid, 0U);
  EXPECT_EQ(report.invoker.gfp->mask, 0xcc0U);
  EXPECT_THAT(report.invoker.gfp->flags, ElementsAre("GFP_KERNEL"));
  EXPECT_EQ(report.invoker.kernel_stack.front().symbol, "oom_kill_process.cold+0xa/0xc1");
  EXPECT_EQ(report.invoker.kernel_stack.back().symbol, "asm_exc_page_fault+0x26/0x30");
  std::vector<std::uint32_t> pids;
  for (const Victim& victim : report.victims) pids.push_back(victim.pid.value_or(0));
  EXPECT_THAT(pids, ElementsAre(137, 132, 134, 133, 135));
  EXPECT_EQ(report.victims[1].role, Role::kGroup);
  EXPECT_EQ(report.victims[1].memory.anon_rss_bytes, 2096 * kKib);
  const Memory expected{.total_vm_bytes = 62428 * kKib,
                        .anon_rss_bytes = 22020 * kKib,
                        .file_rss_bytes = 4 * kKib,
                        .shmem_rss_bytes = 648 * kKib,
                        .swap_bytes = {},
                        .pgtables_bytes = 84 * kKib};
  EXPECT_EQ(report.victims[0].memory, expected);
  EXPECT_EQ(report.candidates.top[0].pid, 137U);
  EXPECT_EQ(report.candidates.top[0].memory.pgtables_bytes, 86016U);
  EXPECT_EQ(report.candidates.top[0].points, 5668 + 21);
  EXPECT_EQ(report.host.page_size_bytes, 4096U);
}

TEST_F(Corpus, cgroup_v1_has_memory_and_swap_in_one) {
  const auto reports = parse_dmesg(log("oom-5.10-v1memcg.txt"));
  ASSERT_THAT(reports, SizeIs(1));
  const MemcgLevel& level = reports.front().scope.memcg->self;
  EXPECT_EQ(level.failcnt, 23U);
  EXPECT_TRUE(level.swap_is_memsw);
  EXPECT_TRUE(level.swap_unlimited);
  EXPECT_FALSE(level.swap_limit_bytes);
  EXPECT_EQ(level.swap_usage_bytes, 20480 * kKib);
  EXPECT_FALSE(reports.front().invoker.uid);  // 5.10 does not print it
}

TEST_F(Corpus, gfp_flags_are_the_kernels_own) {
  const auto reports = parse_dmesg(log("oom-6.1-global.txt"));
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ(reports[0].invoker.gfp->mask, 0x140dcaU);
  EXPECT_THAT(reports[0].invoker.gfp->flags,
              ElementsAre("GFP_HIGHUSER_MOVABLE", "__GFP_COMP", "__GFP_ZERO"));
  EXPECT_EQ(reports[0].candidates.listed, 5U);
  EXPECT_EQ(reports[0].candidates.by_name[0].comm, "hog");
}

TEST_F(Corpus, two_kills_in_a_row_are_two_reports) {
  const auto reports = parse_dmesg(log("oom-7.2-reaper.txt"));
  ASSERT_THAT(reports, SizeIs(2));
  EXPECT_EQ(reports[0].victims[0].pid, 132U);
  EXPECT_EQ(reports[1].victims[0].pid, 135U);
  EXPECT_EQ(reports[1].scope.memcg->self.failcnt, 4252U);
  EXPECT_EQ(reports[1].candidates.listed, 1U);
}

TEST_F(Corpus, the_reaper_tells_when_the_memory_came_back) {
  const auto reports = parse_dmesg(log("oom-5.10-reaper.txt"));
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ(reports[0].victims[0].timeline.reaped_ns, 8'366'424'000U);
  EXPECT_EQ(reports[0].at_ns, 6'310'851'000U);
}

TEST_F(Corpus, nobody_to_kill_is_a_report_without_victims) {
  const std::string text = log("oom-5.10-none.txt");
  const auto reports = parse_dmesg(text);
  std::size_t told = 0;
  for (std::size_t at = text.find("no killable"); at != std::string::npos;
       at = text.find("no killable", at + 1)) {
    ++told;
  }
  std::size_t found = 0;
  for (const LogReport& report : reports) {
    EXPECT_TRUE(report.victims.empty());
    found += report.no_killable ? 1 : 0;
  }
  EXPECT_GT(told, 1U);
  EXPECT_EQ(found, told);
  EXPECT_EQ(reports[1].scope.constraint, "memcg");
  EXPECT_EQ(reports[1].scope.memcg->self.path, "/n");
  EXPECT_EQ(reports[1].invoker.oom_score_adj, -1000);
}

// The kill lines of a log, told apart by their pids, against the victims that come out of it as a
// file.
TEST_F(Corpus, every_kill_line_is_a_victim_and_nothing_else_is) {
  std::size_t logs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(corpus())) {
    if (entry.path().extension() != ".txt") continue;
    SCOPED_TRACE(entry.path().string());
    ++logs;
    std::multiset<std::string> told;
    LogReader reader;
    std::string group;  // pids of one group are told twice
    for (const std::string& line : split_lines(read_text(entry.path()))) {
      reader.line(line);
      constexpr std::string_view kKilled = "Killed process ";
      const std::size_t at = line.find(kKilled);
      if (at == std::string::npos) continue;
      const std::string pid = line.substr(
          at + kKilled.size(), line.find(' ', at + kKilled.size()) - at - kKilled.size());
      if (group.find(" " + pid + " ") == std::string::npos) told.insert(pid);
      group += " " + pid + " ";
    }
    reader.flush();
    std::multiset<std::string> found;
    for (const LogReport& report : reader.take()) {
      for (const Victim& victim : report.victims)
        found.insert(std::to_string(victim.pid.value_or(0)));
    }
    EXPECT_EQ(found, told);
  }
  EXPECT_GT(logs, 0U);
}

}  // namespace
}  // namespace oomwitness
