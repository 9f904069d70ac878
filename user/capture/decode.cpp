// SPDX-License-Identifier: BSD-2-Clause
#include "capture/decode.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "bpf/event.h"

namespace oomwitness {
namespace {

// The ring gives 8-byte alignment but no object: copy, never cast.
template <typename T>
Result<T> read_as(std::span<const std::byte> bytes) {
  static_assert(std::is_trivially_copyable_v<T>);
  if (bytes.size() < sizeof(T)) return fail(EBADMSG, "BPF record is truncated");
  T out{};
  std::memcpy(&out, bytes.data(), sizeof(out));
  return out;
}

template <std::size_t N>
std::string text(const char (&bytes)[N]) {
  return {static_cast<const char*>(bytes), ::strnlen(static_cast<const char*>(bytes), N)};
}

bool is_whole(const ow_path& path) {
  return path.used <= sizeof(path.names);
}

// Of a whole path.
std::vector<std::string> components(const ow_path& path) {
  std::vector<std::string> names;
  std::string_view rest(static_cast<const char*>(path.names), path.used);
  while (!rest.empty() && names.size() < path.levels) {
    const std::size_t end = std::min(rest.find('\0'), rest.size());
    names.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return names;
}

// Components `from`.. (last one first) as a path from the root.
std::string join(const std::vector<std::string>& names, std::size_t from = 0) {
  std::string path;
  for (std::size_t i = names.size(); i > from; --i) path.append("/").append(names[i - 1]);
  return path.empty() ? "/" : path;
}

InvokerTask invoker(const ow_invoker& raw) {
  return {.pid = raw.pid,
          .tid = raw.tid,
          .uid = raw.uid,
          .oom_score_adj = raw.oom_score_adj,
          .kernel_thread = raw.kernel_thread != 0,
          .comm = text(raw.comm)};
}

TaskState state(std::uint32_t bits) {
  return {.sigkill_pending = (bits & OW_STATE_SIGKILL_PENDING) != 0,
          .group_exit = (bits & OW_STATE_GROUP_EXIT) != 0};
}

// Node numbers as the kernel prints them (%*pbl): "0-1,3".
std::string node_list(const __u64 (&words)[OW_NODEMASK_WORDS]) {
  const auto has = [&](unsigned node) { return ((words[node / 64] >> (node % 64)) & 1U) != 0; };
  constexpr unsigned kNodes = 64 * OW_NODEMASK_WORDS;
  std::string out;
  for (unsigned first = 0; first < kNodes; ++first) {
    if (!has(first)) continue;
    unsigned last = first;
    while (last + 1 < kNodes && has(last + 1)) ++last;
    if (!out.empty()) out += ',';
    out += std::to_string(first);
    if (last > first) out += '-' + std::to_string(last);
    first = last;
  }
  return out;
}

Result<Observation> decode_decision(std::span<const std::byte> record) {
  TRY(const auto raw, read_as<ow_decision>(record));
  if (!is_whole(raw.cgroup)) return fail(EBADMSG, "decision record with too long a path");
  Decision out{.at_ns = raw.hdr.ktime_ns, .id = raw.hdr.decision, .invoker = invoker(raw.invoker)};
  const auto has = [&](std::uint64_t bit) { return (raw.hdr.has & bit) != 0; };
  if (has(OW_HAS_GFP)) out.gfp_mask = raw.gfp_mask;
  if (has(OW_HAS_ORDER)) out.order = raw.order;
  if (has(OW_HAS_CONSTRAINT)) out.constraint = raw.constraint;
  if (has(OW_HAS_TOTAL_PAGES)) out.total_pages = raw.total_pages;
  if (has(OW_HAS_CHOSEN)) {
    out.chosen = Decision::Chosen{.pid = raw.chosen_pid,
                                  .tid = raw.chosen_tid,
                                  .comm = text(raw.chosen_comm),
                                  .points = raw.chosen_points,
                                  .state = state(raw.chosen_state)};
  }
  if (has(OW_HAS_NODEMASK)) out.nodemask = node_list(raw.nodemask);
  if (has(OW_HAS_MEMS)) out.mems_allowed = node_list(raw.mems_allowed);
  if (has(OW_HAS_CPUSET)) out.cpuset = raw.cpuset[0] == '\0' ? "/" : text(raw.cpuset);
  if (has(OW_HAS_CGROUP)) out.invoker_cgroup = join(components(raw.cgroup));
  out.scanned = has(OW_HAS_SCAN);
  out.memcg = has(OW_HAS_MEMCG);
  out.message = text(raw.message);
  return out;
}

MemcgLevel memcg_level(const ow_memcg_level& raw, std::string path, std::uint64_t page_size) {
  MemcgLevel out{.path = std::move(path)};
  out.usage_bytes = raw.usage_pages * page_size;
  out.unlimited = raw.limit_pages == OW_LIMIT_NONE;
  if (!out.unlimited) out.limit_bytes = raw.limit_pages * page_size;
  out.swap_is_memsw = raw.v1 != 0;
  out.swap_usage_bytes = raw.swap_usage_pages * page_size;
  out.swap_unlimited = raw.swap_limit_pages == OW_LIMIT_NONE;
  if (!out.swap_unlimited) out.swap_limit_bytes = raw.swap_limit_pages * page_size;
  if (raw.counts_failures != 0) out.failcnt = raw.failcnt;
  out.oom_group = raw.oom_group != 0;
  return out;
}

Result<Observation> decode_memcg(std::span<const std::byte> record, std::uint64_t page_size) {
  TRY(const auto raw, read_as<ow_memcg>(record));
  if (raw.levels > OW_MEMCG_LEVELS) return fail(EBADMSG, "memcg record with too many levels");
  if (!is_whole(raw.path)) return fail(EBADMSG, "memcg record with too long a path");
  MemcgChain out{.at_ns = raw.hdr.ktime_ns, .id = raw.hdr.decision};
  out.of_limit = raw.subject == OW_MEMCG_OF_LIMIT;
  out.victim_pid = raw.pid;
  out.truncated = raw.truncated != 0 || raw.path.truncated != 0;
  const std::vector<std::string> names = components(raw.path);
  // A chain whose top is missing has no true paths to give.
  for (std::size_t i = 0; i < raw.levels && i < names.size(); ++i) {
    out.levels.push_back(memcg_level(raw.level[i], join(names, i), page_size));
  }
  return out;
}

Memory sizes(const ow_candidate& raw, std::uint64_t page_size) {
  return {.total_vm_bytes = raw.total_vm_pages * page_size,
          .anon_rss_bytes = raw.anon_pages * page_size,
          .file_rss_bytes = raw.file_pages * page_size,
          .shmem_rss_bytes = raw.shmem_pages * page_size,
          .swap_bytes = raw.swap_pages * page_size,
          .pgtables_bytes = raw.pgtables_bytes};
}

Result<Observation> decode_candidates(std::span<const std::byte> record, std::uint64_t page_size) {
  TRY(const auto raw, read_as<ow_candidates>(record));
  if (raw.listed > OW_CANDIDATES) return fail(EBADMSG, "candidates record with too many rows");
  CandidateList out{.at_ns = raw.hdr.ktime_ns,
                    .id = raw.hdr.decision,
                    .considered = raw.considered,
                    .unkillable = raw.unkillable,
                    .exact = raw.way == OW_CANDIDATE_EXACT};
  for (std::size_t i = 0; i < raw.listed; ++i) {
    const ow_candidate& row = raw.top[i];
    Candidate candidate{.pid = row.pid, .comm = text(row.comm), .points = row.points};
    // All or nothing: uid, adj and comm were read together with the sizes.
    if (row.comm[0] != '\0' || row.has_memory != 0) {
      candidate.uid = row.uid;
      candidate.oom_score_adj = row.oom_score_adj;
    }
    if (row.has_memory != 0) candidate.memory = sizes(row, page_size);
    out.top.push_back(std::move(candidate));
  }
  std::stable_sort(out.top.begin(), out.top.end(),
                   [](const Candidate& a, const Candidate& b) { return a.points > b.points; });
  return out;
}

std::string hex(const unsigned char* bytes, std::size_t size) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < size; ++i) {
    out += kDigits[bytes[i] >> 4U];
    out += kDigits[bytes[i] & 15U];
  }
  return out;
}

// The tracer's own frames on top of the kernel's.
bool is_tracer_frame(std::string_view symbol) {
  return symbol.starts_with("bpf_") || symbol.starts_with("__bpf_") ||
         symbol.starts_with("arch_ftrace") || symbol.starts_with("ftrace_") ||
         symbol.starts_with("kprobe_") || symbol.starts_with("perf_");
}

Result<Observation> decode_stack(std::span<const std::byte> record) {
  TRY(const auto raw, read_as<ow_stack>(record));
  if (raw.kernel_frames > OW_KSTACK_FRAMES || raw.user_frames > OW_USTACK_FRAMES) {
    return fail(EBADMSG, "stack record with too many frames");
  }
  Stacks out{.at_ns = raw.hdr.ktime_ns, .id = raw.hdr.decision};
  bool above = true;
  for (std::size_t i = 0; i < raw.kernel_frames; ++i) {
    KernelFrame frame{.address = raw.kernel[i], .symbol = text(raw.symbol[i])};
    if (above && is_tracer_frame(frame.symbol)) continue;
    above = frame.symbol.empty();
    out.kernel.push_back(std::move(frame));
  }
  for (std::size_t i = 0; i < raw.user_frames; ++i) {
    const ow_user_frame& frame = raw.user[i];
    const bool located = frame.status == 1;  // BPF_STACK_BUILD_ID_VALID
    if (!located && frame.offset == 0) continue;
    out.user.push_back({located ? hex(&frame.build_id[0], OW_BUILD_ID_LEN) : "", frame.offset});
  }
  return out;
}

constexpr std::array<const char*, OW_SYS_COUNTERS> kCounterNames{
    "MemTotal",       "MemFree",     "Active(anon)", "Inactive(anon)", "Active(file)",
    "Inactive(file)", "Unevictable", "Mlocked",      "AnonPages",      "Mapped",
    "FilePages",      "Dirty",       "Writeback",    "Shmem",          "SReclaimable",
    "SUnreclaim",     "KernelStack", "PageTables",   "SwapTotal",      "SwapFree"};

Result<Observation> decode_system(std::span<const std::byte> record, std::uint64_t page_size) {
  TRY(const auto raw, read_as<ow_system>(record));
  SystemMemory out{.at_ns = raw.hdr.ktime_ns, .id = raw.hdr.decision};
  out.system.source = "bpf";
  for (unsigned i = 0; i < OW_SYS_COUNTERS; ++i) {
    if (((raw.hdr.has >> i) & 1U) == 0) continue;
    const std::uint64_t unit = i == OW_SYS_KERNEL_STACK_KB ? 1024 : page_size;
    out.system.meminfo_bytes[kCounterNames[i]] = raw.counter[i] * unit;
    if (i == OW_SYS_SWAP_TOTAL) out.system.swap_bytes["total"] = raw.counter[i] * unit;
    if (i == OW_SYS_SWAP_FREE) out.system.swap_bytes["free"] = raw.counter[i] * unit;
  }
  return out;
}

Role role(std::uint32_t raw) {
  switch (raw) {
    case OW_ROLE_CHOSEN: return Role::kChosen;
    case OW_ROLE_GROUP: return Role::kGroup;
    case OW_ROLE_SHARED_MM: return Role::kSharedMm;
    case OW_ROLE_EXITING: return Role::kAlreadyExiting;
    default: return Role::kUnknown;
  }
}

SeenAt seen_at(std::uint32_t raw) {
  if (raw == OW_SEEN_AT_KILL) return SeenAt::kKill;
  return raw == OW_SEEN_AT_MARK ? SeenAt::kMark : SeenAt::kDeliver;
}

Memory sizes(const ow_victim& raw, std::uint64_t page_size) {
  return {.total_vm_bytes = raw.total_vm_pages * page_size,
          .anon_rss_bytes = raw.anon_pages * page_size,
          .file_rss_bytes = raw.file_pages * page_size,
          .shmem_rss_bytes = raw.shmem_pages * page_size,
          .swap_bytes = raw.swap_pages * page_size,
          .pgtables_bytes = raw.pgtables_bytes};
}

Result<Observation> decode_victim(std::span<const std::byte> record, std::uint64_t page_size) {
  TRY(const auto raw, read_as<ow_victim>(record));
  if (raw.ns_levels > OW_NS_LEVELS || raw.ancestors > OW_ANCESTORS) {
    return fail(EBADMSG, "victim record with too many entries");
  }
  if (!is_whole(raw.cgroup) || !is_whole(raw.exe)) {
    return fail(EBADMSG, "victim record with too long a path");
  }
  VictimTask out{.at_ns = raw.hdr.ktime_ns, .id = raw.hdr.decision};
  out.seen_at = seen_at(raw.seen_at);
  out.role = role(raw.role);
  out.state = state(raw.state);
  out.pid = raw.pid;
  out.tid = raw.tid;
  out.ppid = raw.ppid;
  out.uid = raw.uid;
  out.oom_score_adj = raw.oom_score_adj;
  out.threads = raw.threads;
  out.start_boottime_ns = raw.start_ns;
  out.comm = text(raw.comm);
  if ((raw.hdr.has & OW_HAS_MM) != 0) out.memory = sizes(raw, page_size);
  out.shares_mm = (raw.hdr.has & OW_HAS_SHARERS) != 0;
  out.oom_group = raw.oom_group != 0;
  out.cgroup = join(components(raw.cgroup));
  out.cgroup_truncated = raw.cgroup.truncated != 0;
  out.cgroup_id = raw.cgroup_id;
  if ((raw.hdr.has & OW_HAS_EXE) != 0 && raw.exe.truncated == 0) {
    out.exe = join(components(raw.exe));
    out.exe_deleted = raw.exe_deleted != 0;
  }
  for (std::size_t i = 0; i < raw.ns_levels; ++i) {
    out.ns_pids.push_back({raw.ns_pid[i].pid, raw.ns_pid[i].ns_inum});
  }
  for (std::size_t i = 0; i < raw.ancestors; ++i) {
    out.ancestry.push_back({raw.ancestor[i].pid, text(raw.ancestor[i].comm)});
  }
  if ((raw.hdr.has & OW_HAS_INVOKER) != 0) out.invoker = invoker(raw.invoker);
  return out;
}

Result<Observation> decode_mark(std::span<const std::byte> record) {
  TRY(const auto raw, read_as<ow_mark>(record));
  Marked out{.at_ns = raw.hdr.ktime_ns, .id = raw.hdr.decision};
  if ((raw.hdr.has & OW_HAS_TGID) != 0) out.pid = raw.pid;
  out.tid = raw.tid;
  out.invoker = invoker(raw.invoker);
  if ((raw.hdr.has & OW_HAS_SIZES) != 0) {
    out.memory = Memory{.total_vm_bytes = raw.total_vm_bytes,
                        .anon_rss_bytes = raw.anon_bytes,
                        .file_rss_bytes = raw.file_bytes,
                        .shmem_rss_bytes = raw.shmem_bytes,
                        .swap_bytes = {},
                        .pgtables_bytes = raw.pgtables_bytes};
    out.uid = raw.uid;
    out.oom_score_adj = raw.oom_score_adj;
    out.comm = text(raw.comm);
  }
  return out;
}

Result<Observation> decode_argv(std::span<const std::byte> record) {
  TRY(const auto raw, read_as<ow_argv>(record));
  constexpr std::int32_t kLastErrno = 4095;  // MAX_ERRNO, include/linux/err.h
  if (raw.captured > OW_ARGV_BYTES) return fail(EBADMSG, "argv record with too many bytes");
  if (raw.error < -kLastErrno || raw.error > 0)
    return fail(EBADMSG, "argv record without an errno");
  Delivered out{.at_ns = raw.hdr.ktime_ns, .id = raw.hdr.decision, .pid = raw.pid, .tid = raw.tid};
  out.argv_bytes = raw.argv_bytes;
  if ((raw.hdr.has & OW_HAS_ARGV) != 0) {
    out.argv = std::string(static_cast<const char*>(raw.argv), raw.captured);
  }
  out.error = -raw.error;
  return out;
}

Result<Observation> decode_reap(std::span<const std::byte> record) {
  TRY(const auto raw, read_as<ow_reap>(record));
  Reaped out{.at_ns = raw.hdr.ktime_ns, .id = raw.hdr.decision, .tid = raw.tid};
  switch (raw.phase) {
    case OW_REAP_WAKE: out.phase = ReapPhase::kWake; break;
    case OW_REAP_START: out.phase = ReapPhase::kStart; break;
    case OW_REAP_FINISH: out.phase = ReapPhase::kFinish; break;
    case OW_REAP_SKIP: out.phase = ReapPhase::kSkip; break;
    default: return fail(EBADMSG, "reaper record with an unknown phase");
  }
  return out;
}

Result<Observation> decode_exit(std::span<const std::byte> record) {
  TRY(const auto raw, read_as<ow_exit>(record));
  return Exited{.at_ns = raw.hdr.ktime_ns,
                .id = raw.hdr.decision,
                .pid = raw.pid,
                .exit_code = raw.exit_code};
}

}  // namespace

Result<Observation> decode(std::span<const std::byte> record, std::uint64_t page_size) {
  TRY(const auto header, read_as<ow_header>(record));
  if (header.version != OW_WIRE_VERSION) {
    return fail(EPROTO, "BPF record of wire version " + std::to_string(header.version));
  }
  if (header.size != record.size()) return fail(EBADMSG, "BPF record of another size than it says");
  switch (header.kind) {
    case OW_KIND_DECISION: return decode_decision(record);
    case OW_KIND_MEMCG: return decode_memcg(record, page_size);
    case OW_KIND_CANDIDATES: return decode_candidates(record, page_size);
    case OW_KIND_STACK: return decode_stack(record);
    case OW_KIND_SYSTEM: return decode_system(record, page_size);
    case OW_KIND_VICTIM: return decode_victim(record, page_size);
    case OW_KIND_MARK: return decode_mark(record);
    case OW_KIND_ARGV: return decode_argv(record);
    case OW_KIND_REAP: return decode_reap(record);
    case OW_KIND_EXIT: return decode_exit(record);
    default: return fail(EPROTO, "BPF record of unknown kind " + std::to_string(header.kind));
  }
}

std::span<char> argv_bytes(std::span<std::byte> record) {
  const auto raw = read_as<ow_argv>(record);
  if (!raw || raw->hdr.kind != OW_KIND_ARGV) return {};
  const std::size_t used = std::min<std::size_t>(raw->captured, OW_ARGV_BYTES);
  auto* argv = reinterpret_cast<char*>(record.data() + offsetof(ow_argv, argv));
  return {argv, used};
}

}  // namespace oomwitness
