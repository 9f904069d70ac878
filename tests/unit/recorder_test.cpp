// SPDX-License-Identifier: BSD-2-Clause
// The flight recorder on made trees: what it keeps, what it forgets, when it looks more often.
#include "agent/recorder/recorder.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/recorder/figures.h"
#include "diagnose/diagnose.h"
#include "enrich_tree.h"

namespace oomwitness {
namespace {

using test::MadeTree;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Key;
using testing::Not;
using testing::Pair;

constexpr std::uint64_t kMib = std::uint64_t{1} << 20U;
constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kStart = 1'000 * kSecond;

// Cgroup v2 with two cgroups, and two processes.
class Host {
 public:
  Host() {
    tree_.write("proc/self/mountinfo", "30 1 0:26 / /cg rw - cgroup2 cgroup2 rw\n");
    tree_.write("proc/pressure/memory",
                "some avg10=0.00 avg60=0.00 avg300=0.00 total=1500\n"
                "full avg10=0.00 avg60=0.00 avg300=0.00 total=700\n");
    available(8'000);
    cgroup("a", 100, "536870912\n");
    cgroup("b", 50, "max\n");
    process(41, "java", 90);
    process(42, "sh", 1);
    tree_.write("proc/7/statm", "0 0 0 0 0 0 0\n");  // a kernel thread
  }

  void available(std::uint64_t mib) const {
    tree_.write("proc/meminfo", "MemTotal:       16384000 kB\nMemFree:  1000 kB\nMemAvailable: " +
                                    std::to_string(mib * 1024) +
                                    " kB\nCached: 2048 kB\nShmem: 0 kB\nSwapFree: 0 kB\n");
  }
  void cgroup(const std::string& name, std::uint64_t mib,
              const std::string& limit = "max\n") const {
    tree_.write("cg/" + name + "/memory.current", std::to_string(mib * kMib) + "\n");
    tree_.write("cg/" + name + "/memory.max", limit);
  }
  void process(std::uint32_t pid, const std::string& comm, std::uint64_t mib) const {
    const std::string folder = "proc/" + std::to_string(pid);
    tree_.write(folder + "/statm", "999 " + std::to_string(mib * 256) + " 1 1 0 1 0\n");
    tree_.write(folder + "/comm", comm + "\n");
  }
  void remove(const std::string& name) const { std::filesystem::remove_all(tree_.path(name)); }
  Roots roots() const { return tree_.roots(); }

 private:
  MadeTree tree_;
};

std::unique_ptr<Recorder> recorder_of(const Host& host, const RecorderOptions& options = {}) {
  auto recorder = Recorder::open(host.roots(), options, kStart);
  EXPECT_TRUE(recorder) << (recorder ? "" : recorder.error().message());
  return *std::move(recorder);
}

// To the next deadline, `times` times; gives the last one's time.
std::uint64_t run(Recorder& recorder, int times = 1) {
  std::uint64_t now = 0;
  for (int i = 0; i < times; ++i) {
    now = recorder.deadline_ns();
    recorder.on_deadline(now);
  }
  return now;
}

Incident killed(std::uint64_t now_ns, std::uint32_t pid, const std::string& limit = "/a") {
  Incident incident;
  incident.id = "x";
  incident.monotonic_ns = now_ns;
  incident.scope.constraint = "memcg";
  incident.scope.memcg.emplace();
  incident.scope.memcg->self.path = limit;
  incident.scope.memcg->self.usage_bytes = 512 * kMib;
  incident.scope.memcg->self.limit_bytes = 512 * kMib;
  Victim victim;
  victim.pid = pid;
  victim.role = Role::kChosen;
  incident.victims = {victim};
  return incident;
}

std::vector<std::uint64_t> values(const History& history, const std::string& name) {
  std::vector<std::uint64_t> out;
  for (const HistorySample& sample : history.samples)
    if (const auto found = sample.values.find(name); found != sample.values.end())
      out.push_back(found->second / kMib);
  return out;
}

TEST(Recorder, HasTheHostTheLimitAndTheVictim) {
  const Host host;
  const auto recorder = recorder_of(host);
  host.cgroup("a", 200, "536870912\n");
  host.process(41, "java", 190);
  host.available(7'000);
  const std::uint64_t now = run(*recorder);
  const History history = recorder->history_for(killed(now + kSecond, 41));
  EXPECT_EQ(values(history, "limit_usage_bytes"), (std::vector<std::uint64_t>{100, 200, 512}));
  EXPECT_EQ(values(history, "victim_rss_bytes"), (std::vector<std::uint64_t>{90, 190}));
  EXPECT_EQ(values(history, "host_available_bytes"), (std::vector<std::uint64_t>{8'000, 7'000}));
  EXPECT_THAT(
      history.samples[0].values,
      AllOf(Contains(Pair("host_psi_some_us", 1'500)), Contains(Pair("host_psi_full_us", 700)),
            Contains(Pair("host_swap_free_bytes", 0)), Not(Contains(Key("host_slab_bytes")))));
}

TEST(Recorder, NamesWhoElseWasLarge) {
  const Host host;
  host.cgroup("a/x", 70);
  host.cgroup("a/y", 20);
  const auto recorder = recorder_of(host);
  const History history = recorder->history_for(killed(kStart + kSecond, 42));
  ASSERT_EQ(history.tracked.size(), 3U);
  EXPECT_EQ(history.tracked[0].name, "process_1");
  EXPECT_EQ(history.tracked[0].pid, 41U);
  EXPECT_EQ(history.tracked[0].comm, "java");
  EXPECT_EQ(history.tracked[1].cgroup, "/a/x");
  EXPECT_EQ(history.tracked[2].cgroup, "/a/y");
  EXPECT_EQ(values(history, "cgroup_1_usage_bytes"), (std::vector<std::uint64_t>{70}));
}

TEST(Recorder, SamplesAfterTheKillAreLeftOut) {
  const Host host;
  const auto recorder = recorder_of(host);
  run(*recorder, 3);
  const History history = recorder->history_for(killed(kStart + 6 * kSecond, 41));
  EXPECT_EQ(values(history, "host_available_bytes").size(), 2U);
  EXPECT_EQ(history.samples.back().monotonic_ns, kStart + 6 * kSecond);
}

TEST(Recorder, SleepsForSecondsWhileNothingHappens) {
  const Host host;
  const auto recorder = recorder_of(host);
  EXPECT_EQ(recorder->deadline_ns(), kStart + 5 * kSecond);
  EXPECT_EQ(run(*recorder, 12), kStart + 60 * kSecond);
  EXPECT_FALSE(recorder->under_pressure(kStart + 60 * kSecond));
}

TEST(Recorder, LooksMoreOftenForAWhileWhenACgroupComesNearItsLimit) {
  const Host host;
  const auto recorder = recorder_of(host);
  host.cgroup("a", 480, "536870912\n");
  const std::uint64_t near = run(*recorder);
  EXPECT_EQ(recorder->deadline_ns(), near + kSecond / 2);
  // It stays there, as page cache does: that alone is no reason to go on.
  std::uint64_t now = near;
  while (recorder->under_pressure(now)) now = run(*recorder);
  EXPECT_EQ(now, near + 10 * kSecond);
  now = run(*recorder);
  EXPECT_FALSE(recorder->under_pressure(now));
}

TEST(Recorder, LooksMoreOftenWhenTheHostComesShort) {
  const Host host;
  const auto recorder = recorder_of(host);
  host.available(1'000);
  EXPECT_TRUE(recorder->under_pressure(run(*recorder)));
}

TEST(Recorder, KeepsQuietTimesThroughALongTimeOfPressure) {
  const Host host;
  const auto recorder = recorder_of(host);
  run(*recorder, 20);
  std::uint64_t now = 0;
  for (int i = 0; i < 40; ++i) {  // again and again near its limit
    host.cgroup("a", i % 2 == 0 ? 500 : 100, "536870912\n");
    now = run(*recorder, 12);
  }
  const History history = recorder->history_for(killed(now + 1, 41));
  EXPECT_LE(history.samples.front().monotonic_ns + 200 * kSecond, now);
  EXPECT_TRUE(
      std::is_sorted(history.samples.begin(), history.samples.end(),
                     [](const auto& a, const auto& b) { return a.monotonic_ns < b.monotonic_ns; }));
}

TEST(Recorder, FindsWhatHasComeAndKeepsWhatHasGone) {
  const Host host;
  const auto recorder = recorder_of(host);
  host.cgroup("new", 30);
  host.process(50, "late", 300);
  host.remove("cg/b");
  run(*recorder, 6);  // half a minute: a walk
  EXPECT_THAT(
      values(recorder->history_for(killed(kStart + 31 * kSecond, 50, "/new")), "limit_usage_bytes"),
      Contains(30));
  EXPECT_THAT(values(recorder->history_for(killed(kStart + 31 * kSecond, 50)), "victim_rss_bytes"),
              Contains(300));
  EXPECT_THAT(
      values(recorder->history_for(killed(kStart + 31 * kSecond, 50, "/b")), "limit_usage_bytes"),
      Contains(50));
}

TEST(Recorder, ThatIsFullSaysHowManyCgroupsItLeavesOut) {
  const Host host;
  const auto recorder = recorder_of(host, {.cgroups = 1});
  EXPECT_EQ(recorder->cgroups_left_out(), 1U);
}

TEST(Recorder, GivesTheRowOfWhatHasGoneToWhatComes) {
  const Host host;
  const auto recorder = recorder_of(host, {.cgroups = 2, .processes = 2});
  host.remove("cg/b");
  host.cgroup("c", 7);
  run(*recorder, 6);
  EXPECT_EQ(recorder->cgroups_left_out(), 1U);  // its place was still b's
  run(*recorder, 6);
  EXPECT_EQ(recorder->cgroups_left_out(), 0U);
  const History history = recorder->history_for(killed(kStart + 61 * kSecond, 41, "/c"));
  EXPECT_THAT(values(history, "limit_usage_bytes"), Not(Contains(50)));
}

TEST(Recorder, OfAnUnknownLimitHasTheHostNonetheless) {
  const Host host;
  const auto recorder = recorder_of(host);
  const History history = recorder->history_for(killed(kStart + kSecond, 999, "/elsewhere"));
  EXPECT_EQ(values(history, "limit_usage_bytes"), (std::vector<std::uint64_t>{512}));
  EXPECT_THAT(values(history, "host_available_bytes"), Not(IsEmpty()));
}

TEST(Recorder, OfAKillBeforeItsTimeHasNothing) {
  const Host host;
  const auto recorder = recorder_of(host);
  EXPECT_EQ(recorder->history_for(killed(kStart - kSecond, 41)), History{});
}

TEST(Recorder, WithoutPressureFilesOrCgroupsSaysSo) {
  const Host host;
  host.remove("proc/pressure");
  host.remove("proc/self/mountinfo");
  const auto recorder = recorder_of(host);
  EXPECT_THAT(recorder->notes(), AllOf(HasSubstr("cgroups are not recorded"),
                                       HasSubstr("no word from the kernel of pressure")));
  EXPECT_THAT(values(recorder->history_for(killed(kStart + 1, 41)), "victim_rss_bytes"),
              Contains(90));
}

TEST(Recorder, OfV1ReadsItsFiles) {
  const Host host;
  MadeTree tree;
  tree.write("proc/self/mountinfo", "30 1 0:26 / /m rw - cgroup cgroup rw,memory\n");
  tree.write("m/docker/one/memory.usage_in_bytes", "4194304\n");
  tree.write("m/docker/one/memory.limit_in_bytes", "9223372036854771712\n");
  auto recorder = Recorder::open(tree.roots(), {}, kStart);
  ASSERT_TRUE(recorder) << recorder.error().message();
  EXPECT_EQ(values((*recorder)->history_for(killed(kStart + 1, 1, "/docker/one")),
                   "limit_usage_bytes")[0],
            4U);
}

TEST(Recorder, OfALeakLeadsToItsDiagnosis) {
  const Host host;
  const auto recorder = recorder_of(host);
  std::uint64_t now = kStart;
  for (std::uint64_t mib = 110; mib <= 500; mib += 10) {
    host.cgroup("a", mib, "536870912\n");
    now = run(*recorder);
    while (recorder->under_pressure(now)) now = run(*recorder);
  }
  Incident incident = killed(now + kSecond, 41);
  incident.history = recorder->history_for(incident);
  const Diagnosis diagnosis = diagnose(incident);
  ASSERT_TRUE(diagnosis.trend);
  EXPECT_EQ(diagnosis.trend->shape, Growth::kLeak);
}

TEST(Triggers, OfTheKernelsOwnFileAreArmed) {
  auto triggers = Triggers::make(1);
  ASSERT_TRUE(triggers) << triggers.error().message();
  const Status armed = triggers->arm(AT_FDCWD, "/proc/pressure/memory", 7);
  if (!armed) GTEST_SKIP() << armed.error().message();
  EXPECT_TRUE(triggers->has(7));
  EXPECT_EQ(triggers->arm(AT_FDCWD, "/proc/pressure/memory", 8).error().code().value(), ENOSPC);
  triggers->fired();  // whether there is pressure right now is not known
  EXPECT_TRUE(triggers->has(7));
  triggers->disarm(7);
  EXPECT_FALSE(triggers->any());
}

TEST(Triggers, WriteIntoNoFileThatIsNotThePressures) {
  const MadeTree tree;
  tree.write("memory", "untouched");
  auto triggers = Triggers::make(1);
  EXPECT_FALSE(triggers->arm(AT_FDCWD, tree.path("memory").c_str(), 1));
  std::ifstream in(tree.path("memory"));
  std::string content;
  std::getline(in, content);
  EXPECT_EQ(content, "untouched");
}

TEST(Figures, OfPressureAndMeminfo) {
  HostFigures figures;
  take_pressure("some avg10=1.00 total=x\nfull total=5", figures);
  EXPECT_FALSE(figures.psi_some_us);
  EXPECT_EQ(figures.psi_full_us, 5U);
  take_meminfo("MemAvailable: 99999999999999999999 kB\nSlab:   7 kB\nnothing", figures);
  EXPECT_FALSE(figures.available);
  EXPECT_EQ(figures.slab, 7'168U);
  EXPECT_FALSE(resident_of_statm("12", 4096));
  EXPECT_EQ(resident_of_statm("12 3 4", 4096), 12'288U);
}

TEST(Samples, GoRoundInBothPaces) {
  Samples samples({.series = 2, .slow = 2, .fast = 2});
  for (std::uint64_t at = 1; at <= 5; ++at) {
    samples.begin(at % 2 == 0 ? Pace::kFast : Pace::kSlow, at, {});
    samples.put(1, at * 4096);
  }
  std::vector<std::uint64_t> times;
  for (const std::size_t moment : samples.in_order()) {
    times.push_back(samples.time_of(moment));
    EXPECT_EQ(samples.at(1, moment), times.back() * 4096);
    EXPECT_FALSE(samples.at(0, moment));
  }
  EXPECT_EQ(times, (std::vector<std::uint64_t>{2, 3, 4, 5}));
  samples.clear(1);
  EXPECT_FALSE(samples.at(1, samples.in_order().back()));
}

}  // namespace
}  // namespace oomwitness
