// SPDX-License-Identifier: BSD-2-Clause
// The incident: one OOM kill as everything behind `assemble` sees it. Plain data. A field that no
// source gave is absent (std::optional, empty vector or empty string where noted), never zero.
// Sizes are bytes, points are pages, times are CLOCK_MONOTONIC nanoseconds unless said otherwise.
// docs/incident.schema.json is its JSON form; json.h converts both ways.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace oomwitness {

template <typename T>
using Opt = std::optional<T>;

// Strings hold the bytes the kernel gave (comm, argv, paths: hostile, maybe not UTF-8). Sinks
// escape them; nothing else does.

struct Host {
  std::string name;
  std::string boot_id;
  std::string kernel;  // uname -r
  std::string arch;    // uname -m
  std::uint64_t page_size_bytes = 0;
  bool operator==(const Host&) const = default;
};

struct MemcgLevel {
  std::string path;  // "/" is the root
  Opt<std::uint64_t> usage_bytes;
  Opt<std::uint64_t> limit_bytes;  // absent when unlimited or unknown
  bool unlimited = false;
  Opt<std::uint64_t> swap_usage_bytes;
  Opt<std::uint64_t> swap_limit_bytes;
  bool swap_unlimited = false;
  bool swap_is_memsw = false;  // cgroup v1: the swap figures are memory+swap
  Opt<std::uint64_t> failcnt;
  Opt<bool> oom_group;
  bool operator==(const MemcgLevel&) const = default;
};

struct Memcg {
  MemcgLevel self;
  std::vector<MemcgLevel> ancestors;          // parent first, root last
  std::map<std::string, std::uint64_t> stat;  // memory.stat as read by user space, late; bytes
  bool operator==(const Memcg&) const = default;
};

struct Scope {
  Opt<std::string> constraint;  // "none", "memcg", "cpuset", "mempolicy" or the kernel's own name
  Opt<Memcg> memcg;             // the one whose limit was hit
  Opt<std::string> nodemask;    // "0-1"; "" is never stored
  Opt<std::string> cpuset;
  Opt<std::string> mems_allowed;
  Opt<bool> sysrq;
  Opt<bool> kill_allocating_task;
  Opt<bool> no_killable;    // every task was unkillable: nobody died
  Opt<std::string> panic;   // what the kernel panicked with instead of, or after, killing
  Opt<std::string> reason;  // why a user-space killer killed, in its own words
  bool operator==(const Scope&) const = default;
};

struct Gfp {
  std::uint64_t mask = 0;
  std::vector<std::string> flags;  // empty: this kernel's table is not known
  bool operator==(const Gfp&) const = default;
};

struct KernelFrame {
  std::uint64_t address = 0;
  std::string symbol;  // "oom_kill_process+0x1a/0x200", empty when not resolved
  bool operator==(const KernelFrame&) const = default;
};

struct UserFrame {
  std::string build_id;      // lower-case hex; empty: offset is an address
  std::uint64_t offset = 0;  // in the file with that build id
  bool operator==(const UserFrame&) const = default;
};

struct Invoker {
  Opt<std::uint32_t> pid;  // thread group
  Opt<std::uint32_t> tid;
  Opt<std::string> comm;
  Opt<std::uint32_t> uid;
  Opt<std::int32_t> oom_score_adj;
  Opt<std::string> cgroup;
  Opt<std::int32_t> order;
  Opt<Gfp> gfp;
  Opt<bool> kernel_thread;
  std::vector<KernelFrame> kernel_stack;
  std::vector<UserFrame> user_stack;
  bool operator==(const Invoker&) const = default;
};

struct Container {
  std::string runtime;  // docker, containerd, cri-o, podman, systemd-nspawn, lxc
  std::string id;
  std::string name;   // empty: unknown
  std::string image;  // empty: unknown
  bool operator==(const Container&) const = default;
};

struct Pod {  // empty strings: unknown
  std::string name;
  std::string ns;
  std::string uid;
  std::string container;
  bool operator==(const Pod&) const = default;
};

struct Memory {
  Opt<std::uint64_t> total_vm_bytes;
  Opt<std::uint64_t> anon_rss_bytes;
  Opt<std::uint64_t> file_rss_bytes;
  Opt<std::uint64_t> shmem_rss_bytes;
  Opt<std::uint64_t> swap_bytes;
  Opt<std::uint64_t> pgtables_bytes;
  Opt<std::uint64_t> rss_bytes;  // only where the source does not tell what it consists of
  bool operator==(const Memory&) const = default;
};

enum class Role { kUnknown, kChosen, kGroup, kSharedMm, kAlreadyExiting, kChild };

struct Ancestor {
  std::uint32_t pid = 0;
  std::string comm;
  bool operator==(const Ancestor&) const = default;
};

struct Timeline {
  Opt<std::uint64_t> marked_ns;     // oom:mark_victim
  Opt<std::uint64_t> signalled_ns;  // the victim took SIGKILL
  Opt<std::uint64_t> reap_started_ns;
  Opt<std::uint64_t> reaped_ns;
  Opt<bool> reap_skipped;
  Opt<std::uint64_t> exited_ns;  // its last thread is gone
  bool operator==(const Timeline&) const = default;
};

struct Victim {
  Opt<std::uint32_t> pid;  // thread group
  Opt<std::uint32_t> tid;
  Opt<std::uint32_t> ns_pid;  // in its innermost pid namespace, when that is not the initial one
  Opt<std::uint32_t> ppid;
  Opt<std::string> comm;
  Opt<std::vector<std::string>> cmdline;
  Opt<std::uint64_t> cmdline_bytes;  // its full size, when cmdline is cut
  Opt<std::string> exe;
  Opt<bool> exe_deleted;
  Opt<std::uint32_t> uid;
  Opt<std::string> user;
  Opt<std::string> cgroup;
  Opt<std::string> unit;
  Opt<Container> container;
  Opt<Pod> pod;
  Opt<std::int64_t> started_unix_ns;  // wall clock
  Opt<std::int32_t> oom_score_adj;
  Opt<std::int64_t> points;
  Opt<std::int64_t> score;  // per mille, as kernels before 5.1 print it
  Opt<std::uint32_t> threads;
  Memory memory;
  Role role = Role::kUnknown;
  std::vector<Ancestor> ancestry;  // parent first
  Timeline timeline;
  bool operator==(const Victim&) const = default;
};

struct Selected {
  std::uint32_t pid = 0;
  std::string comm;
  Opt<std::int64_t> points;
  Opt<std::int64_t> score;  // per mille, as kernels before 5.1 print it
  bool operator==(const Selected&) const = default;
};

struct Candidate {
  std::uint32_t pid = 0;
  std::string comm;
  Opt<std::int64_t> points;  // pages; negative is possible
  Opt<std::uint32_t> uid;
  Opt<std::int32_t> oom_score_adj;
  Memory memory;
  bool operator==(const Candidate&) const = default;
};

// All listed tasks of one name.
struct NameTotal {
  std::string comm;
  std::uint64_t count = 0;
  Memory memory;  // their sum
  bool operator==(const NameTotal&) const = default;
};

struct Candidates {
  Opt<std::uint64_t> considered;
  Opt<std::uint64_t> unkillable;
  Opt<std::uint64_t> listed;  // rows of the kernel log's task table
  Opt<std::uint64_t> total_pages;
  std::vector<Candidate> top;      // most points first
  Opt<Memory> listed_memory;       // the sum over all listed rows; shared pages count once a task
  std::vector<NameTotal> by_name;  // of all listed rows, most memory first; at most 8
  bool operator==(const Candidates&) const = default;
};

// A memory zone as the kernel log's Mem-Info shows it.
struct Zone {
  std::uint32_t node = 0;
  std::string zone;  // "DMA32"
  Opt<std::uint64_t> free_bytes;
  Opt<std::uint64_t> boost_bytes;
  Opt<std::uint64_t> min_bytes;  // boost included
  Opt<std::uint64_t> low_bytes;
  Opt<std::uint64_t> high_bytes;
  Opt<std::uint64_t> reserved_highatomic_bytes;
  Opt<std::uint64_t> present_bytes;
  Opt<std::uint64_t> managed_bytes;
  Opt<std::uint64_t> mlocked_bytes;
  std::vector<std::uint64_t> lowmem_reserve_pages;
  std::vector<std::uint64_t> free_blocks;  // by order
  bool operator==(const Zone&) const = default;
};

struct System {
  std::map<std::string, std::uint64_t> meminfo_bytes;  // names of /proc/meminfo
  std::map<std::string, std::uint64_t> swap_bytes;     // "total", "free"
  std::vector<Zone> zones;
  std::map<std::string, std::uint64_t> slab_caches_bytes;  // the largest unreclaimable ones
  std::string source;  // "bpf", "log", "proc" (late); empty: none
  bool operator==(const System&) const = default;
};

// One moment of the time before a kill. The names say of whom: "host_available_bytes",
// "limit_usage_bytes" (the cgroup whose limit was hit), "victim_rss_bytes", "process_1_rss_bytes"
// (of History::tracked). Names that end in _bytes are bytes, in _us microseconds since some start.
struct HistorySample {
  std::uint64_t monotonic_ns = 0;
  std::map<std::string, std::uint64_t> values;
  bool operator==(const HistorySample&) const = default;
};

// Whose values begin with `name` and an underscore.
struct Tracked {
  std::string name;  // "process_1", "cgroup_2"
  Opt<std::uint32_t> pid;
  Opt<std::string> comm;
  Opt<std::string> cgroup;
  bool operator==(const Tracked&) const = default;
};

// Memory in the time before the kill. Empty: nobody recorded it.
struct History {
  std::uint64_t interval_ms = 0;  // between samples under pressure; 0: not known
  std::vector<Tracked> tracked;
  std::vector<HistorySample> samples;  // oldest first
  bool operator==(const History&) const = default;
};

enum class Confidence { kLow, kMedium, kHigh };

enum class Growth { kLeak, kBurst, kPlateau };

// How memory grew before the kill, from the history.
struct Trend {
  Growth shape = Growth::kLeak;
  std::string of;                      // "limit", "host" or "victim": whose values were read
  std::int64_t slope_bytes_per_s = 0;  // while it grew
  std::uint64_t over_ms = 0;           // the time that the slope is of
  bool operator==(const Trend&) const = default;
};

// What it means. Made by diagnose/ from the rest of the record and nothing else.
struct Diagnosis {
  std::string cause;
  std::vector<std::string> also;
  Confidence confidence = Confidence::kLow;
  std::string summary;  // one sentence
  std::vector<std::string> evidence;
  std::vector<std::string> advice;  // first things first
  Opt<Trend> trend;                 // absent: no history, or none of the shapes
  bool operator==(const Diagnosis&) const = default;
};

struct Provenance {
  std::vector<std::string> sources;            // "bpf", "proc", "kmsg", ...
  std::map<std::string, std::string> hooks;    // "oom_kill_process" -> "fentry"
  std::map<std::string, std::string> missing;  // field -> why
  std::map<std::string, std::string> late;     // field -> which late read gave it
  std::uint64_t lost_events = 0;
  bool operator==(const Provenance&) const = default;
};

struct Incident {
  std::string id;
  std::uint32_t revision = 0;  // 0: first report; n: the n-th update of the same id
  std::string killer = "kernel";
  std::int64_t time_unix_ns = 0;  // 0: the source has no wall clock
  std::uint64_t monotonic_ns = 0;
  Host host;
  Scope scope;
  Invoker invoker;
  std::vector<Victim> victims;
  Opt<Selected> selected;
  Candidates candidates;
  System system;
  History history;
  Opt<Diagnosis> diagnosis;
  Provenance provenance;
  bool operator==(const Incident&) const = default;
};

}  // namespace oomwitness
