// SPDX-License-Identifier: BSD-2-Clause
// Real kills, one of each shape.
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <sstream>

#include "live_test.h"

namespace oomwitness::live {
namespace {

class Kill : public LiveTest {};

// MemTotal and the like as /proc has it, in bytes.
std::uint64_t meminfo(const std::string& key) {
  std::istringstream lines(read_file("/proc/meminfo"));
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(key + ":")) return std::stoull(line.substr(key.size() + 1)) * 1024;
  return 0;
}

TEST_F(Kill, ProcessThatHitsItsOwnLimit) {
  Tracer tracer;
  SKIP_UNLESS_READY(tracer);
  Cgroup box(memory(), Cgroup::unique("plain"));
  box.limit(16 * kMiB);
  const Provoked bystander({.words = "before=1", .cgroup = &box});
  Provoked hog({.words = "adj=1000 uid=12345 alloc=max", .cgroup = &box, .argv = {"hog", "--eat"}});
  hog.go();
  hog.wait_killed();

  const json incident = tracer.incident();
  expect_victim(
      incident,
      {.pid = hog.pid(), .cmdline = {"hog", "--eat"}, .uid = 12345, .cgroup = box.path()});
  const json victim = victim_with(incident, hog.pid());
  expect_timeline(victim);
  EXPECT_EQ(victim.at("threads"), 1);
  EXPECT_EQ(incident.at("/system/meminfo/MemTotal"_json_pointer), meminfo("MemTotal"));
  expect_between(incident.at("/system/meminfo/MemFree"_json_pointer), 1, meminfo("MemTotal"),
                 "free");
  EXPECT_EQ(incident.at("/system/swap/total"_json_pointer), meminfo("SwapTotal"));
  const json& sizes = victim.at("memory");
  expect_between(sizes.at("anon_rss_bytes"), 10 * kMiB, 17 * kMiB, "anon");
  expect_between(sizes.at("total_vm_bytes"), 1UL << 40, (1UL << 40) + 64 * kMiB, "total_vm");
  expect_between(sizes.at("pgtables_bytes"), 4096, kMiB, "page tables");
  EXPECT_EQ(incident.at("victims").size(), 1U);
  expect_decision(tracer, incident,
                  {.limited = &box,
                   .limit_bytes = 16 * kMiB,
                   .invoker = hog.pid(),
                   .invoker_tid = hog.tid(),
                   .invoker_cgroup = box.path(),
                   .candidates = {hog.pid(), bystander.pid()},
                   .selected = hog.pid()});
  EXPECT_EQ(tracer.stop(), 0);
  EXPECT_TRUE(tracer.left_over().empty());
}

TEST_F(Kill, VictimInvokerAndLimitAreThreeDifferentThings) {
  Tracer tracer;
  SKIP_UNLESS_READY(tracer);
  Cgroup top(memory(), Cgroup::unique("top"));
  top.limit(128 * kMiB);
  Cgroup limited(top, "limited");
  limited.limit(96 * kMiB);
  Cgroup quiet(limited, "quiet");
  Cgroup busy(limited, "busy");
  // On 7.x more is killed now and then before the first victim's memory is back: not the asker.
  const Provoked spare({.words = "adj=999 before=1", .cgroup = &quiet});
  const Provoked idle({.words = "adj=1000 before=60", .cgroup = &quiet, .argv = {"idle"}});
  Provoked asker({.words = "threads=2 alloc=48", .cgroup = &busy, .argv = {"asker"}});
  asker.go();
  asker.wait_done();

  const json incident = tracer.incident();
  expect_victim(incident, {.pid = idle.pid(), .cmdline = {"idle"}, .cgroup = quiet.path()});
  const json victim = victim_with(incident, idle.pid());
  expect_timeline(victim);
  expect_between(victim.at("memory").at("anon_rss_bytes"), 59 * kMiB, 61 * kMiB, "anon");
  expect_decision(tracer, incident,
                  {.limited = &limited,
                   .limit_bytes = 96 * kMiB,
                   .ancestors = {top.path()},
                   .invoker = asker.pid(),
                   .invoker_tid = asker.tid(),
                   .invoker_cgroup = busy.path(),
                   .candidates = {idle.pid(), asker.pid(), spare.pid()},
                   .selected = idle.pid()});
  if (tracer.sees_decision()) {
    EXPECT_EQ(incident.at("/scope/memcg/ancestors/0/limit_bytes"_json_pointer), 128 * kMiB);
    EXPECT_EQ(incident.at("/invoker/uid"_json_pointer), 0);
    EXPECT_EQ(incident.at("/invoker/comm"_json_pointer), "provoke");
  }
}

TEST_F(Kill, ThreadThatIsNotTheLeaderAllocates) {
  Tracer tracer;
  SKIP_UNLESS_READY(tracer);
  Cgroup box(memory(), Cgroup::unique("thread"));
  box.limit(16 * kMiB);
  Provoked hog({.words = "adj=1000 threads=8 alloc=max", .cgroup = &box});
  ASSERT_NE(hog.tid(), hog.pid());
  hog.go();
  hog.wait_killed();

  const json incident = tracer.incident();
  expect_victim(incident, {.pid = hog.pid(), .cgroup = box.path()});
  expect_timeline(victim_with(incident, hog.pid()));
  EXPECT_EQ(victim_with(incident, hog.pid()).at("threads"), 9);
  EXPECT_EQ(incident.at("victims").size(), 1U) << "one process, whatever its number of threads";
  expect_decision(tracer, incident,
                  {.limited = &box,
                   .limit_bytes = 16 * kMiB,
                   .invoker = hog.pid(),
                   .invoker_tid = hog.tid(),
                   .invoker_cgroup = box.path(),
                   .candidates = {hog.pid()},
                   .selected = hog.pid()});
  EXPECT_EQ(tracer.stop(), 0);
  EXPECT_TRUE(tracer.left_over().empty());
}

// The leader is a zombie without memory: what the kernel marks is another thread of the group.
TEST_F(Kill, ThreadWhoseLeaderHasExited) {
  Tracer tracer;
  SKIP_UNLESS_READY(tracer);
  Cgroup box(memory(), Cgroup::unique("orphan-thread"));
  box.limit(16 * kMiB);
  Provoked hog({.words = "adj=1000 threads=3 leader=exit alloc=max", .cgroup = &box});
  hog.go();
  hog.wait_killed();

  const json incident = tracer.incident();
  expect_victim(incident, {.pid = hog.pid(), .cgroup = box.path()});
  const json victim = victim_with(incident, hog.pid());
  expect_timeline(victim);
  expect_between(victim.at("memory").at("anon_rss_bytes"), 10 * kMiB, 17 * kMiB, "anon");
}

// It dies without a line in the kernel's log and without a mark of its own.
TEST_F(Kill, ProcessThatSharesTheVictimsMemory) {
  Tracer tracer;
  SKIP_UNLESS_READY(tracer);
  Cgroup box(memory(), Cgroup::unique("shared"));
  box.limit(16 * kMiB);
  Provoked hog({.words = "adj=1000 share=1 alloc=max", .cgroup = &box});
  ASSERT_GT(hog.sharer(), 0);
  hog.go();
  hog.wait_killed();

  const json incident = tracer.incident();
  ASSERT_EQ(incident.at("victims").size(), 2U) << incident.dump(1);
  const json sharer = victim_with(incident, hog.sharer());
  const json chosen = victim_with(incident, hog.pid());
  // Two processes of one address space: which of them the kernel takes as the victim is its choice,
  // and the other one dies with it.
  EXPECT_EQ(sharer.at("cgroup"), box.path());
  EXPECT_EQ(chosen.at("cgroup"), box.path());
  EXPECT_EQ(all_bytes_of(sharer.at("cmdline")), std::vector<std::string>{"provoke"});
  EXPECT_EQ(all_bytes_of(chosen.at("cmdline")), std::vector<std::string>{"provoke"});
  EXPECT_EQ(sharer.at("ppid"), hog.pid());
  std::vector<std::string> roles;
  for (const json& each : incident.at("victims")) roles.push_back(each.value("role", ""));
  EXPECT_EQ(std::count(roles.begin(), roles.end(), "shared-mm"), 1) << incident.dump(1);
}

TEST_F(Kill, MemoryInAMappedMemfdIsShmem) {
  Tracer tracer;
  SKIP_UNLESS_READY(tracer);
  Cgroup box(memory(), Cgroup::unique("memfd"));
  box.limit(32 * kMiB);
  Provoked hog({.words = "adj=1000 kind=memfd before=8 alloc=max", .cgroup = &box});
  hog.go();
  hog.wait_killed();

  const json incident = tracer.incident();
  expect_victim(incident, {.pid = hog.pid(), .cgroup = box.path()});
  const json sizes = victim_with(incident, hog.pid()).at("memory");
  expect_between(sizes.at("shmem_rss_bytes"), 20 * kMiB, 36 * kMiB, "shmem");
  expect_between(sizes.at("anon_rss_bytes"), 0, 2 * kMiB, "anon");
}

// The story of the process that died and was not the one that used the memory.
TEST_F(Kill, MemoryThatNoProcessMapsIsNotTheVictims) {
  Tracer tracer;
  SKIP_UNLESS_READY(tracer);
  Cgroup box(memory(), Cgroup::unique("unmapped"));
  box.limit(32 * kMiB);
  Provoked hog({.words = "adj=1000 kind=unmapped alloc=max", .cgroup = &box});
  hog.go();
  hog.wait_killed();

  const json incident = tracer.incident();
  expect_victim(incident, {.pid = hog.pid(), .cgroup = box.path()});
  const json sizes = victim_with(incident, hog.pid()).at("memory");
  // Not zero: a guest's root is a tmpfs, and so is the provoker's code.
  expect_between(sizes.at("shmem_rss_bytes"), 0, 4 * kMiB, "shmem");
  expect_between(sizes.at("anon_rss_bytes"), 0, 2 * kMiB, "anon");
}

TEST_F(Kill, ProcessThatBlocksEverySignal) {
  Tracer tracer;
  SKIP_UNLESS_READY(tracer);
  Cgroup box(memory(), Cgroup::unique("blocked"));
  box.limit(16 * kMiB);
  Provoked hog({.words = "adj=1000 block=1 alloc=max", .cgroup = &box});
  hog.go();
  hog.wait_killed();

  const json incident = tracer.incident();
  expect_victim(incident, {.pid = hog.pid(), .cgroup = box.path()});
  expect_timeline(victim_with(incident, hog.pid()));
}

TEST_F(Kill, VictimInAPidNamespaceHasBothPids) {
  Tracer tracer;
  SKIP_UNLESS_READY(tracer);
  Cgroup box(memory(), Cgroup::unique("ns"));
  box.limit(16 * kMiB);
  Provoked hog({.words = "adj=1000 alloc=max", .cgroup = &box, .namespaces = CLONE_NEWPID});
  hog.go();
  hog.wait_killed();

  const json incident = tracer.incident();
  expect_victim(incident, {.pid = hog.pid(), .cgroup = box.path()});
  EXPECT_EQ(victim_with(incident, hog.pid()).at("ns_pid"), 1);
}

class GroupKill : public LiveTest {
 protected:
  // One incident with five victims, whatever the hooks.
  void expect_five(Tracer& tracer) {
    if (!memory().v2) GTEST_SKIP() << "memory.oom.group exists in cgroup version 2 only";
    SKIP_UNLESS_READY(tracer);
    Cgroup box(memory(), Cgroup::unique("group"));
    box.limit(32 * kMiB);
    box.kill_as_group();
    std::vector<std::unique_ptr<Provoked>> members;
    members.reserve(4);
    for (int i = 0; i < 4; ++i)
      members.push_back(std::make_unique<Provoked>(Plan{
          .words = "adj=1000 before=2", .cgroup = &box, .argv = {"member", std::to_string(i)}}));
    // Members with oom_score_adj -1000 are spared.
    Provoked spared({.words = "adj=-1000", .cgroup = &box, .argv = {"spared"}});
    Provoked hog({.words = "adj=1000 alloc=max", .cgroup = &box, .argv = {"hog"}});
    hog.go();
    hog.wait_killed();
    for (const auto& each : members) each->wait_killed();

    const json incident = tracer.incident();
    EXPECT_EQ(incident.at("victims").size(), 5U) << incident.dump(1);
    expect_victim(incident, {.pid = hog.pid(), .cmdline = {"hog"}, .cgroup = box.path()});
    expect_timeline(victim_with(incident, hog.pid()));
    for (std::size_t i = 0; i < members.size(); ++i) {
      expect_victim(incident, {.pid = members[i]->pid(),
                               .cmdline = {"member", std::to_string(i)},
                               .cgroup = box.path(),
                               .role = "group"});
      expect_timeline(victim_with(incident, members[i]->pid()));
    }
    if (tracer.sees_decision()) {
      EXPECT_EQ(incident.at("/selected/pid"_json_pointer), hog.pid());
    }
    EXPECT_EQ(tracer.stop(), 0);
    EXPECT_TRUE(tracer.left_over().empty()) << "one kill, one incident";
    spared.go();  // still there to be told
    spared.wait_done();
  }
};

TEST_F(GroupKill, OfFiveIsOneIncidentWithFiveVictims) {
  Tracer tracer;
  expect_five(tracer);
}

TEST_F(GroupKill, OfFiveIsOneIncidentByTracepointsAlone) {
  Tracer tracer(without_function_hooks());
  expect_five(tracer);
}

}  // namespace
}  // namespace oomwitness::live
