// SPDX-License-Identifier: BSD-2-Clause
// The provoker and the cgroups on their own, held against the kernel's own counters.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <sstream>

#include "live_test.h"

namespace oomwitness::live {
namespace {

class Fixture : public ProvokingTest {};

// A line "key value" of a cgroup file.
long counter(const Cgroup& box, const std::string& file, const std::string& key) {
  std::istringstream lines(read_file(box.dir() + "/" + file));
  std::string name;
  for (long value = 0; lines >> name >> value;)
    if (name == key) return value;
  return -1;
}

long kills(const Cgroup& box) {
  // Both versions count at the cgroup the victim was in.
  return counter(box, box.v2() ? "memory.events" : "memory.oom_control", "oom_kill");
}

TEST_F(Fixture, ALimitIsEnforced) {
  Cgroup box(memory(), Cgroup::unique("fixture"));
  box.limit(16 * kMiB);
  Provoked hog({.words = "adj=1000 alloc=max", .cgroup = &box});
  EXPECT_EQ(hog.tid(), hog.pid());
  EXPECT_EQ(hog.sharer(), 0);
  hog.go();
  hog.wait_killed();
  EXPECT_EQ(kills(box), 1);
}

// The victim of an asker that must live holds 60 MiB: exit_mmap() lets the OOM killer pass over a
// victim (MMF_OOM_SKIP) before its last 38 MiB or so are free (MAX_GATHER_BATCH_COUNT in
// mm/mmu_gather.c), and an asker that finds neither memory nor another victim by then dies as well.
// With more threads than one a victim is passed over long before its memory is free: it has one.
// As even that does not always do on 7.x, there is a spare victim to come before the asker.
TEST_F(Fixture, ALimitCoversTheChildren) {
  Cgroup limited(memory(), Cgroup::unique("fixture"));
  limited.limit(96 * kMiB);
  Cgroup quiet(limited, "quiet");
  Cgroup busy(limited, "busy");
  Cgroup aside(limited, "aside");
  const Provoked spare({.words = "adj=999 before=1", .cgroup = &aside});
  Provoked idle({.words = "adj=1000 before=60", .cgroup = &quiet});
  Provoked asker({.words = "threads=2 alloc=48", .cgroup = &busy});
  EXPECT_NE(asker.tid(), asker.pid());
  asker.go();
  asker.wait_done();
  idle.wait_killed();
  EXPECT_EQ(kills(quiet), 1);
  EXPECT_EQ(kills(busy), 0);
}

TEST_F(Fixture, TheLeaderOfAThreadGroupIsGone) {
  Cgroup box(memory(), Cgroup::unique("fixture"));
  Provoked threads({.words = "threads=3 leader=exit", .cgroup = &box});
  const std::string stat = read_file("/proc/" + std::to_string(threads.pid()) + "/stat");
  EXPECT_NE(stat.find(") Z "), std::string::npos) << stat;
  threads.go();
  threads.wait_done();
}

TEST_F(Fixture, ASharerOfMemoryDiesToo) {
  Cgroup box(memory(), Cgroup::unique("fixture"));
  box.limit(16 * kMiB);
  Provoked hog({.words = "adj=1000 share=1 alloc=max", .cgroup = &box});
  ASSERT_GT(hog.sharer(), 0);
  hog.go();
  hog.wait_killed();
  // Now ours: an orphan's status comes to the subreaper.
  int status = 0;
  ASSERT_EQ(waitpid(hog.sharer(), &status, 0), hog.sharer());
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

TEST_F(Fixture, ADetainedVictimKeepsItsMemoryUntilTheReaperComes) {
  Cgroup box(memory(), Cgroup::unique("fixture"));
  box.limit(96 * kMiB);
  Provoked idle({.words = "adj=1000 before=60", .cgroup = &box});
  Provoked asker({.words = "alloc=48", .cgroup = &box});
  const Detained detained(idle.pid());
  asker.go();
  detained.wait_dying();
  asker.wait_done();
  detained.let_go();
  idle.wait_killed();
  EXPECT_EQ(kills(box), 1);
}

TEST_F(Fixture, AnExitingVictimIsMarkedButNotKilled) {
  Cgroup box(memory(), Cgroup::unique("fixture"));
  box.limit(96 * kMiB);
  Provoked idle({.words = "adj=1000 before=60", .cgroup = &box});
  Provoked asker({.words = "alloc=48", .cgroup = &box});
  const Detained detained(idle.pid());
  kill(idle.pid(), SIGKILL);
  detained.wait_dying();
  asker.go();
  asker.wait_done();
  detained.let_go();
  idle.wait_killed();
  EXPECT_EQ(kills(box), 0);
}

TEST_F(Fixture, AStormKillsEachInTurn) {
  Cgroup box(memory(), Cgroup::unique("fixture"));
  box.limit(8 * kMiB);
  Provoked storm({.words = "mode=storm n=20 procs=" + box.procs()});
  storm.go();
  for (int i = 0; i < 20; ++i) EXPECT_GT(storm.next_pid(), 0);
  storm.wait_done();
  EXPECT_EQ(kills(box), 20);
}

}  // namespace
}  // namespace oomwitness::live
