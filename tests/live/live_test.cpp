// SPDX-License-Identifier: BSD-2-Clause
#include "live_test.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

namespace oomwitness::live {
namespace {

std::uint64_t number_or_zero(const json& object, const char* key) {
  return object.is_object() && object.contains(key) ? object[key].get<std::uint64_t>() : 0;
}

const json& at(const json& object, const std::string& pointer) {
  static const json absent;
  const json::json_pointer where(pointer);
  return object.contains(where) ? object.at(where) : absent;
}

// Classic tracepoints are attached by an id that tracefs gives. A container has none mounted: mount
// it where only this process and its children see it.
class TraceFs : public ::testing::Environment {
 public:
  void SetUp() override {
    constexpr const char* kPoint = "/sys/kernel/tracing";
    if (access("/sys/kernel/tracing/events", F_OK) == 0 || geteuid() != 0) return;
    if (unshare(CLONE_NEWNS) == 0 &&
        mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0)
      mount("tracefs", kPoint, "tracefs", 0, nullptr);
  }
};

// GoogleTest's own way to register one.
const ::testing::Environment* const kTraceFs =
    ::testing::AddGlobalTestEnvironment(std::make_unique<TraceFs>().release());

}  // namespace

void ProvokingTest::SetUp() {
  if (geteuid() != 0) GTEST_SKIP() << "provoking kills in cgroups needs root";
  memory_ = Hierarchy::find("memory");
  if (!memory_) GTEST_SKIP() << "no memory controller that could be used here";
  // Grandchildren come to us when their parent ends, and can be waited for.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
}

void LiveTest::SetUp() {
  ProvokingTest::SetUp();
  if (IsSkipped()) return;
  ASSERT_EQ(access(tracer_path().c_str(), X_OK), 0)
      << "no tracer at '" << tracer_path() << "': build it, or set OOMWITNESS_BIN";
}

bool has_bpf() {
  constexpr std::uint64_t kSysAdmin = 1ULL << 21U;
  constexpr std::uint64_t kPerfmonAndBpf = 3ULL << 38U;
  if (access("/sys/kernel/btf/vmlinux", R_OK) != 0) return false;
  const std::string status = read_file("/proc/self/status");
  const std::size_t at = status.find("CapEff:");
  if (at == std::string::npos) return false;
  const std::uint64_t effective = std::strtoull(status.c_str() + at + 7, nullptr, 16);
  return (effective & kSysAdmin) != 0 || (effective & kPerfmonAndBpf) == kPerfmonAndBpf;
}

void GuestTest::SetUp() {
  const char* guest = std::getenv("OOMWITNESS_GUEST");
  if (guest == nullptr || std::string(guest) != "1")
    GTEST_SKIP() << "could hurt this host: runs in throw-away guests (OOMWITNESS_GUEST=1)";
  LiveTest::SetUp();
}

namespace {

// \x5c and \x80 to \xff, lower case, spell a byte; any other backslash is one.
std::optional<char> spelt_byte(const std::string& text, std::size_t at) {
  const std::string digits = "0123456789abcdef";
  if (text.compare(at, 2, "\\x") != 0 || at + 4 > text.size()) return std::nullopt;
  const std::size_t high = digits.find(text[at + 2]);
  const std::size_t low = digits.find(text[at + 3]);
  if (high == std::string::npos || low == std::string::npos) return std::nullopt;
  const std::size_t byte = high * 16 + low;
  if (byte < 0x80 && byte != 0x5c) return std::nullopt;
  return static_cast<char>(byte);
}

}  // namespace

std::string bytes_of(const json& text) {
  if (!text.is_string()) return "(" + text.dump() + ")";
  const auto& in = text.get_ref<const std::string&>();
  std::string out;
  for (std::size_t at = 0; at < in.size();) {
    const auto byte = spelt_byte(in, at);
    out += byte.value_or(in[at]);
    at += byte ? 4U : 1U;
  }
  return out;
}

std::vector<std::string> all_bytes_of(const json& texts) {
  std::vector<std::string> all;
  for (const json& each : texts) all.push_back(bytes_of(each));
  return all;
}

json victim_with(const json& incident, pid_t pid) {
  for (const json& victim : at(incident, "/victims"))
    if (at(victim, "/pid") == pid) return victim;
  ADD_FAILURE() << "no victim with pid " << pid << " in " << incident.dump();
  return nullptr;
}

void expect_between(const json& number, std::uint64_t low, std::uint64_t high, const char* name) {
  if (!number.is_number()) {
    ADD_FAILURE() << name << " is " << number.dump();
    return;
  }
  EXPECT_GE(number.get<std::uint64_t>(), low) << name;
  EXPECT_LE(number.get<std::uint64_t>(), high) << name;
}

void expect_timeline(const json& victim) {
  const json& timeline = at(victim, "/timeline");
  const std::uint64_t marked = number_or_zero(timeline, "marked_ns");
  const std::uint64_t signalled = number_or_zero(timeline, "signalled_ns");
  const std::uint64_t exited = number_or_zero(timeline, "exited_ns");
  EXPECT_GT(marked, 0U) << timeline.dump();
  EXPECT_GT(signalled, 0U) << timeline.dump();
  // The kernel sends SIGKILL before it marks: on another CPU the victim may be gone by then.
  EXPECT_GT(exited, signalled) << timeline.dump();
}

namespace {

// provenance.missing says why a field is absent: of a field that is there it must say nothing.
void expect_missing_is_missing(const json& incident) {
  for (const auto& [field, why] : at(incident, "/provenance/missing").items()) {
    std::string pointer = "/" + (field == "candidates" ? "candidates.top" : field);
    for (char& each : pointer)
      if (each == '.' || each == '[') each = '/';
    pointer.erase(std::remove(pointer.begin(), pointer.end(), ']'), pointer.end());
    EXPECT_TRUE(at(incident, pointer).empty()) << field << " is there, and is missing: " << why;
  }
}

}  // namespace

void expect_victim(const json& incident, const ExpectedVictim& expected) {
  SCOPED_TRACE("victim " + std::to_string(expected.pid));
  const json victim = victim_with(incident, expected.pid);
  if (victim.is_null()) return;
  EXPECT_EQ(bytes_of(at(victim, "/comm")), expected.comm);
  EXPECT_EQ(all_bytes_of(at(victim, "/cmdline")), expected.cmdline);
  EXPECT_EQ(bytes_of(at(victim, "/exe")), expected.exe);
  EXPECT_EQ(at(victim, "/uid"), expected.uid);
  EXPECT_EQ(bytes_of(at(victim, "/cgroup")), expected.cgroup);
  EXPECT_EQ(at(victim, "/oom_score_adj"), expected.adj);
  EXPECT_EQ(at(victim, "/ppid"), getpid());
  EXPECT_EQ(at(victim, "/ancestry/0/pid"), getpid());
  // Without function hooks nothing tells a chosen victim from one that was exiting already.
  if (victim.contains("role")) {
    EXPECT_EQ(victim["role"], expected.role);
  }
  EXPECT_EQ(at(incident, "/schema"), "oomwitness/incident/v1");
  EXPECT_EQ(at(incident, "/killer"), "kernel");
  EXPECT_LE(at(incident, "/provenance/lost_events"), expected.lost_at_most);
  expect_missing_is_missing(incident);
}

namespace {

void expect_scope(const json& incident, const ExpectedDecision& expected) {
  EXPECT_EQ(at(incident, "/scope/constraint"), "memcg");
  const json& memcg = at(incident, "/scope/memcg");
  EXPECT_EQ(bytes_of(at(memcg, "/path")), expected.limited->path());
  EXPECT_EQ(at(memcg, "/limit_bytes"), expected.limit_bytes);
  // The charge that failed was undone before the choice; other CPUs hold some pages in stock.
  expect_between(at(memcg, "/usage_bytes"), expected.limit_bytes - 2 * kMiB,
                 expected.limit_bytes + kMiB, "usage of the limited cgroup");
  std::vector<std::string> ancestors;
  for (const json& each : at(memcg, "/ancestors")) ancestors.push_back(bytes_of(at(each, "/path")));
  // The root has no limit: it may be left out.
  if (!ancestors.empty() && ancestors.back() == "/") ancestors.pop_back();
  EXPECT_EQ(ancestors, expected.ancestors);
}

void expect_invoker(const json& incident, const ExpectedDecision& expected) {
  const json& invoker = at(incident, "/invoker");
  EXPECT_EQ(at(invoker, "/pid"), expected.invoker);
  EXPECT_EQ(at(invoker, "/tid"), expected.invoker_tid);
  EXPECT_EQ(bytes_of(at(invoker, "/cgroup")), expected.invoker_cgroup);
  EXPECT_EQ(at(invoker, "/order"), 0);
  const auto flags = all_bytes_of(at(invoker, "/gfp/flags"));
  EXPECT_TRUE(std::find(flags.begin(), flags.end(), "GFP_KERNEL") != flags.end())
      << at(invoker, "/gfp").dump();
  EXPECT_FALSE(at(invoker, "/kernel_stack").empty());
}

// The kernel's sum, oom_badness() in mm/oom_kill.c: resident + swap + page tables, in pages, and
// oom_score_adj thousandths of the allowance.
void expect_points_add_up(const json& incident, const json& candidate) {
  const json& sizes = candidate.contains("memory") ? candidate["memory"] : candidate;
  const std::uint64_t page = at(incident, "/host/page_size_bytes").get<std::uint64_t>();
  std::uint64_t bytes = 0;
  for (const char* key :
       {"anon_rss_bytes", "file_rss_bytes", "shmem_rss_bytes", "swap_bytes", "pgtables_bytes"})
    bytes += number_or_zero(sizes, key);
  const auto total = at(incident, "/candidates/total_pages").get<std::int64_t>();
  const auto adj = at(candidate, "/oom_score_adj").get<std::int64_t>();
  const auto sum = static_cast<std::int64_t>(bytes / page) + adj * (total / 1000);
  // Counters are summed at slightly different moments and lag by up to a batch for each CPU.
  EXPECT_NEAR(static_cast<double>(at(candidate, "/points").get<std::int64_t>()),
              static_cast<double>(sum), 512)
      << candidate.dump();
}

// Points that are our own sum, not what oom_badness() returned, lag as the sizes do where counters
// are kept for each CPU (mm_struct.rss_stat, v6.2).
bool sums_may_lag(const json& incident) {
  int major = 0;
  int minor = 0;
  const auto release = at(incident, "/host/kernel").get<std::string>();
  EXPECT_EQ(std::sscanf(release.c_str(), "%d.%d", &major, &minor), 2) << release;
  const bool own_sum = at(incident, "/provenance/missing").contains("candidates.points");
  return own_sum && std::pair(major, minor) >= std::pair(6, 2);
}

void expect_candidates(const json& incident, const ExpectedDecision& expected) {
  const json& candidates = at(incident, "/candidates");
  EXPECT_EQ(at(candidates, "/considered"), expected.candidates.size());
  std::vector<pid_t> pids;
  std::int64_t above = INT64_MAX;
  for (const json& each : at(candidates, "/top")) {
    pids.push_back(each.at("pid").get<pid_t>());
    const auto points = each.at("points").get<std::int64_t>();
    EXPECT_LE(points, above) << "most points first";
    above = points;
    expect_points_add_up(incident, each);
    if (pids.back() == expected.selected) {
      const double apart = sums_may_lag(incident) ? 512 : 0;
      const auto selected = at(incident, "/selected/points").get<std::int64_t>();
      EXPECT_NEAR(static_cast<double>(points), static_cast<double>(selected), apart);
      EXPECT_EQ(at(victim_with(incident, expected.selected), "/points"), selected);
    }
  }
  std::vector<pid_t> all = expected.candidates;
  std::sort(all.begin(), all.end());
  std::sort(pids.begin(), pids.end());
  EXPECT_EQ(pids, all);
}

}  // namespace

void expect_decision(const Tracer& tracer, const json& incident, const ExpectedDecision& expected) {
  SCOPED_TRACE("decision");
  if (!tracer.sees_decision()) return;
  expect_scope(incident, expected);
  expect_invoker(incident, expected);
  EXPECT_EQ(at(incident, "/selected/pid"), expected.selected);
  if (tracer.sees_candidates() && tracer.is_on("out_of_memory"))
    expect_candidates(incident, expected);
}

}  // namespace oomwitness::live
