// SPDX-License-Identifier: BSD-2-Clause
#include <unistd.h>

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "enrich/procfs.h"
#include "enrich_tree.h"

namespace oomwitness {
namespace {

using test::MadeProcess;
using test::MadeTree;
using test::make_process;
using test::stat_line;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(ProcStatTest, ReadsTheFieldsByTheirNumbers) {
  MadeProcess process{.pid = 42, .ppid = 7, .comm = "mongod"};
  process.arg_end = process.arg_start + 17;
  const auto stat = parse_proc_stat(stat_line(process));
  ASSERT_TRUE(stat) << stat.error().message();
  EXPECT_EQ(stat->pid, 42U);
  EXPECT_EQ(stat->ppid, 7U);
  EXPECT_EQ(stat->comm, "mongod");
  EXPECT_EQ(stat->state, 'S');
  EXPECT_EQ(stat->start_ticks, 5000U);
  EXPECT_EQ(stat->arg_end - stat->arg_start, 17U);
  EXPECT_FALSE(stat->exiting());
}

TEST(ProcStatTest, CommMayHoldAnything) {
  for (const std::string comm : {"a) S 1 2 3", "(", ")", "x\ny", ") (", "\x1b[2J\xff", ""}) {
    const auto stat = parse_proc_stat(stat_line({.pid = 9, .comm = comm}));
    ASSERT_TRUE(stat) << comm;
    EXPECT_EQ(stat->comm, comm);
    EXPECT_EQ(stat->start_ticks, 5000U) << comm;
  }
}

TEST(ProcStatTest, EveryTruncationOfALineIsAnErrorOrTheSameFacts) {
  const std::string line = stat_line({.pid = 42, .comm = "a) b"});
  const std::size_t after_start = line.find(" 5000 ") + 6;
  for (std::size_t size = 0; size < line.size(); ++size) {
    const auto stat = parse_proc_stat(std::string_view(line).substr(0, size));
    if (!stat) continue;
    // A cut number cannot be told from a short one; the kernel's read is never cut there.
    if (size >= after_start) {
      EXPECT_EQ(stat->start_ticks, 5000U) << size;
    }
  }
  EXPECT_FALSE(parse_proc_stat("42 (a) S 1 2"));
  EXPECT_FALSE(parse_proc_stat("x (a) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20"));
}

TEST(ProcStatTest, ZombiesAndExitingTasksAreExiting) {
  EXPECT_TRUE(parse_proc_stat(stat_line({.pid = 1, .state = 'Z'}))->exiting());
  EXPECT_TRUE(parse_proc_stat(stat_line({.pid = 1, .flags = 0x400004}))->exiting());
}

TEST(ProcStatusTest, ReadsNamePidsAndUid) {
  const auto status = parse_proc_status(
      "Name:\ta\\nPPid:\\t9\nUmask:\t0022\nPid:\t5\nPPid:\t3\nUid:\t1000\t0\t0\t0\n"
      "NSpid:\t300\t12\t1\n");
  EXPECT_EQ(status.name, "a\\nPPid:\\t9");
  EXPECT_EQ(status.ppid, 3U);
  EXPECT_EQ(status.uid, 1000U);
  EXPECT_THAT(status.ns_pids, ElementsAre(300, 12, 1));
  EXPECT_FALSE(parse_proc_status("").uid);
}

TEST(SplitCmdlineTest, KeepsEmptyArgumentsAndAnUnterminatedLastOne) {
  using namespace std::string_literals;
  EXPECT_THAT(split_cmdline(""), IsEmpty());
  EXPECT_THAT(split_cmdline("\0"s), ElementsAre(""));
  EXPECT_THAT(split_cmdline("a\0b c\0"s), ElementsAre("a", "b c"));
  EXPECT_THAT(split_cmdline("a\0\0b\0"s), ElementsAre("a", "", "b"));
  EXPECT_THAT(split_cmdline("nginx: worker"s), ElementsAre("nginx: worker"));
  EXPECT_THAT(split_cmdline("a\0\n\x1b\xff"s), ElementsAre("a", "\n\x1b\xff"));
}

TEST(ProcCgroupTest, TellsTheHierarchiesApart) {
  struct Case {
    const char* text = "";
    Opt<std::string> memory_v1, systemd_v1, v2;
  };
  const Case cases[] = {
      {"0::/user.slice/a.scope\n", {}, {}, "/user.slice/a.scope"},
      {"4:cpu,cpuacct:/x\n3:memory:/m\n1:name=systemd:/s\n", "/m", "/s", {}},
      {"5:hugetlb,memory:/m\n1:name=systemd:/s\n0::/u\n", "/m", "/s", "/u"},
      {"0::/a:b:c/d\n", {}, {}, "/a:b:c/d"},
      {"0::/gone (deleted)\n", {}, {}, "/gone"},
      {"3:memory:/kept (deleted)\n", "/kept (deleted)", {}, {}},
      {"3:memoryx:/m\nnonsense\n7:memory\n:memory:/a\n", {}, {}, {}},
      {"", {}, {}, {}},
  };
  for (const Case& c : cases) {
    const auto found = parse_proc_cgroup(c.text);
    EXPECT_EQ(found.memory_v1, c.memory_v1) << c.text;
    EXPECT_EQ(found.systemd_v1, c.systemd_v1) << c.text;
    EXPECT_EQ(found.v2, c.v2) << c.text;
  }
}

TEST(SplitExeTest, TakesTheDeletedMarkOff) {
  EXPECT_EQ(split_exe("/bin/x (deleted)").path, "/bin/x");
  EXPECT_TRUE(split_exe("/bin/x (deleted)").deleted);
  EXPECT_FALSE(split_exe("/bin/x (deleted).bak").deleted);
}

TEST(SameStartTest, ComparesTicksOfAHundredthOfASecond) {
  EXPECT_TRUE(same_start(50'000'000'000, 5000));
  EXPECT_TRUE(same_start(50'009'999'999, 5000));
  EXPECT_FALSE(same_start(50'010'000'000, 5000));
  EXPECT_FALSE(same_start(49'999'999'999, 5000));
}

class ProcDirTest : public testing::Test {
 protected:
  ProcDir open(const MadeProcess& process) {
    make_process(tree_, process);
    auto dir = ProcDir::open(tree_.roots(), process.pid);
    EXPECT_TRUE(dir);
    return std::move(*dir);
  }
  MadeTree tree_;
};

TEST_F(ProcDirTest, AnEmptyArgvIsPresentAndEmpty) {
  const auto cmdline = open({.pid = 5}).cmdline();
  ASSERT_TRUE(cmdline);
  EXPECT_THAT(cmdline->args, IsEmpty());
  EXPECT_EQ(cmdline->full_bytes, 0U);
}

TEST_F(ProcDirTest, ALostArgvIsNotAnEmptyOne) {
  // The pages are gone, the addresses are not.
  MadeProcess reaped{.pid = 5};
  reaped.arg_end = reaped.arg_start + 30;
  EXPECT_FALSE(open(reaped).cmdline());
  // The mm is gone: the kernel shows 0 for its addresses.
  const MadeProcess dead{.pid = 6, .state = 'Z', .arg_start = 0, .arg_end = 0};
  const auto cmdline = open(dead).cmdline();
  ASSERT_FALSE(cmdline);
  EXPECT_THAT(cmdline.error().message(), HasSubstr("given up its memory"));
}

TEST_F(ProcDirTest, ALongArgvIsCutAndItsSizeKept) {
  MadeProcess process{.pid = 5};
  process.cmdline = "java";
  process.cmdline += '\0';
  process.cmdline.append(std::size_t{4} << 20U, 'x');
  process.arg_end = process.arg_start + process.cmdline.size();
  const auto cmdline = open(process).cmdline();
  ASSERT_TRUE(cmdline);
  ASSERT_THAT(cmdline->args, SizeIs(2));
  EXPECT_EQ(cmdline->args[0], "java");
  EXPECT_EQ(cmdline->args[1].size(), kMaxCmdlineBytes - 5);
  EXPECT_EQ(cmdline->full_bytes, process.cmdline.size());
}

TEST_F(ProcDirTest, ExeThatIsGone) {
  const auto dir = open({.pid = 5, .exe = "/opt/app (deleted)"});
  const auto exe = dir.exe();
  ASSERT_TRUE(exe);
  EXPECT_EQ(exe->path, "/opt/app");
  EXPECT_TRUE(exe->deleted);
  EXPECT_FALSE(open({.pid = 6, .exe = ""}).exe());
}

TEST_F(ProcDirTest, NoSuchProcessNamesThePath) {
  const auto dir = ProcDir::open(tree_.roots(), 77);
  ASSERT_FALSE(dir);
  EXPECT_THAT(dir.error().message(), HasSubstr("/77"));
}

TEST_F(ProcDirTest, ReadsThisProcess) {
  const auto dir = ProcDir::open(Roots{}, static_cast<std::uint32_t>(::getpid()));
  ASSERT_TRUE(dir);
  EXPECT_EQ(dir->stat()->ppid, static_cast<std::uint32_t>(::getppid()));
  EXPECT_EQ(dir->status()->uid, ::getuid());
  EXPECT_THAT(dir->cmdline()->args[0], HasSubstr("enrich_procfs_test"));
  EXPECT_THAT(dir->exe()->path, HasSubstr("enrich_procfs_test"));
}

TEST_F(ProcDirTest, AncestryIsBoundedAndStopsAtAReusedPid) {
  for (std::uint32_t pid = 10; pid < 30; ++pid)
    make_process(tree_, {.pid = pid,
                         .ppid = pid + 1,
                         .comm = "p" + std::to_string(pid),
                         .start_ticks = 4000 - pid});
  const auto child = parse_proc_stat(stat_line({.pid = 9, .ppid = 10}));
  const auto ancestry = read_ancestry(tree_.roots(), *child);
  ASSERT_THAT(ancestry, SizeIs(kMaxAncestors));
  EXPECT_EQ(ancestry[0].pid, 10U);
  EXPECT_EQ(ancestry[0].comm, "p10");
  EXPECT_EQ(ancestry[7].pid, 17U);

  make_process(tree_, {.pid = 12, .ppid = 13, .comm = "young", .start_ticks = 6000});
  EXPECT_THAT(read_ancestry(tree_.roots(), *child), SizeIs(2));
}

}  // namespace
}  // namespace oomwitness
