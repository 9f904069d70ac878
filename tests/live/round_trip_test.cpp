// SPDX-License-Identifier: BSD-2-Clause
// One kill, told twice: live, and out of the kernel's log. Where both give a field they agree.
#include <cstdio>
#include <map>
#include <set>
#include <utility>

#include "live_test.h"

namespace oomwitness::live {
namespace {

using Fields = std::map<std::string, json>;

// Not facts of the kill, or facts of another moment: the log's stack and statistics are those of
// the printing, the host's counters go on counting.
const std::set<std::string> kApart = {"id",        "revision",   "time",   "monotonic_ns",
                                      "diagnosis", "provenance", "system", "schema"};
const std::set<std::string> kApartBelow = {"/invoker/kernel_stack", "/scope/memcg/stat"};

json at_or_null(const json& object, const char* key) {
  return object.contains(key) ? object.at(key) : json();
}

// Victims and candidates are found by their pid, wherever they stand.
void flatten(const json& value, const std::string& path, Fields& out) {
  if (kApartBelow.contains(path)) return;
  if (value.is_object()) {
    for (const auto& [key, below] : value.items()) flatten(below, path + "/" + key, out);
  } else if (value.is_array() && !value.empty() && value.front().is_object()) {
    for (const json& below : value)
      flatten(below, path + "/" + at_or_null(below, "pid").dump(), out);
  } else {
    out.emplace(path, value);
  }
}

Fields fields_of(const json& incident) {
  Fields out;
  for (const auto& [key, value] : incident.items())
    if (!kApart.contains(key)) flatten(value, "/" + key, out);
  return out;
}

bool is_counted_memory(const std::string& path) {
  return path.ends_with("_rss_bytes") || path.ends_with("/swap_bytes") || path.ends_with("/points");
}

// From 6.18 on the kernel's report adds up what every CPU has counted, which a BPF program cannot
// (mm_struct.rss_stat is a percpu_counter): the two differ by up to a batch for each CPU.
double most_apart(const json& incident, const std::string& path) {
  int major = 0;
  int minor = 0;
  const auto release = incident.at("/host/kernel"_json_pointer).get<std::string>();
  EXPECT_EQ(std::sscanf(release.c_str(), "%d.%d", &major, &minor), 2) << release;
  if (!is_counted_memory(path) || std::pair(major, minor) < std::pair(6, 18)) return 0;
  return path.ends_with("/points") ? 512 : 2.0 * kMiB;
}

void expect_agreement(const json& live, const json& log) {
  const Fields seen = fields_of(live);
  const Fields told = fields_of(log);
  std::size_t shared = 0;
  for (const auto& [path, value] : told) {
    const auto found = seen.find(path);
    if (found == seen.end()) continue;
    ++shared;
    if (value.is_number() && found->second.is_number()) {
      EXPECT_NEAR(value.get<double>(), found->second.get<double>(), most_apart(live, path)) << path;
    } else {
      EXPECT_EQ(value, found->second) << path;
    }
  }
  EXPECT_GE(shared, 15U) << "hardly anything to compare: " << log.dump();
}

// The kill of that pid out of the kernel's own buffer; null when the log does not tell of it whole.
json whole_in_log(pid_t pid) {
  const Finished ran =
      run_oomwitness({"analyze", "--dmesg", "--json", "--pid", std::to_string(pid)});
  if (ran.lines.empty()) return {};
  json last = json::parse(ran.lines.back(), nullptr, false);
  // The kernel drops the head of a report after ten in five seconds, never the line of a kill.
  return last.contains("/invoker/order"_json_pointer) ? last : json();
}

class RoundTrip : public LiveTest {
 protected:
  // Kills until the log has the whole story of one.
  template <typename Kill>
  void expect_same_story(const Kill& kill) {
    constexpr int kTries = 40;
    for (int i = 0; i < kTries; ++i) {
      Tracer tracer;
      SKIP_UNLESS_READY(tracer);
      const pid_t victim = kill();
      const json live = tracer.incident();
      ASSERT_TRUE(live.contains("victims"));
      const json log = whole_in_log(victim);
      if (log.is_null()) continue;
      expect_agreement(live, log);
      return;
    }
    FAIL() << "the kernel's log never told a kill whole";
  }
};

TEST_F(RoundTrip, LimitHitByAnotherThanTheVictim) {
  expect_same_story([this] {
    Cgroup limited(memory(), Cgroup::unique("trip"));
    limited.limit(96 * kMiB);
    Cgroup quiet(limited, "quiet");
    Cgroup busy(limited, "busy");
    Provoked idle({.words = "adj=1000 uid=4711 before=60", .cgroup = &quiet});
    const Provoked spare({.words = "adj=999 before=1", .cgroup = &quiet});
    Provoked asker({.words = "alloc=48", .cgroup = &busy});
    asker.go();
    asker.wait_done();
    idle.wait_killed();
    return idle.pid();
  });
}

TEST_F(RoundTrip, WholeGroup) {
  if (!memory().v2) GTEST_SKIP() << "memory.oom.group exists in cgroup version 2 only";
  expect_same_story([this] {
    Cgroup box(memory(), Cgroup::unique("trip"));
    box.limit(32 * kMiB);
    box.kill_as_group();
    Provoked member({.words = "adj=1000 before=2", .cgroup = &box});
    Provoked hog({.words = "adj=1000 alloc=max", .cgroup = &box});
    hog.go();
    hog.wait_killed();
    member.wait_killed();
    return hog.pid();
  });
}

class RoundTripOfHost : public GuestTest {};

// Every process of the guest is in the table, and the victim's memory changes while it is told:
// what is compared is who, by whom, and why.
TEST_F(RoundTripOfHost, NoMemoryLeft) {
  Tracer tracer;
  SKIP_UNLESS_READY(tracer);
  const Provoked idle({.words = "adj=1000 before=200", .argv = {"idle"}});
  Provoked asker({.words = "alloc=350"});
  asker.go();
  asker.wait_done();
  const json live = tracer.incident();
  const json log = whole_in_log(idle.pid());
  ASSERT_FALSE(log.is_null()) << "the kernel's log does not tell of the kill";
  expect_agreement(live, log);
  EXPECT_EQ(log.at("/scope/constraint"_json_pointer), "none");
  EXPECT_FALSE(log.at("/system/zones"_json_pointer).empty());
}

}  // namespace
}  // namespace oomwitness::live
