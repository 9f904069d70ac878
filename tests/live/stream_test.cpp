// SPDX-License-Identifier: BSD-2-Clause
// Many incidents, chosen incidents, and incidents that take their time.
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "live_test.h"

namespace oomwitness::live {
namespace {

class Stream : public LiveTest {
 protected:
  // A kill in a cgroup of its own, gone when this returns.
  static pid_t kill_in(Cgroup& box, const std::string& words = "") {
    Provoked hog({.words = words + " adj=1000 alloc=max", .cgroup = &box});
    hog.go();
    hog.wait_killed();
    return hog.pid();
  }
  // A filter lets the second of three kills through, and nothing else.
  void expect_only(Tracer& tracer, Cgroup& box, const std::string& words) {
    SKIP_UNLESS_READY(tracer);
    Cgroup elsewhere(memory(), Cgroup::unique("elsewhere"));
    elsewhere.limit(16 * kMiB);
    kill_in(elsewhere);
    const pid_t wanted = kill_in(box, words);
    kill_in(elsewhere);
    victim_with(tracer.incident(), wanted);
    EXPECT_EQ(tracer.stop(), 0);
    EXPECT_TRUE(tracer.left_over().empty());
  }
};

// What a process has run for so far: utime and stime of /proc/PID/stat, and its threads' switches.
std::string activity_of(pid_t pid) {
  std::string activity;
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
    std::ifstream status(task.path() / "status");
    for (std::string line; std::getline(status, line);)
      if (line.find("ctxt_switches") != std::string::npos) activity += line + "\n";
    std::ifstream stat(task.path() / "stat");
    std::string fields;
    std::getline(stat, fields);
    std::istringstream numbers(fields.substr(fields.rfind(')') + 1));
    for (int field = 3; field <= 15 && numbers >> fields; ++field)
      if (field >= 14) activity += fields + "\n";
  }
  return activity;
}

// While nothing is killed nothing wakes it: neither a poll nor a deadline that stays in the past.
TEST_F(Stream, WaitsWithoutWakingUp) {
  Tracer tracer;
  SKIP_UNLESS_READY(tracer);
  const auto deadline = std::chrono::steady_clock::now() + kDeadline;
  std::string before = activity_of(tracer.pid());
  for (int at_rest = 0; at_rest < 3;) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "it never comes to rest";
    poll(nullptr, 0, 1000);  // what is observed, not waited for: that nothing happens
    std::string now = activity_of(tracer.pid());
    at_rest = now == before ? at_rest + 1 : 0;
    before = std::move(now);
  }
  EXPECT_EQ(tracer.stop(), 0);
}

TEST_F(Stream, FiveHundredKillsInARow) {
  constexpr std::size_t kKills = 500;
  Tracer tracer;
  SKIP_UNLESS_READY(tracer);
  Cgroup box(memory(), Cgroup::unique("storm"));
  box.limit(8 * kMiB);
  Provoked storm({.words = "mode=storm n=" + std::to_string(kKills) + " procs=" + box.procs()});
  storm.go();
  std::set<std::string> ids;
  std::map<std::string, pid_t> killed;
  std::map<std::string, pid_t> told;
  for (std::size_t i = 0; i < kKills; ++i) {
    SCOPED_TRACE("kill " + std::to_string(i));
    killed[std::to_string(i)] = storm.next_pid();
    const json incident = tracer.incident();
    ids.insert(incident.at("id").get<std::string>());
    ASSERT_EQ(incident.at("victims").size(), 1U);
    const json victim = incident.at("victims").at(0);
    const json cmdline = victim.value("cmdline", json::array());
    ASSERT_EQ(cmdline.size(), 2U) << victim.dump();
    EXPECT_EQ(cmdline.at(0), "storm-victim");
    told[cmdline.at(1)] = victim.at("pid").get<pid_t>();
    EXPECT_EQ(victim.value("cgroup", ""), box.path());
    EXPECT_EQ(victim.value("exe", ""), provoker_path());
    EXPECT_EQ(incident.at("provenance").at("lost_events"), 0);
    expect_timeline(victim);
    if (HasFailure()) break;
  }
  EXPECT_EQ(tracer.stop(), 0);
  EXPECT_TRUE(tracer.left_over().empty());
  EXPECT_EQ(told, killed);
  EXPECT_EQ(ids.size(), kKills) << "every incident has an id of its own";
}

// `oomwitness trace --json | less`: the pipe is full after some thirty incidents. What does not fit
// into the tracer's own room is lost, but never in silence.
TEST_F(Stream, ReaderWhoSleepsLosesNothingInSilence) {
  constexpr std::size_t kKills = 200;
  Tracer tracer;
  SKIP_UNLESS_READY(tracer);
  Cgroup box(memory(), Cgroup::unique("sleeper"));
  box.limit(8 * kMiB);
  Provoked storm({.words = "mode=storm n=" + std::to_string(kKills) + " procs=" + box.procs()});
  storm.go();
  std::set<pid_t> killed;
  for (std::size_t i = 0; i < kKills; ++i) killed.insert(storm.next_pid());
  storm.wait_done();

  std::set<pid_t> told;
  std::uint64_t lost = 0;
  for (std::size_t i = 0; i < kKills && lost == 0; ++i) {
    const json incident = tracer.incident();
    told.insert(incident.at("/victims/0/pid"_json_pointer).get<pid_t>());
    lost = incident.at("/provenance/lost_events"_json_pointer).get<std::uint64_t>();
  }
  if (lost == 0) {
    EXPECT_EQ(told, killed);
  }
  EXPECT_EQ(tracer.stop(), 0);
}

TEST_F(Stream, ParallelKillsAreKeptApart) {
  Tracer tracer;
  SKIP_UNLESS_READY(tracer);
  constexpr std::size_t kBoxes = 4;
  constexpr std::size_t kEach = 10;
  std::vector<std::unique_ptr<Cgroup>> boxes;
  std::vector<std::unique_ptr<Provoked>> storms;
  for (std::size_t i = 0; i < kBoxes; ++i) {
    boxes.push_back(std::make_unique<Cgroup>(memory(), Cgroup::unique("parallel")));
    boxes.back()->limit(8 * kMiB);
    storms.push_back(std::make_unique<Provoked>(Plan{
        .words = "mode=storm n=" + std::to_string(kEach) + " procs=" + boxes.back()->procs()}));
  }
  for (const auto& storm : storms) storm->go();
  std::set<std::pair<std::string, pid_t>> killed;
  for (std::size_t i = 0; i < kBoxes; ++i)
    for (std::size_t n = 0; n < kEach; ++n) killed.emplace(boxes[i]->path(), storms[i]->next_pid());
  std::set<std::pair<std::string, pid_t>> told;
  for (std::size_t n = 0; n < kBoxes * kEach; ++n) {
    const json incident = tracer.incident();
    ASSERT_EQ(incident.at("victims").size(), 1U) << incident.dump(1);
    const json victim = incident.at("victims").at(0);
    told.emplace(victim.value("cgroup", ""), victim.value("pid", 0));
    EXPECT_EQ(victim.at("cmdline").at(0), "storm-victim");
    expect_timeline(victim);
  }
  EXPECT_EQ(told, killed);
}

TEST_F(Stream, CountEndsTheTrace) {
  Tracer tracer({"--count", "2"});
  SKIP_UNLESS_READY(tracer);
  Cgroup box(memory(), Cgroup::unique("count"));
  box.limit(16 * kMiB);
  const pid_t first = kill_in(box);
  const pid_t second = kill_in(box);
  EXPECT_EQ(tracer.wait(), 0);
  const std::vector<json> incidents = tracer.left_over();
  ASSERT_EQ(incidents.size(), 2U);
  victim_with(incidents[0], first);
  victim_with(incidents[1], second);
}

TEST_F(Stream, DurationEndsTheTrace) {
  Tracer tracer({"--duration", "1s"});
  SKIP_UNLESS_READY(tracer);
  EXPECT_EQ(tracer.wait(), 0);
  EXPECT_TRUE(tracer.left_over().empty());
}

TEST_F(Stream, FilterByComm) {
  Tracer tracer({"--comm", "wanted"});
  Cgroup box(memory(), Cgroup::unique("filter"));
  box.limit(16 * kMiB);
  expect_only(tracer, box, "comm=" + hex("wanted"));
}

TEST_F(Stream, FilterByUid) {
  Tracer tracer({"--uid", "4711"});
  Cgroup box(memory(), Cgroup::unique("filter"));
  box.limit(16 * kMiB);
  expect_only(tracer, box, "uid=4711");
}

TEST_F(Stream, FilterByCgroup) {
  Cgroup box(memory(), Cgroup::unique("filter"));
  box.limit(16 * kMiB);
  Tracer tracer({"--cgroup", box.path()});
  expect_only(tracer, box, "");
}

TEST_F(Stream, FilterByUnit) {
  Tracer tracer({"--unit", "owtest.service"});
  Cgroup slice(memory(), Cgroup::unique("filter") + ".slice");
  Cgroup box(slice, "owtest.service");
  box.limit(16 * kMiB);
  expect_only(tracer, box, "");
}

TEST_F(Stream, FilterByContainer) {
  const std::string id = "5f3a9c1d" + std::string(56, 'e');
  Tracer tracer({"--container", id.substr(0, 12)});
  Cgroup slice(memory(), Cgroup::unique("filter") + ".slice");
  Cgroup box(slice, "docker-" + id + ".scope");
  box.limit(16 * kMiB);
  expect_only(tracer, box, "");
}

TEST_F(Stream, FilterByPid) {
  Cgroup box(memory(), Cgroup::unique("filter"));
  box.limit(16 * kMiB);
  Provoked hog({.words = "adj=1000 alloc=max", .cgroup = &box});
  Tracer tracer({"--pid", std::to_string(hog.pid())});
  SKIP_UNLESS_READY(tracer);
  Cgroup elsewhere(memory(), Cgroup::unique("elsewhere"));
  elsewhere.limit(16 * kMiB);
  kill_in(elsewhere);
  hog.go();
  hog.wait_killed();
  kill_in(elsewhere);
  victim_with(tracer.incident(), hog.pid());
  EXPECT_EQ(tracer.stop(), 0);
  EXPECT_TRUE(tracer.left_over().empty());
}

TEST_F(Stream, VictimThatLingersIsToldThenUpdated) {
  Tracer tracer({"--settle", "100"});
  SKIP_UNLESS_READY(tracer);
  Cgroup box(memory(), Cgroup::unique("linger"));
  box.limit(96 * kMiB);
  Provoked idle({.words = "adj=1000 before=60", .cgroup = &box, .argv = {"idle"}});
  Provoked asker({.words = "alloc=48", .cgroup = &box});
  const Detained detained(idle.pid());
  asker.go();
  detained.wait_dying();

  const json first = tracer.incident();
  const json lingering = victim_with(first, idle.pid());
  EXPECT_EQ(lingering.at("cgroup"), box.path());
  EXPECT_FALSE(lingering.at("timeline").contains("exited_ns")) << "it has not exited";
  // The asker gets no memory before the reaper (2 s after the mark) has taken the victim's.
  asker.wait_done();
  detained.let_go();
  idle.wait_killed();

  // The reaper's success may be an update of its own.
  json last = tracer.update();
  while (!HasFailure() && !victim_with(last, idle.pid()).at("timeline").contains("exited_ns"))
    last = tracer.update();
  EXPECT_EQ(last.at("id"), first.at("id"));
  EXPECT_GT(last.value("revision", 0), first.value("revision", 0));
  expect_victim(last, {.pid = idle.pid(), .cmdline = {"idle"}, .cgroup = box.path()});
  const json victim = victim_with(last, idle.pid());
  expect_timeline(victim);
  if (tracer.is_on("reaper")) {
    const json& timeline = victim.at("timeline");
    ASSERT_TRUE(timeline.contains("reaped_ns")) << timeline.dump();
    EXPECT_GT(timeline.at("reaped_ns"), timeline.at("marked_ns"));
    EXPECT_LT(timeline.at("reaped_ns"), timeline.at("exited_ns"));
  }
  EXPECT_EQ(tracer.stop(), 0);
  EXPECT_TRUE(tracer.left_over().empty());
}

TEST_F(Stream, IncidentUnderWayIsToldAtTheEnd) {
  Tracer tracer({"--settle", "600000"});
  SKIP_UNLESS_READY(tracer);
  Cgroup box(memory(), Cgroup::unique("under-way"));
  box.limit(96 * kMiB);
  Provoked idle({.words = "adj=1000 before=60", .cgroup = &box, .argv = {"idle"}});
  Provoked asker({.words = "alloc=48", .cgroup = &box});
  const Detained detained(idle.pid());
  asker.go();
  detained.wait_dying();
  // Another kill behind it in the ring: once that is told, the first has been read.
  Cgroup other(memory(), Cgroup::unique("other"));
  other.limit(16 * kMiB);
  const pid_t second = kill_in(other);
  victim_with(tracer.incident(), second);
  EXPECT_EQ(tracer.stop(), 0);
  const std::vector<json> rest = tracer.left_over();
  ASSERT_EQ(rest.size(), 1U) << "Ctrl-C loses no incident";
  expect_victim(rest[0], {.pid = idle.pid(), .cmdline = {"idle"}, .cgroup = box.path()});
  detained.let_go();
}

// Someone else has killed it already: the kernel marks it, so that it may use the reserves, and
// kills nobody. No line in the log, no SIGKILL of the OOM killer's.
TEST_F(Stream, VictimThatWasExitingAlready) {
  // Where only tracepoints are, nothing tells that no line of the log will come: the settling time
  // ends it.
  Tracer tracer({"--settle", "5000"});
  SKIP_UNLESS_READY(tracer);
  Cgroup box(memory(), Cgroup::unique("exiting"));
  box.limit(96 * kMiB);
  Provoked idle({.words = "adj=1000 before=60", .cgroup = &box, .argv = {"idle"}});
  Provoked asker({.words = "alloc=48", .cgroup = &box});
  const Detained detained(idle.pid());
  kill(idle.pid(), SIGKILL);
  detained.wait_dying();
  asker.go();
  asker.wait_done();
  detained.let_go();
  idle.wait_killed();

  const json incident = tracer.incident();
  const json victim = victim_with(incident, idle.pid());
  EXPECT_EQ(bytes_of(victim.at("comm")), "provoke");
  EXPECT_EQ(victim.at("cgroup"), box.path());
  EXPECT_EQ(victim.at("oom_score_adj"), 1000);
  // Only /proc can give it: its own context is past the signal.
  if (victim.contains("cmdline")) {
    EXPECT_EQ(victim.at("cmdline"), json::array({"idle"}));
  } else {
    EXPECT_NE(incident.at("provenance").at("missing").dump().find("cmdline"), std::string::npos);
  }
  if (tracer.sees_decision()) {
    EXPECT_EQ(victim.at("role"), "already-exiting");
  } else if (incident.dump().find("kmsg") == std::string::npos) {
    EXPECT_NE(victim.value("role", ""), "chosen") << "tracepoints alone cannot know that";
  }
}

}  // namespace
}  // namespace oomwitness::live
