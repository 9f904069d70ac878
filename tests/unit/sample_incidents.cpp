// SPDX-License-Identifier: BSD-2-Clause
#include "sample_incidents.h"

#include <cstdint>
#include <limits>

namespace oomwitness {
namespace {

constexpr std::uint64_t kKib = 1024;
constexpr std::uint64_t kMib = 1024 * kKib;
constexpr std::uint64_t kGib = 1024 * kMib;
constexpr std::uint64_t kDecisionNs = 86'400'000'000'000;
constexpr std::int64_t kTimeNs = 1'795'397'025'123'456'789;  // 2026-11-23T01:23:45Z

Incident base(const std::string& id) {
  Incident i;
  i.id = id;
  i.time_unix_ns = kTimeNs;
  i.monotonic_ns = kDecisionNs;
  i.host = {"db7.example.org", "7f0c1c0a-53a3-4b0e-9f38-0d6a2f6e4c11", "6.1.0-50-amd64", "x86_64",
            4096};
  i.provenance.sources = {"bpf", "proc"};
  i.provenance.hooks = {{"oom_kill_process", "fentry"},   {"__oom_kill_process", "fentry"},
                        {"oom_badness", "fexit"},         {"mark_victim", "tp_btf"},
                        {"signal_deliver", "tracepoint"}, {"sched_process_exit", "tracepoint"}};
  return i;
}

Memory memory(std::uint64_t vm, std::uint64_t anon, std::uint64_t file, std::uint64_t shmem,
              std::uint64_t swap, std::uint64_t pgtables) {
  return {vm, anon, file, shmem, swap, pgtables};
}

Candidate candidate(std::uint32_t pid, const char* comm, std::int64_t points, std::int32_t adj,
                    std::uint32_t uid, const Memory& m) {
  return {pid, comm, points, uid, adj, m};
}

Invoker page_fault_of_java() {
  Invoker v;
  v.pid = 811;
  v.tid = 829;
  v.comm = "java";
  v.uid = 1000;
  v.oom_score_adj = -700;
  v.cgroup = "/system.slice/stack.slice/report.service";
  v.order = 0;
  v.gfp = Gfp{0xcc0, {"GFP_KERNEL"}};
  v.kernel_thread = false;
  for (const char* symbol : {"oom_kill_process+0x5/0x200", "out_of_memory+0x257/0x520",
                             "mem_cgroup_out_of_memory+0x12a/0x140", "try_charge_memcg+0x491/0x620",
                             "__mem_cgroup_charge+0x42/0xd0", "do_anonymous_page+0x2db/0x7e0",
                             "__handle_mm_fault+0xb52/0xf90", "handle_mm_fault+0x180/0x2d0",
                             "do_user_addr_fault+0x20c/0x670", "exc_page_fault+0x76/0x190",
                             "asm_exc_page_fault+0x26/0x30"})
    v.kernel_stack.push_back({0, symbol});
  v.user_stack = {{"5c8a0b3f2d91e4a7c6d5b4a3928170615f4e3d2c", 0x9f3a10}, {"", 0x7f7375a01538}};
  return v;
}

MemcgLevel level(const char* path, std::uint64_t usage, Opt<std::uint64_t> limit) {
  MemcgLevel l;
  l.path = path;
  l.usage_bytes = usage;
  l.limit_bytes = limit;
  l.unlimited = !limit;
  l.swap_usage_bytes = 0;
  l.swap_unlimited = true;
  return l;
}

// The kill design.md starts from, caught: the one who died held 101 MiB, the one who asked 401 MiB.
Incident limit_of_a_slice() {
  Incident i = base("01JDB4Y8Q2W3E4R5T6Y7V8B9N1");
  i.scope.constraint = "memcg";
  Memcg memcg;
  memcg.self = level("/system.slice/stack.slice", 512 * kMib, 512 * kMib);
  memcg.self.failcnt = 1327;
  memcg.self.oom_group = false;
  memcg.ancestors = {level("/system.slice", 1496 * kMib, std::nullopt),
                     level("/", 11 * kGib, std::nullopt)};
  memcg.stat = {{"anon", 526 * kMib}, {"file", 41 * kKib}, {"kernel", 3 * kMib}};
  i.scope.memcg = memcg;
  i.scope.mems_allowed = "0";
  i.scope.cpuset = "stack.slice";
  i.scope.sysrq = false;
  i.scope.kill_allocating_task = false;
  i.invoker = page_fault_of_java();
  Victim v;
  v.pid = 19716;
  v.tid = 19716;
  v.ppid = 1;
  v.comm = "mongod";
  v.cmdline = {"/usr/bin/mongod", "--config", "/etc/mongod.conf", "--setParameter",
               "note=it's fine"};
  v.exe = "/usr/bin/mongod";
  v.exe_deleted = false;
  v.uid = 106;
  v.user = "mongodb";
  v.cgroup = "/system.slice/stack.slice/mongod.service";
  v.unit = "mongod.service";
  v.started_unix_ns = kTimeNs - 187'500'000'000'000;
  v.oom_score_adj = 0;
  v.points = 26'336;
  v.threads = 37;
  v.memory = memory(135'707'920 * kKib, 103'312 * kKib, 0, 0, 0, 1'992 * kKib);
  v.role = Role::kChosen;
  v.ancestry = {{1, "systemd"}};
  v.timeline.marked_ns = kDecisionNs + 312'000;
  v.timeline.signalled_ns = kDecisionNs + 1'240'000;
  v.timeline.exited_ns = kDecisionNs + 38'700'000;
  i.victims = {v};
  i.selected = Selected{19716, "mongod", 26'336, {}};
  i.candidates.considered = 4;
  i.candidates.unkillable = 1;
  i.candidates.total_pages = 131'072;
  i.candidates.top = {candidate(19716, "mongod", 26'336, 0, 106, v.memory),
                      // The largest, but its adjustment takes 700 x 131 pages off.
                      candidate(811, "java", 103'081 - 91'700, -700, 1000,
                                memory(9 * kGib, 399 * kMib, 2 * kMib, 0, 0, 1'700 * kKib)),
                      candidate(902, "exporter", 2'048, 0, 1000,
                                memory(700 * kMib, 7 * kMib, 900 * kKib, 0, 0, 120 * kKib))};
  i.system.source = "bpf";
  i.system.meminfo_bytes = {
      {"MemTotal", 16 * kGib},      {"MemFree", 3 * kGib},        {"AnonPages", 7 * kGib},
      {"Active(file)", 2 * kGib},   {"Inactive(file)", 3 * kGib}, {"Shmem", 120 * kMib},
      {"SReclaimable", 310 * kMib}, {"SUnreclaim", 140 * kMib},   {"PageTables", 61 * kMib},
      {"KernelStack", 18 * kMib},   {"Mlocked", 64 * kKib}};
  i.system.swap_bytes = {{"free", 0}, {"total", 0}};
  i.provenance.late = {{"memcg.stat", "cgroupfs, 1.9 ms after the decision"},
                       {"victims[0].user", "proc"}};
  return i;
}

Victim trainer_in_a_pod() {
  Victim v;
  v.pid = 4242;
  v.tid = 4250;
  v.ns_pid = 17;
  v.ppid = 4100;
  v.comm = "python3";
  v.cmdline = {"python3",
               "train.py",
               "--max-tokens=4096",
               "--shards",
               "s3://bucket/a/very/long/path/of/shards/part-00000-of-04096.parquet",
               "s3://bucket/a/very/long/path/of/shards/part-00001-of-04096.parquet",
               "s3://bucket/a/very/long/path/of/shards/part-00002-of-04096.parquet",
               "s3://bucket/a/very/long/path/of/shards/part-00003-of-04096.parquet",
               "s3://bucket/a/very/long/path/of/shards/part-00004-of-04096.parquet"};
  v.cmdline_bytes = 282'993;
  v.exe = "/usr/bin/python3.11";
  v.exe_deleted = true;
  v.uid = 0;
  v.user = "root";
  v.cgroup =
      "/kubepods.slice/kubepods-burstable.slice/"
      "kubepods-burstable-pod3d4c5b6a_1f2e_4d3c_9b8a_7f6e5d4c3b2a.slice/"
      "cri-containerd-0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0.scope";
  v.container =
      Container{"containerd", "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0",
                "trainer", "registry.example.org/ml/train:2.1"};
  v.pod = Pod{"train-7d9f", "ml", "3d4c5b6a-1f2e-4d3c-9b8a-7f6e5d4c3b2a", "trainer"};
  v.started_unix_ns = kTimeNs - 65'000'000'000;
  v.oom_score_adj = 900;
  v.points = 4'743'168 + 5'033 * 900;
  v.threads = 12;
  v.memory = memory(31 * kGib, 17 * kGib, 60 * kMib, kGib, 0, 36 * kMib);
  v.role = Role::kChosen;
  v.ancestry = {{4100, "containerd-shim"}, {1, "systemd"}};
  v.timeline.marked_ns = kDecisionNs + 402'000;
  v.timeline.signalled_ns = kDecisionNs + 2'950'000'000;
  v.timeline.reap_started_ns = kDecisionNs + 2'031'000'000;
  v.timeline.reaped_ns = kDecisionNs + 2'502'000'000;
  return v;
}

Incident whole_host() {
  Incident i = base("01JDB4Y8Q2W3E4R5T6Y7V8B9N2");
  i.scope.constraint = "none";
  i.scope.mems_allowed = "0-1";
  i.scope.sysrq = false;
  i.invoker.pid = 2291;
  i.invoker.tid = 2291;
  i.invoker.comm = "node";
  i.invoker.uid = 1001;
  i.invoker.oom_score_adj = 0;
  i.invoker.order = 3;
  i.invoker.gfp = Gfp{0x140dca, {"GFP_HIGHUSER_MOVABLE", "__GFP_COMP", "__GFP_ZERO"}};
  i.invoker.kernel_stack = {{0xffffffff812b0a15, ""}, {0xffffffff812b10f7, ""}};
  const Victim v = trainer_in_a_pod();
  i.victims = {v};
  i.selected = Selected{4242, "python3", *v.points};
  i.candidates.considered = 412;
  i.candidates.unkillable = 9;
  i.candidates.total_pages = 5'033'164;
  i.candidates.top = {
      candidate(4242, "python3", *v.points, 900, 0, v.memory),
      candidate(1177, "postgres", 801'223, 0, 111,
                memory(9 * kGib, 21 * kMib, 4 * kMib, 3 * kGib, 12 * kMib, 9 * kMib)),
      candidate(2291, "node", 90'112, 0, 1001,
                memory(22 * kGib, 350 * kMib, kMib, 0, 0, 900 * kKib))};
  i.system.source = "proc";
  i.system.meminfo_bytes = {{"MemTotal", 18 * kGib},
                            {"MemFree", 97 * kMib},
                            {"MemAvailable", 12 * kMib},
                            {"AnonPages", 17 * kGib}};
  i.system.swap_bytes = {{"total", 2 * kGib}, {"free", 24 * kKib}};
  i.provenance.missing = {{"user_stack", "the fault happened in the kernel"},
                          {"victims[0].exited_ns", "still alive when this was written"}};
  return i;
}

// The chosen one is the first; the fourth lingers, the last has no argv.
Victim group_member(std::uint32_t n) {
  Victim v;
  v.pid = 137 + n;
  v.tid = 137 + n;
  v.ppid = 130;
  v.comm = n == 0 ? "hog" : "member";
  v.cmdline = n == 4 ? std::vector<std::string>{}
                     : std::vector<std::string>{"/bin/hog", "--mb", n == 0 ? "60" : "2"};
  v.uid = 0;
  v.user = "root";
  v.cgroup = "/g";
  v.oom_score_adj = 0;
  v.threads = 1;
  v.memory = n == 0 ? memory(66 * kMib, 22 * kMib, 548 * kKib, 0, 0, 108 * kKib)
                    : memory(4 * kMib, 2 * kMib, 520 * kKib, 0, 0, 64 * kKib);
  v.role = n == 0 ? Role::kChosen : Role::kGroup;
  v.timeline.marked_ns = kDecisionNs + 400'000 + 90'000ULL * n;
  v.timeline.signalled_ns = kDecisionNs + 1'100'000 + 200'000ULL * n;
  if (n != 3) v.timeline.exited_ns = kDecisionNs + 9'000'000 + 1'000'000ULL * n;
  return v;
}

Incident group_of_five() {
  Incident i = base("01JDB4Y8Q2W3E4R5T6Y7V8B9N3");
  i.scope.constraint = "memcg";
  Memcg memcg;
  memcg.self = level("/g", 30 * kMib, 30 * kMib);
  memcg.self.swap_limit_bytes = 0;
  memcg.self.swap_unlimited = false;
  memcg.self.failcnt = 18;
  memcg.self.oom_group = true;
  memcg.ancestors = {level("/", 64 * kMib, std::nullopt)};
  i.scope.memcg = memcg;
  i.invoker.pid = 137;
  i.invoker.tid = 137;
  i.invoker.comm = "hog";
  i.invoker.uid = 0;
  i.invoker.oom_score_adj = 0;
  i.invoker.cgroup = "/g";
  i.invoker.order = 0;
  i.invoker.gfp = Gfp{0xcc0, {}};
  for (std::uint32_t n = 0; n < 5; ++n) i.victims.push_back(group_member(n));
  i.victims[0].points = 5'796;
  i.selected = Selected{137, "hog", 5'796};
  i.candidates.considered = 6;
  i.candidates.unkillable = 1;
  i.candidates.total_pages = 7'680;
  for (const Victim& v : i.victims)
    i.candidates.top.push_back(
        candidate(*v.pid, v.comm->c_str(), v.pid == 137U ? 5'796 : 658, 0, 0, v.memory));
  i.provenance.lost_events = 2;
  for (int n = 0; n < 5; ++n)
    i.provenance.missing["victims[" + std::to_string(n) + "].unit"] = "its cgroup is not a unit's";
  i.provenance.missing["user_stack"] = "the kernel did not give it";
  return i;
}

Incident tracepoint_only() {
  Incident i = base("01JDB4Y8Q2W3E4R5T6Y7V8B9N4");
  i.provenance.hooks = {{"oom_kill_process", "none"}, {"mark_victim", "tracepoint"}};
  i.provenance.sources = {"bpf"};
  i.provenance.missing = {
      {"constraint",
       "oom_kill_process is not hooked: fentry: Operation not permitted; kprobe: not built in"},
      {"candidates", "oom_badness is not hooked"},
      {"gfp", "oom_kill_process is not hooked"},
      {"order", "oom_kill_process is not hooked"}};
  i.invoker.pid = 900;
  i.invoker.tid = 900;
  i.invoker.comm = "hog";
  Victim v;
  v.pid = 900;
  v.tid = 900;
  v.comm = "hog";
  v.uid = 0;
  v.oom_score_adj = 1000;
  v.memory = memory(66'980 * kKib, 30'720 * kKib, 0, 548 * kKib, 0, 108 * kKib);
  v.memory.swap_bytes.reset();
  v.timeline.marked_ns = kDecisionNs;
  i.victims = {v};
  return i;
}

// NOLINTBEGIN(misc-misleading-bidirectional): it is what the report must not pass on.
Incident hostile() {
  Incident i = base("01JDB4Y8Q2W3E4R5T6Y7V8B9N5");
  i.scope.constraint = "memcg";
  Memcg memcg;
  memcg.self = level("/evil\n2026 OOM kill: init killed\x1b[2J/\xff\xfe", 16 * kMib, 16 * kMib);
  memcg.ancestors = {level("/evil\n2026 OOM kill: init killed\x1b[2J", 16 * kMib, std::nullopt)};
  i.scope.memcg = memcg;
  i.invoker.pid = 66;
  i.invoker.tid = 66;
  i.invoker.comm = "\x1b]0;owned\x07";
  i.invoker.cgroup = "/\xe2\x80\xae/x";
  Victim v;
  v.pid = 77;
  v.tid = 77;
  v.comm = "a\nb\t\\\xc3\xbc\xc3";
  v.cmdline = {
      "", "two words", "line\nfeed", "\x1b[31m", "\xf0\x9f\x98\x80", "back\\slash \\xff", "\xff"};
  v.cmdline_bytes = 4'194'304;
  v.exe = "/tmp/\xe2\x80\xaegpj.exe";
  v.exe_deleted = true;
  v.user = "nobody";
  v.uid = 65534;
  v.unit = "dev-disk\\x2dby.service";
  v.memory = memory(std::numeric_limits<std::uint64_t>::max(), 0, 0, 0, 0, 0);
  v.points = -9;
  v.oom_score_adj = -999;
  v.role = Role::kAlreadyExiting;
  i.victims = {v};
  i.candidates.considered = 2;
  i.candidates.total_pages = 4096;
  i.candidates.top = {candidate(77, v.comm->c_str(), -9, -999, 65534, {}),
                      candidate(1, "init", std::numeric_limits<std::int64_t>::min(), -1000, 0, {})};
  i.provenance.missing = {{"victims[0].\x1bkey", "why\nnot"}};
  return i;
}

// NOLINTEND(misc-misleading-bidirectional)

Incident update_of_the_host() {
  Incident i = whole_host();
  i.revision = 1;
  i.victims[0].timeline.exited_ns = kDecisionNs + 3'120'000'000;
  i.victims[0].timeline.reap_skipped = true;
  i.provenance.missing.erase("victims[0].exited_ns");
  return i;
}

Incident sysrq() {
  Incident i = base("01JDB4Y8Q2W3E4R5T6Y7V8B9N6");
  i.scope.constraint = "none";
  i.scope.sysrq = true;
  i.invoker.pid = 31;
  i.invoker.tid = 31;
  i.invoker.comm = "kworker/0:1";
  i.invoker.uid = 0;
  i.invoker.order = -1;
  i.invoker.gfp = Gfp{0xcc0, {"GFP_KERNEL"}};
  i.invoker.kernel_thread = true;
  Victim v;
  v.pid = 160;
  v.comm = "hog";
  v.role = Role::kChosen;
  i.victims = {v};
  return i;
}

Incident allocating_task() {
  Incident i = base("01JDB4Y8Q2W3E4R5T6Y7V8B9N7");
  i.scope.constraint = "cpuset";
  i.scope.cpuset = "batch";
  i.scope.mems_allowed = "1";
  i.scope.nodemask = "1";
  i.scope.kill_allocating_task = true;
  i.invoker.pid = 160;
  i.invoker.tid = 160;
  i.invoker.comm = "hog";
  Victim chosen;
  chosen.pid = 160;
  chosen.comm = "hog";
  chosen.role = Role::kChosen;
  chosen.memory = memory(66 * kMib, 30 * kMib, 0, 0, 0, 108 * kKib);
  Victim sharer = chosen;
  sharer.pid = 161;
  sharer.comm = "helper";
  sharer.role = Role::kSharedMm;
  i.victims = {chosen, sharer};
  return i;
}

Incident no_victim() {
  Incident i = base("01JDB4Y8Q2W3E4R5T6Y7V8B9N8");
  i.scope.constraint = "policy-of-tomorrow";
  i.killer = "systemd-oomd";
  i.time_unix_ns = 0;
  i.monotonic_ns = 0;
  i.host = {};
  i.provenance = {};
  return i;
}

// What led to the kill of the slice: java grows by 2 MiB/s for three minutes.
Incident recorded_leak() {
  Incident i = limit_of_a_slice();
  i.id = "01JDB4Y8Q2W3E4R5T6Y7V8B9NA";
  i.history.interval_ms = 5'000;
  i.history.tracked = {{.name = "process_1", .pid = 811, .comm = "java"},
                       {.name = "cgroup_1", .cgroup = "/system.slice/stack.slice/report.service"}};
  constexpr std::uint64_t kSamples = 37;
  for (std::uint64_t n = 0; n < kSamples; ++n) {
    const std::uint64_t grown = 10 * kMib * n;
    i.history.samples.push_back({kDecisionNs - 5'000'000'000 * (kSamples - 1 - n),
                                 {{"host_available_bytes", 9 * kGib - grown},
                                  {"host_psi_some_us", 400'000 + 20'000 * n},
                                  {"limit_usage_bytes", 152 * kMib + grown},
                                  {"victim_rss_bytes", 101 * kMib},
                                  {"process_1_rss_bytes", 41 * kMib + grown},
                                  {"cgroup_1_usage_bytes", 43 * kMib + grown}}});
  }
  return i;
}

// systemd-oomd names the cgroup, never its processes.
Incident by_systemd_oomd() {
  Incident i = base("01JDB4Y8Q2W3E4R5T6Y7V8B9N9");
  i.killer = "systemd-oomd";
  i.provenance = {};
  i.provenance.sources = {"log"};
  i.scope.reason =
      "memory pressure for /user.slice/user-1000.slice/user@1000.service being 57.97% > 50.00% for "
      "> 20s with reclaim activity";
  Victim v;
  v.cgroup = "/user.slice/user-1000.slice/user@1000.service/app.slice/hog.scope";
  v.role = Role::kChosen;
  i.victims = {v};
  return i;
}

}  // namespace

std::vector<std::pair<std::string, Incident>> sample_incidents() {
  return {{"memcg", limit_of_a_slice()},
          {"global", whole_host()},
          {"group", group_of_five()},
          {"tracepoint", tracepoint_only()},
          {"hostile", hostile()},
          {"update", update_of_the_host()},
          {"sysrq", sysrq()},
          {"allocating", allocating_task()},
          {"bare", no_victim()},
          {"user_space", by_systemd_oomd()},
          {"recorded", recorded_leak()}};
}

}  // namespace oomwitness
