// SPDX-License-Identifier: BSD-2-Clause
// Records as the BPF programs write them (bpf/event.h), for tests to vary.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

#include "bpf/event.h"

namespace oomwitness::testing {

inline constexpr std::uint64_t kPage = 4096;
inline constexpr std::uint64_t kAtNs = 5'000'000'000;
inline constexpr std::uint64_t kDecisionId = 42;

// Zeroed, as the programs zero a record before they fill it.
template <typename Record>
Record wire(ow_kind kind, std::uint64_t has = 0) {
  Record record{};
  std::memset(&record, 0, sizeof(record));
  record.hdr.kind = static_cast<__u16>(kind);
  record.hdr.version = OW_WIRE_VERSION;
  record.hdr.size = sizeof(record);
  record.hdr.ktime_ns = kAtNs;
  record.hdr.decision = kDecisionId;
  record.hdr.has = has;
  return record;
}

template <typename Record>
std::span<const std::byte> as_bytes_of(const Record& record) {
  return std::as_bytes(std::span(&record, 1));
}

// Cut to the field, without a NUL where there is no room for one.
template <std::size_t N>
void set(char (&field)[N], std::string_view text) {
  std::memset(&field[0], 0, N);
  std::memcpy(&field[0], text.data(), std::min(N, text.size()));
}

// Last component first.
inline void set(ow_path& path, std::initializer_list<std::string_view> names) {
  std::memset(&path, 0, sizeof(path));
  for (const std::string_view name : names) {
    std::memcpy(&path.names[path.used], name.data(), name.size());
    path.used += static_cast<__u32>(name.size()) + 1;
    ++path.levels;
  }
}

inline ow_invoker wire_invoker() {
  ow_invoker out{
      .pid = 500, .tid = 501, .uid = 33, .oom_score_adj = -5, .kernel_thread = 0, .comm = {}};
  set(out.comm, "asker");
  return out;
}

inline ow_decision wire_decision() {
  auto out = wire<ow_decision>(OW_KIND_DECISION, OW_HAS_GFP | OW_HAS_ORDER | OW_HAS_CONSTRAINT |
                                                     OW_HAS_TOTAL_PAGES | OW_HAS_CHOSEN |
                                                     OW_HAS_NODEMASK | OW_HAS_MEMS | OW_HAS_CPUSET |
                                                     OW_HAS_SCAN | OW_HAS_MEMCG | OW_HAS_CGROUP);
  out.total_pages = 5120;
  out.chosen_points = 4456;
  out.nodemask[0] = 0b1011;
  out.mems_allowed[1] = 1;
  out.gfp_mask = 0xcc0;
  out.order = 2;
  out.constraint = 3;
  out.chosen_pid = 100;
  out.chosen_tid = 101;
  out.chosen_state = OW_STATE_GROUP_EXIT;
  set(out.chosen_comm, "hog");
  set(out.message, "Memory cgroup out of memory");
  set(out.cpuset, "nodes");
  out.invoker = wire_invoker();
  set(out.cgroup, {"b", "a"});
  return out;
}

inline ow_memcg wire_memcg() {
  auto out = wire<ow_memcg>(OW_KIND_MEMCG);
  out.levels = 2;  // the root is not charged: no level of it
  out.level[0] = {.cgroup_id = 7,
                  .usage_pages = 10,
                  .limit_pages = 20,
                  .swap_usage_pages = 1,
                  .swap_limit_pages = 2,
                  .failcnt = 3,
                  .oom_group = 1,
                  .v1 = 0,
                  .counts_failures = 1};
  out.level[1] = {.cgroup_id = 6,
                  .usage_pages = 30,
                  .limit_pages = OW_LIMIT_NONE,
                  .swap_usage_pages = 0,
                  .swap_limit_pages = OW_LIMIT_NONE,
                  .failcnt = 0,
                  .oom_group = 0,
                  .v1 = 1};
  set(out.path, {"b", "a"});
  return out;
}

inline ow_candidates wire_candidates() {
  auto out = wire<ow_candidates>(OW_KIND_CANDIDATES);
  out.considered = 9;
  out.unkillable = 2;
  out.listed = 3;
  out.way = OW_CANDIDATE_EXACT;
  out.top[0].pid = 10;
  out.top[0].points = -7;
  out.top[1] = {.points = 4456,
                .start_ns = 1,
                .total_vm_pages = 5,
                .anon_pages = 4,
                .file_pages = 3,
                .shmem_pages = 2,
                .swap_pages = 1,
                .pgtables_bytes = 12288,
                .pid = 100,
                .uid = 7,
                .oom_score_adj = -998,
                .has_memory = 1,
                .pad = {},
                .comm = {}};
  set(out.top[1].comm, "hog");
  out.top[2].pid = 11;
  out.top[2].points = 5;
  out.top[2].uid = 3;
  set(out.top[2].comm, "gone");
  return out;
}

inline ow_stack wire_stack() {
  auto out = wire<ow_stack>(OW_KIND_STACK, OW_HAS_KSTACK | OW_HAS_USTACK | OW_HAS_SYMBOLS);
  out.kernel_frames = 4;
  for (unsigned i = 0; i < 4; ++i) out.kernel[i] = 0xffffffff81000000 + i;
  set(out.symbol[0], "bpf_prog_1234_decision_fentry+0x10/0x20");
  set(out.symbol[1], "oom_kill_process+0x1/0x2");
  set(out.symbol[2], "bpf_like_name_below+0x1/0x2");
  out.user_frames = 3;
  out.user[0] = {.status = 1, .build_id = {0xab, 0x01}, .offset = 0x1234};
  out.user[1] = {.status = 2, .build_id = {}, .offset = 0x7fff0000};
  return out;
}

inline ow_system wire_system() {
  auto out = wire<ow_system>(OW_KIND_SYSTEM, (1ULL << OW_SYS_TOTAL) | (1ULL << OW_SYS_FREE) |
                                                 (1ULL << OW_SYS_KERNEL_STACK_KB) |
                                                 (1ULL << OW_SYS_SWAP_TOTAL));
  out.counter[OW_SYS_TOTAL] = 1000;
  out.counter[OW_SYS_KERNEL_STACK_KB] = 16;
  out.counter[OW_SYS_SWAP_TOTAL] = 4;
  out.counter[OW_SYS_DIRTY] = 77;  // no bit: not there
  return out;
}

inline ow_victim wire_victim() {
  auto out =
      wire<ow_victim>(OW_KIND_VICTIM, OW_HAS_MM | OW_HAS_EXE | OW_HAS_INVOKER | OW_HAS_SHARERS);
  out.start_ns = 100'000'000;
  out.cgroup_id = 7;
  out.total_vm_pages = 6;
  out.anon_pages = 5;
  out.file_pages = 4;
  out.shmem_pages = 3;
  out.swap_pages = 2;
  out.pgtables_bytes = 8192;
  out.pid = 100;
  out.tid = 101;
  out.ppid = 1;
  out.uid = 7;
  out.role = OW_ROLE_CHOSEN;
  out.seen_at = OW_SEEN_AT_KILL;
  out.state = OW_STATE_SIGKILL_PENDING;
  out.threads = 3;
  out.ns_levels = 2;
  out.ns_pid[0] = {.pid = 5, .ns_inum = 4026532000};
  out.ns_pid[1] = {.pid = 100, .ns_inum = 4026531836};
  out.ancestors = 2;
  out.ancestor[0].pid = 50;
  set(out.ancestor[0].comm, "shell");
  out.ancestor[1].pid = 1;
  set(out.ancestor[1].comm, "init");
  out.oom_score_adj = 1000;
  out.oom_group = 1;
  out.exe_deleted = 1;
  set(out.comm, "hog");
  out.invoker = wire_invoker();
  set(out.cgroup, {"b", "a"});
  set(out.exe, {"hog", "bin", "usr"});
  return out;
}

inline ow_mark wire_mark() {
  auto out = wire<ow_mark>(OW_KIND_MARK, OW_HAS_TGID | OW_HAS_SIZES);
  out.total_vm_bytes = 9000;
  out.anon_bytes = 8000;
  out.file_bytes = 700;
  out.shmem_bytes = 60;
  out.pgtables_bytes = 5;
  out.pid = 100;
  out.tid = 101;
  out.uid = 7;
  out.oom_score_adj = -17;
  set(out.comm, "hog");
  out.invoker = wire_invoker();
  return out;
}

inline ow_argv wire_argv(std::string_view argv = std::string_view("hog\0-x\0", 7)) {
  auto out = wire<ow_argv>(OW_KIND_ARGV, OW_HAS_ARGV);
  out.argv_bytes = argv.size();
  out.captured = static_cast<__u32>(argv.size());
  out.pid = 100;
  out.tid = 100;
  set(out.argv, argv);
  return out;
}

inline ow_reap wire_reap(ow_reap_phase phase = OW_REAP_FINISH) {
  auto out = wire<ow_reap>(OW_KIND_REAP);
  out.tid = 101;
  out.phase = phase;
  return out;
}

inline ow_exit wire_exit() {
  auto out = wire<ow_exit>(OW_KIND_EXIT);
  out.pid = 100;
  out.exit_code = 9;
  return out;
}

template <typename Record>
std::vector<std::byte> bytes_of(const Record& record) {
  const auto bytes = as_bytes_of(record);
  return {bytes.begin(), bytes.end()};
}

// One of each kind, of one kill, in the order the kernel meets them.
inline std::vector<std::vector<std::byte>> one_of_each() {
  return {bytes_of(wire_decision()), bytes_of(wire_memcg()),  bytes_of(wire_candidates()),
          bytes_of(wire_stack()),    bytes_of(wire_system()), bytes_of(wire_victim()),
          bytes_of(wire_mark()),     bytes_of(wire_argv()),   bytes_of(wire_reap()),
          bytes_of(wire_exit())};
}

}  // namespace oomwitness::testing
