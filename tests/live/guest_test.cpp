// SPDX-License-Identifier: BSD-2-Clause
// Kills that take a whole machine: only in guests that are thrown away.
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "live_test.h"

namespace oomwitness::live {
namespace {

// Sets a sysctl for the time of a test.
class Sysctl {
 public:
  Sysctl(const std::string& name, const std::string& value)
      : path_("/proc/sys/" + name), before_(read_file(path_)) {
    EXPECT_TRUE(write_file(path_, value)) << path_;
  }
  Sysctl(const Sysctl&) = delete;
  Sysctl& operator=(const Sysctl&) = delete;
  Sysctl(Sysctl&&) = delete;
  Sysctl& operator=(Sysctl&&) = delete;
  ~Sysctl() { write_file(path_, before_); }

 private:
  std::string path_;
  std::string before_;
};

bool has_two_nodes() {
  return access("/sys/devices/system/node/node1", F_OK) == 0;
}

class Global : public GuestTest {
 protected:
  std::string root_cgroup() const { return memory().root.empty() ? "/" : memory().root; }
  static void expect_constraint(const Tracer& tracer, const json& incident,
                                const std::string& constraint) {
    if (!tracer.sees_decision()) return;
    EXPECT_EQ(incident.at("/scope/constraint"_json_pointer), constraint);
    EXPECT_FALSE(incident.at("scope").contains("memcg")) << "no cgroup's limit was hit";
  }
  // The machine's processes, kernel threads aside, are what the kernel weighs.
  static void expect_weighed(const Tracer& tracer, const json& incident, std::vector<pid_t> pids) {
    if (!tracer.sees_candidates()) return;
    pids.push_back(getpid());
    pids.push_back(tracer.pid());
    std::vector<pid_t> top;
    for (const json& each : incident.at("/candidates/top"_json_pointer))
      top.push_back(each.at("pid").get<pid_t>());
    for (const pid_t pid : pids)
      EXPECT_EQ(std::count(top.begin(), top.end(), pid), 1) << pid << ": " << incident.dump(1);
    EXPECT_GE(incident.at("/candidates/considered"_json_pointer).get<std::size_t>(), top.size());
  }
};

TEST_F(Global, NoMemoryLeft) {
  Tracer tracer;
  SKIP_UNLESS_READY(tracer);
  const Provoked bystander({.words = "before=1"});
  Provoked hog({.words = "adj=1000 uid=4711 alloc=max", .argv = {"hog", "all"}});
  hog.go();
  hog.wait_killed();
  const json incident = tracer.incident();
  expect_victim(
      incident,
      {.pid = hog.pid(), .cmdline = {"hog", "all"}, .uid = 4711, .cgroup = root_cgroup()});
  const json victim = victim_with(incident, hog.pid());
  expect_timeline(victim);
  expect_between(victim.at("memory").at("anon_rss_bytes"), 100 * kMiB, 1024 * kMiB, "anon");
  expect_constraint(tracer, incident, "none");
  expect_weighed(tracer, incident, {hog.pid(), bystander.pid()});
  if (tracer.sees_decision()) {
    EXPECT_FALSE(incident.at("scope").value("sysrq", false));
    EXPECT_FALSE(incident.at("scope").value("kill_allocating_task", false));
    EXPECT_EQ(incident.at("/selected/pid"_json_pointer), hog.pid());
    // RAM and swap: the kernel's allowance for everybody.
    const auto page = incident.at("/host/page_size_bytes"_json_pointer).get<std::uint64_t>();
    const auto total = incident.at("/candidates/total_pages"_json_pointer).get<std::uint64_t>();
    EXPECT_GT(total * page, 200 * kMiB);
  }
}

TEST_F(Global, AskerIsNotTheVictim) {
  Tracer tracer;
  SKIP_UNLESS_READY(tracer);
  const Provoked idle({.words = "adj=1000 before=200", .argv = {"idle"}});
  // It gets what the victim had, and never goes beyond.
  Provoked asker({.words = "alloc=350"});
  asker.go();
  asker.wait_done();
  const json incident = tracer.incident();
  expect_victim(incident, {.pid = idle.pid(), .cmdline = {"idle"}, .cgroup = root_cgroup()});
  expect_constraint(tracer, incident, "none");
}

TEST_F(Global, AllocatingTaskIsKilledWithoutAScan) {
  // Whoever asks when nothing is left is killed: let it be neither the tracer nor this test.
  ASSERT_TRUE(write_file("/proc/self/oom_score_adj", "-1000"));
  Tracer tracer;
  ASSERT_TRUE(write_file("/proc/self/oom_score_adj", "0"));
  SKIP_UNLESS_READY(tracer);
  const Sysctl sysctl("vm/oom_kill_allocating_task", "1");
  const Provoked bigger({.words = "adj=1000 before=100"});
  Provoked hog({.words = "adj=500 alloc=max", .argv = {"hog"}});
  hog.go();
  hog.wait_killed();
  const json incident = tracer.incident();
  expect_victim(incident,
                {.pid = hog.pid(), .cmdline = {"hog"}, .cgroup = root_cgroup(), .adj = 500});
  if (!tracer.sees_decision()) return;
  EXPECT_EQ(incident.at("/scope/kill_allocating_task"_json_pointer), true);
  // Nobody was weighed: no points, no candidates, and no zeros in their place.
  EXPECT_EQ(incident.value("/candidates/top"_json_pointer, json::array()).size(), 0U);
  EXPECT_FALSE(victim_with(incident, hog.pid()).contains("points"));
}

TEST_F(Global, SysRqF) {
  Tracer tracer;
  SKIP_UNLESS_READY(tracer);
  Provoked idle({.words = "adj=1000 before=16", .argv = {"idle"}});
  ASSERT_TRUE(write_file("/proc/sysrq-trigger", "f"));
  idle.wait_killed();
  const json incident = tracer.incident();
  expect_victim(incident, {.pid = idle.pid(), .cmdline = {"idle"}, .cgroup = root_cgroup()});
  expect_timeline(victim_with(incident, idle.pid()));
  if (!tracer.sees_decision()) return;
  EXPECT_EQ(incident.at("/scope/sysrq"_json_pointer), true);
  EXPECT_EQ(incident.at("/invoker/order"_json_pointer), -1);
  expect_weighed(tracer, incident, {idle.pid()});
}

// Binds to the second node's memory, which alone runs out.
TEST_F(Global, CpusetOfOneNode) {
  if (!has_two_nodes()) GTEST_SKIP() << "one NUMA node: no cpuset can be smaller than the machine";
  std::optional<Hierarchy> cpusets = Hierarchy::find("cpuset");
  if (!cpusets) GTEST_SKIP() << "no cpuset controller here";
  Tracer tracer;
  SKIP_UNLESS_READY(tracer);
  Cgroup box(*cpusets, Cgroup::unique("cpuset"));
  box.set("cpuset.cpus", "0");
  box.set("cpuset.mems", "1");
  Provoked hog({.words = "adj=1000 alloc=max", .cgroup = &box, .argv = {"hog"}});
  hog.go();
  hog.wait_killed();
  const json incident = tracer.incident();
  expect_victim(incident, {.pid = hog.pid(),
                           .cmdline = {"hog"},
                           // Version 1 has a hierarchy for each controller.
                           .cgroup = cpusets->v2 ? box.path() : root_cgroup()});
  expect_constraint(tracer, incident, "cpuset");
  if (!tracer.sees_decision()) return;
  EXPECT_EQ(incident.at("/scope/mems_allowed"_json_pointer), "1");
  EXPECT_NE(incident.value("/scope/cpuset"_json_pointer, "").find("cpuset"), std::string::npos);
}

TEST_F(Global, MemoryPolicyOfOneNode) {
  if (!has_two_nodes()) GTEST_SKIP() << "one NUMA node: no policy can be smaller than the machine";
  Tracer tracer;
  SKIP_UNLESS_READY(tracer);
  Provoked hog({.words = "adj=1000 node=1 alloc=max", .argv = {"hog"}});
  hog.go();
  hog.wait_killed();
  const json incident = tracer.incident();
  expect_victim(incident, {.pid = hog.pid(), .cmdline = {"hog"}, .cgroup = root_cgroup()});
  expect_constraint(tracer, incident, "mempolicy");
  if (!tracer.sees_decision()) return;
  EXPECT_EQ(incident.at("/scope/nodemask"_json_pointer), "1");
}

}  // namespace
}  // namespace oomwitness::live
