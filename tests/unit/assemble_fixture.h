// SPDX-License-Identifier: BSD-2-Clause
// A kill to vary: observations with everything in them, and a recorder of what comes out.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

#include "assemble/assembler.h"

namespace oomwitness::testing {

inline constexpr std::uint64_t kMs = 1'000'000;
inline constexpr std::uint64_t kT0 = 1'000'000 * kMs;
inline constexpr std::int64_t kUnixMinusMonotonic = 1'700'000'000'000'000'000;
inline constexpr std::int64_t kUnixMinusBoottime = 1'600'000'000'000'000'000;

inline AssemblerConfig config_of_full_host() {
  AssemblerConfig config;
  config.host = {.name = "box",
                 .boot_id = "b00t",
                 .kernel = "6.12",
                 .arch = "x86_64",
                 .page_size_bytes = 4096};
  config.unix_minus_monotonic_ns = kUnixMinusMonotonic;
  config.unix_minus_boottime_ns = kUnixMinusBoottime;
  config.hooks = {{"oom_kill_process", "fentry"}, {"mark_victim", "tp_btf"}};
  config.sources = {"bpf", "proc", "kmsg"};
  config.decode_gfp = [](std::uint32_t) { return std::vector<std::string>{"GFP_KERNEL"}; };
  return config;
}

inline AssemblerConfig config_of_tracepoints() {
  AssemblerConfig config = config_of_full_host();
  config.hooks = {{"oom_kill_process", "none"}, {"mark_victim", "tp_btf"}};
  config.missing = {{"gfp", "no decision hook: EPERM"}, {"cmdline", "no signal_deliver hook"}};
  return config;
}

inline InvokerTask invoker(std::uint32_t tid = 501) {
  return {.pid = 500, .tid = tid, .uid = 33, .oom_score_adj = -5, .comm = "asker"};
}

inline Decision decision(DecisionId id, std::uint64_t at, std::uint32_t pid = 100) {
  Decision out;
  out.at_ns = at;
  out.id = id;
  out.invoker = invoker();
  out.invoker_cgroup = "/asking";
  out.gfp_mask = 0xcc0U;
  out.order = 0;
  out.constraint = 3U;
  out.total_pages = 5120U;
  out.chosen = Decision::Chosen{.pid = pid, .tid = pid, .comm = "hog", .points = 4456, .state = {}};
  out.scanned = true;
  out.memcg = true;
  out.message = "Memory cgroup out of memory";
  out.mems_allowed = "0";
  return out;
}

inline MemcgLevel level(std::string path, std::uint64_t usage, std::uint64_t limit) {
  MemcgLevel out;
  out.path = std::move(path);
  out.usage_bytes = usage;
  out.limit_bytes = limit;
  return out;
}

inline MemcgChain chain(DecisionId id, std::uint64_t at, bool of_limit = true) {
  MemcgChain out;
  out.at_ns = at;
  out.id = id;
  out.of_limit = of_limit;
  out.victim_pid = of_limit ? 0 : 100;
  out.levels = {level("/a/b", 10, 20), level("/a", 30, 40), level("/", 50, 60)};
  return out;
}

inline CandidateList candidates(DecisionId id, std::uint64_t at) {
  CandidateList out;
  out.at_ns = at;
  out.id = id;
  out.considered = 3;
  out.unkillable = 1;
  out.top = {
      {.pid = 100, .comm = "hog", .points = 4456, .uid = 7, .oom_score_adj = 0, .memory = {}}};
  return out;
}

inline Stacks stacks(DecisionId id, std::uint64_t at) {
  return {.at_ns = at,
          .id = id,
          .kernel = {{.address = 1, .symbol = "oom_kill_process+0x1"}},
          .user = {{.build_id = "ab", .offset = 2}}};
}

inline SystemMemory system_memory(DecisionId id, std::uint64_t at, std::string source = "bpf") {
  SystemMemory out;
  out.at_ns = at;
  out.id = id;
  out.system = {
      .meminfo_bytes = {{"MemTotal", 8192}}, .swap_bytes = {}, .source = std::move(source)};
  return out;
}

inline VictimTask task(DecisionId id, std::uint64_t at, std::uint32_t pid = 100,
                       SeenAt seen_at = SeenAt::kKill) {
  VictimTask out;
  out.at_ns = at;
  out.id = id;
  out.seen_at = seen_at;
  out.pid = pid;
  out.tid = pid;
  out.ppid = 1;
  out.uid = 7;
  out.threads = 1;
  out.start_boottime_ns = pid * kMs;
  out.comm = "hog";
  out.memory = {.total_vm_bytes = 9000,
                .anon_rss_bytes = 8000,
                .file_rss_bytes = 0,
                .shmem_rss_bytes = 0,
                .swap_bytes = 0,
                .pgtables_bytes = 100};
  out.cgroup = "/a/b";
  out.exe = "/usr/bin/hog";
  out.ns_pids = {{.pid = pid, .ns_inum = 1}};
  out.ancestry = {{.pid = 1, .comm = "init"}};
  if (seen_at != SeenAt::kDeliver) out.invoker = invoker();
  return out;
}

inline VictimTask group_task(DecisionId id, std::uint64_t at, std::uint32_t pid,
                             SeenAt seen_at = SeenAt::kKill) {
  VictimTask out = task(id, at, pid, seen_at);
  out.oom_group = true;
  return out;
}

inline Marked marked(DecisionId id, std::uint64_t at, std::uint32_t pid = 100) {
  Marked out;
  out.at_ns = at;
  out.id = id;
  out.pid = pid;
  out.tid = pid;
  out.invoker = invoker();
  return out;
}

// What kernels with an int argument give.
inline Marked marked_tid(DecisionId id, std::uint64_t at, std::uint32_t tid) {
  Marked out = marked(id, at, tid);
  out.pid.reset();
  return out;
}

inline Delivered delivered(DecisionId id, std::uint64_t at, std::uint32_t pid = 100) {
  Delivered out;
  out.at_ns = at;
  out.id = id;
  out.pid = pid;
  out.tid = pid;
  out.argv = std::string("hog\0-x\0", 7);
  out.argv_bytes = 7;
  return out;
}

inline Exited exited(DecisionId id, std::uint64_t at, std::uint32_t pid = 100) {
  return {.at_ns = at, .id = id, .pid = pid, .exit_code = 9};
}

inline Reaped reaped(std::uint64_t at, std::uint32_t tid, ReapPhase phase) {
  return {.at_ns = at, .id = 0, .tid = tid, .phase = phase};
}

inline ProcFacts facts(std::uint64_t at, std::uint32_t pid = 100) {
  ProcFacts out;
  out.at_ns = at;
  out.pid = pid;
  out.start_boottime_ns = pid * kMs;
  out.cmdline = std::vector<std::string>{"hog", "from-proc"};
  out.exe = "/proc/hog";
  out.user = "joe";
  out.cgroup = "/proc-cgroup";
  out.unit = "hog.service";
  return out;
}

inline MemcgStat memcg_stat(DecisionId id, std::uint64_t at) {
  return {.at_ns = at, .id = id, .stat = {{"anon", 12}}};
}

inline LogReport log_report(std::uint64_t at, std::uint32_t pid = 100) {
  LogReport out;
  out.at_ns = at;
  out.scope.constraint = "memcg";
  Memcg memcg;
  memcg.self = level("/a", 31, 41);
  out.scope.memcg = memcg;
  out.invoker.comm = "log-asker";
  out.invoker.order = 2;
  out.invoker.gfp = Gfp{.mask = 0xdc0, .flags = {"GFP_USER"}};
  Victim victim;
  victim.pid = pid;
  victim.comm = "log-hog";
  victim.uid = 8;
  victim.memory.anon_rss_bytes = 77;
  out.victims = {victim};
  out.candidates.listed = 4;
  return out;
}

// Runs observations; `now` is their own time unless told.
class Bench {
 public:
  explicit Bench(AssemblerConfig config = config_of_full_host())
      : assembler_(std::move(config), [this](const Incident& one) { out.push_back(one); }) {}
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;
  ~Bench() = default;

  template <typename... Seen>
  Bench& see(const Seen&... seen) {
    (see_at(seen.at_ns, seen), ...);
    return *this;
  }
  Bench& see_at(std::uint64_t now, const Observation& seen) {
    assembler_.observe(seen, now);
    return *this;
  }
  Bench& advance(std::uint64_t now) {
    assembler_.advance(now);
    return *this;
  }
  Bench& flush(std::uint64_t now) {
    assembler_.flush(now);
    return *this;
  }
  std::optional<std::uint64_t> deadline() const { return assembler_.next_deadline(); }
  // One kill from the decision to the exit, all records, 5 ms.
  Bench& whole_kill(DecisionId id, std::uint64_t at, std::uint32_t pid = 100) {
    see(decision(id, at, pid), chain(id, at), candidates(id, at), stacks(id, at),
        system_memory(id, at), task(id, at + 1, pid), marked(id, at + kMs, pid),
        delivered(id, at + 2 * kMs, pid));
    return see(facts(at + 3 * kMs, pid), memcg_stat(id, at + 3 * kMs),
               exited(id, at + 5 * kMs, pid));
  }

  std::vector<Incident> out;

 private:
  Assembler assembler_;
};

inline std::vector<std::uint32_t> pids(const Incident& incident) {
  std::vector<std::uint32_t> out;
  for (const Victim& victim : incident.victims) out.push_back(victim.pid.value_or(0));
  return out;
}

inline std::vector<Role> roles(const Incident& incident) {
  std::vector<Role> out;
  for (const Victim& victim : incident.victims) out.push_back(victim.role);
  return out;
}

}  // namespace oomwitness::testing
