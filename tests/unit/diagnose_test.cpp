// SPDX-License-Identifier: BSD-2-Clause
// A positive and a near miss for every cause.
#include "diagnose/diagnose.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diagnose/rules.h"
#include "diagnose_fixture.h"

namespace oomwitness {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

bool supports(const Diagnosis& diagnosis, const std::string& cause) {
  return diagnosis.cause == cause ||
         std::find(diagnosis.also.begin(), diagnosis.also.end(), cause) != diagnosis.also.end();
}

std::vector<Candidate> workers(std::uint32_t count, std::uint64_t bytes) {
  std::vector<Candidate> rows;
  for (std::uint32_t i = 0; i < count; ++i) rows.push_back(task(100 + i, "worker", bytes));
  return rows;
}

Incident storm(std::uint64_t count) {
  Incident incident = on_host({task(1000, "forker", 4 * kMib), task(1, "init", kMib)});
  incident.candidates.considered.reset();
  incident.candidates.listed = 600;
  incident.candidates.listed_memory = anon(12 * kGib);
  NameTotal name;
  name.comm = "forker";
  name.count = count;
  name.memory = anon(11 * kGib);
  incident.candidates.by_name = {name};
  return incident;
}

Incident ordered(std::int32_t order, std::vector<Zone> zones, const char* flag = "GFP_KERNEL") {
  Incident incident = on_host({task(7, "small", 10 * kMib), task(8, "other", 9 * kMib)});
  incident.invoker.order = order;
  incident.invoker.gfp = Gfp{.mask = 1, .flags = {flag}};
  incident.system.zones = std::move(zones);
  return incident;
}

Incident host_with(const std::string& key, std::uint64_t bytes) {
  Incident incident = on_host({task(7, "small", 10 * kMib), task(8, "other", 9 * kMib)});
  incident.system.meminfo_bytes[key] = bytes;
  return incident;
}

Incident accounted(std::uint64_t free) {
  return with(host_with("MemFree", free), [](Incident& i) {
    for (const char* key : {"Active(anon)", "Inactive(anon)", "Active(file)", "Inactive(file)",
                            "PageTables", "KernelStack", "SReclaimable", "SUnreclaim"})
      i.system.meminfo_bytes[key] = kGib;
  });
}

struct Case {
  std::string name;
  std::string cause;
  Incident positive;
  bool leads;  // the cause itself, not only beside another
  Incident near_miss;
};

std::vector<Case> limit_cases() {
  const auto hog = under_limit({task(7, "hog", 400 * kMib), task(8, "sh", kMib)});
  const auto many = under_limit(workers(10, 45 * kMib));
  const auto with_stat = [&](const char* key, std::uint64_t bytes, std::uint64_t writeback) {
    return with(under_limit({task(7, "dd", 4 * kMib), task(8, "sh", kMib)}), [&](Incident& i) {
      i.scope.memcg->stat = {{key, bytes}, {"file_writeback", writeback}, {"anon", 5 * kMib}};
    });
  };
  return {
      {"single", "own-limit-single-consumer", hog, true, many},
      {"many", "own-limit-many-consumers", many, true, hog},
      {"tiny_limit", "own-limit-below-working-set",
       with(hog, [](Incident& i) { i.scope.memcg->self.limit_bytes = 3 * kMib; }), true, hog},
      {"kernel_part", "own-limit-below-working-set", with_stat("kernel", 300 * kMib, 0), true,
       with_stat("kernel", 200 * kMib, 0)},
      {"lowered", "own-limit-lowered",
       with(hog, [](Incident& i) { i.scope.memcg->self.usage_bytes = 530 * kMib; }), true,
       with(hog, [](Incident& i) { i.scope.memcg->self.usage_bytes = 514 * kMib; })},
      {"written", "own-limit-lowered",
       with(hog,
            [](Incident& i) {
              i.invoker.kernel_stack = {{0, "try_to_free_mem_cgroup_pages+0x1/0x2"},
                                        {0, "memory_max_write+0x10/0x20"}};
            }),
       true,
       with(hog,
            [](Incident& i) {
              i.invoker.kernel_stack = {{0, "memory_max_write_x+0x1/2"}};
            })},
      {"ancestor", "ancestor-limit",
       under_limit({task(7, "hog", 400 * kMib), task(8, "sh", kMib)}, "/a/b"), true,
       under_limit({task(7, "hog", 400 * kMib), task(8, "sh", kMib)}, "/ab")},
      {"dirty", "dirty-page-cache", with_stat("file_dirty", 400 * kMib, 0), true,
       with_stat("file_dirty", 400 * kMib, 100 * kMib)},
      {"of_cgroup", "shmem-tmpfs", with_stat("shmem", 400 * kMib, 0), true,
       with_stat("shmem", 200 * kMib, 0)},
  };
}

std::vector<Case> host_cases() {
  const auto hog = on_host({task(7, "hog", 9 * kGib), task(8, "sh", kMib)});
  const auto many = on_host(workers(10, kGib + kGib / 4));
  const auto spared = on_host({task(7, "web", kGib), task(8, "db", 9 * kGib, -900)});
  const auto swap = [&](std::uint64_t free) {
    return with(hog, [&](Incident& i) {
      i.system.swap_bytes = {{"total", 4 * kGib}, {"free", free}};
    });
  };
  const auto killed_at = [&](std::uint64_t exited_ns) {
    return with(hog, [&](Incident& i) {
      i.victims[0].timeline.marked_ns = 1'000'000'000;
      i.victims[0].timeline.exited_ns = exited_ns;
    });
  };
  return {
      {"hog", "host-single-hog", hog, true, many},
      {"leader", "host-single-hog", on_host({task(7, "hog", 7 * kGib), task(8, "b", 2 * kGib)}),
       true, on_host({task(7, "hog", 7 * kGib), task(8, "b", 3 * kGib)})},
      {"many", "host-many", many, true, hog},
      {"protected", "host-hog-protected", spared, true,
       on_host({task(7, "web", kGib), task(8, "db", 9 * kGib, 100)})},
      {"storm", "fork-storm", storm(500), false, storm(150)},
      {"swap", "swap-full", swap(10 * kMib), false, swap(kGib)},
      {"stuck", "stuck-victim", killed_at(20'000'000'000), false, killed_at(2'000'000'000)},
      {"skipped", "stuck-victim",
       with(hog, [](Incident& i) { i.victims[0].timeline.reap_skipped = true; }), false,
       with(killed_at(1'500'000'000),
            [](Incident& i) { i.victims[0].timeline.reap_skipped = true; })},
  };
}

std::vector<Case> kind_cases() {
  const auto pinned = [](std::uint64_t mlocked) {
    return with(host_with("Unevictable", 8 * kGib),
                [&](Incident& i) { i.system.meminfo_bytes["Mlocked"] = mlocked; });
  };
  return {
      {"shmem", "shmem-tmpfs", host_with("Shmem", 6 * kGib), true, host_with("Shmem", 4 * kGib)},
      {"slab", "kernel-memory", host_with("Slab", 6 * kGib), true, host_with("Slab", 4 * kGib)},
      {"unaccounted", "unaccounted", accounted(kGib), true, accounted(6 * kGib)},
      {"mlocked", "mlocked", host_with("Mlocked", 6 * kGib), true, host_with("Mlocked", 4 * kGib)},
      {"ramfs", "ramfs", pinned(kGib), true, pinned(7 * kGib)},
      {"hugetlb", "hugetlb", host_with("Hugetlb", 9 * kGib), true, host_with("Hugetlb", 3 * kGib)},
  };
}

std::vector<Case> place_cases() {
  const auto nodes = on_host({task(7, "hog", kGib), task(8, "sh", kMib)});
  const Zone broken = zone(0, "Normal", 200 * kMib, 60 * kMib, {50'000, 0, 0, 0});
  const Zone whole = zone(0, "Normal", 200 * kMib, 60 * kMib, {1'000, 0, 0, 5});
  return {
      {"fragmented", "fragmentation", ordered(3, {broken}), true, ordered(3, {whole})},
      {"order_zero", "fragmentation", ordered(3, {broken}), true, ordered(0, {broken})},
      {"below_watermark", "fragmentation", ordered(3, {broken}), true,
       ordered(3, {zone(0, "Normal", 50 * kMib, 60 * kMib, {12'000, 0, 0, 0})})},
      {"lowmem", "zone-exhausted",
       ordered(0, {zone(0, "Normal", 3 * kMib, 3 * kMib), zone(0, "HighMem", kGib, 0)}), true,
       ordered(0, {zone(0, "Normal", 3 * kMib, 3 * kMib), zone(0, "HighMem", kGib, 0)},
               "GFP_HIGHUSER")},
      {"cpuset", "cpuset-or-mempolicy",
       with(nodes, [](Incident& i) { i.scope.constraint = "cpuset"; }), true, nodes},
      {"nodes_seen", "cpuset-or-mempolicy",
       with(nodes,
            [](Incident& i) {
              i.scope.constraint.reset();
              i.scope.mems_allowed = "1";
              i.system.zones = {zone(0, "Normal", 4 * kGib, kMib), zone(1, "Normal", kMib, kMib)};
            }),
       true,
       with(nodes,
            [](Incident& i) {
              i.scope.constraint.reset();
              i.scope.mems_allowed = "0-1";
              i.system.zones = {zone(0, "Normal", 4 * kGib, kMib), zone(1, "Normal", kMib, kMib)};
            })},
  };
}

std::vector<Case> event_cases() {
  const auto hog = on_host({task(7, "hog", 9 * kGib), task(8, "sh", kMib)});
  const auto panicked = [&](const char* why) {
    return with(hog, [&](Incident& i) { i.scope.panic = why; });
  };
  return {
      {"sysrq", "sysrq", with(hog, [](Incident& i) { i.scope.sysrq = true; }), true,
       with(hog, [](Incident& i) { i.scope.sysrq = false; })},
      {"policy", "policy-kill", with(hog, [](Incident& i) { i.scope.constraint = "bpf-psi"; }),
       true, hog},
      {"bpf", "policy-kill",
       with(hog,
            [](Incident& i) {
              i.invoker.kernel_stack = {{0, "bpf_oom_kill_process+0x1/0x2"}};
            }),
       true,
       with(hog,
            [](Incident& i) {
              i.invoker.kernel_stack = {{0, "bpf_trampoline_6442517716+0x76/0x1000"}};
            })},
      {"killer", "user-space-killer", with(hog, [](Incident& i) { i.killer = "earlyoom"; }), true,
       hog},
      {"compulsory", "panic-on-oom", panicked("Out of memory: compulsory panic_on_oom is enabled"),
       true, panicked("System is deadlocked on memory")},
      {"deadlock", "no-killable-task", panicked("System is deadlocked on memory"), true,
       panicked("Attempted to kill init! exitcode=0x00000009")},
      {"nobody", "no-killable-task", with(hog, [](Incident& i) { i.scope.no_killable = true; }),
       true, with(hog, [](Incident& i) { i.scope.no_killable = false; })},
      {"thin", "insufficient-evidence", with(Incident{}, [](Incident& i) { i.id = "x"; }), true,
       hog},
  };
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const auto& part : {limit_cases(), host_cases(), kind_cases(), place_cases(), event_cases()})
    cases.insert(cases.end(), part.begin(), part.end());
  return cases;
}

class Cause : public testing::TestWithParam<Case> {};

TEST_P(Cause, IsFound) {
  const Diagnosis diagnosis = diagnose(GetParam().positive);
  if (GetParam().leads)
    EXPECT_EQ(diagnosis.cause, GetParam().cause) << diagnosis.summary;
  else
    EXPECT_THAT(diagnosis.also, Contains(GetParam().cause));
  EXPECT_FALSE(diagnosis.summary.empty());
  EXPECT_FALSE(diagnosis.evidence.empty());
}

TEST_P(Cause, IsNotFoundInANearMiss) {
  const Diagnosis diagnosis = diagnose(GetParam().near_miss);
  EXPECT_FALSE(supports(diagnosis, GetParam().cause)) << diagnosis.summary;
}

INSTANTIATE_TEST_SUITE_P(Each, Cause, testing::ValuesIn(all_cases()), [](const auto& tested) {
  std::string name = tested.param.cause + "_" + tested.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(CauseTable, HasACaseForEveryRule) {
  std::vector<std::string> tested{"repeated-kills"};  // below: it needs earlier kills
  for (const Case& one : all_cases()) tested.push_back(one.cause);
  for (const Rule& rule : rules()) EXPECT_THAT(tested, Contains(std::string(rule.cause)));
}

TEST(Protected, NeedsSomebodyWhoDied) {
  Incident incident = on_host({task(7, "web", kGib), task(8, "db", 9 * kGib, -900)});
  incident.victims.clear();
  incident.scope.no_killable = true;
  EXPECT_THAT(diagnose(incident).also, Not(Contains("host-hog-protected")));
}

TEST(Repeats, OfOneCgroupAreStrongWithinAMinute) {
  Incident incident = under_limit({task(7, "hog", 400 * kMib), task(8, "sh", kMib)});
  incident.time_unix_ns = 1'000'000'000'000;
  const Earlier before{.time_unix_ns = 970'000'000'000, .pid = 5, .comm = "x", .cgroup = "/a"};
  const Diagnosis diagnosis = diagnose(incident, std::vector<Earlier>{before});
  EXPECT_THAT(diagnosis.also, Contains("repeated-kills"));
  EXPECT_THAT(diagnosis.evidence, Contains(HasSubstr("the last time 30.0 s earlier")));
}

TEST(Repeats, HoursApartAreSaidToBeOnlyPerhapsAJob) {
  Incident incident = under_limit({task(7, "hog", 400 * kMib), task(8, "sh", kMib)});
  incident.time_unix_ns = 36'000'000'000'000;
  const Earlier before{.time_unix_ns = 1'000'000'000, .pid = 5, .comm = "hog"};
  EXPECT_THAT(diagnose(incident, std::vector<Earlier>{before}).evidence,
              Contains(HasSubstr("a recurring job may be the reason")));
}

TEST(Repeats, TheSamePidTwiceIsOneKill) {
  Incident incident = under_limit({task(7, "hog", 400 * kMib), task(8, "sh", kMib)});
  incident.time_unix_ns = 1'000'000'000'000;
  const Earlier echo{.time_unix_ns = 999'000'000'000, .pid = 7, .comm = "hog", .cgroup = "/a"};
  EXPECT_THAT(diagnose(incident, std::vector<Earlier>{echo}).also, Not(Contains("repeated-kills")));
}

TEST(Repeats, AreRememberedButNotAcrossUpdatesOfOneIncident) {
  Diagnostician diagnostician;
  Incident first = under_limit({task(7, "hog", 400 * kMib), task(8, "sh", kMib)});
  diagnostician(first);
  Incident update = first;
  update.revision = 1;
  diagnostician(update);
  EXPECT_EQ(update.diagnosis, first.diagnosis);
  Incident next = under_limit({task(17, "hog", 400 * kMib), task(8, "sh", kMib)});
  next.id = "next";
  diagnostician(next);
  EXPECT_THAT(next.diagnosis->also, Contains("repeated-kills"));
}

}  // namespace
}  // namespace oomwitness
