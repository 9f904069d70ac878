// SPDX-License-Identifier: BSD-2-Clause
// The one table of keys, in the order they are written. `Io` is the writer (const objects) or the
// reader of json.cpp. io(key, field) leaves out what is absent: an empty optional, string, list,
// map or object, a false bool. io.always() writes the empty ones too; io.nonzero() takes 0 for
// absent.
#pragma once

#include <concepts>
#include <type_traits>

#include "incident/incident.h"

namespace oomwitness {

template <typename T, typename Model>
concept A = std::same_as<std::remove_const_t<T>, Model>;

template <typename Io>
void fields(Io& io, A<Host> auto& host) {
  io("name", host.name);
  io("boot_id", host.boot_id);
  io("kernel", host.kernel);
  io("arch", host.arch);
  io.nonzero("page_size_bytes", host.page_size_bytes);
}

template <typename Io>
void fields(Io& io, A<MemcgLevel> auto& level) {
  io("path", level.path);
  io("usage_bytes", level.usage_bytes);
  io("limit_bytes", level.limit_bytes);
  io("unlimited", level.unlimited);
  io("swap_usage_bytes", level.swap_usage_bytes);
  io("swap_limit_bytes", level.swap_limit_bytes);
  io("swap_unlimited", level.swap_unlimited);
  io("swap_is_memsw", level.swap_is_memsw);
  io("failcnt", level.failcnt);
  io("oom_group", level.oom_group);
}

template <typename Io>
void fields(Io& io, A<Memcg> auto& memcg) {
  fields(io, memcg.self);
  io.always("ancestors", memcg.ancestors);
  io("stat", memcg.stat);
}

template <typename Io>
void fields(Io& io, A<Scope> auto& scope) {
  io("constraint", scope.constraint);
  io("memcg", scope.memcg);
  io("nodemask", scope.nodemask);
  io("cpuset", scope.cpuset);
  io("mems_allowed", scope.mems_allowed);
  io("sysrq", scope.sysrq);
  io("kill_allocating_task", scope.kill_allocating_task);
  io("no_killable", scope.no_killable);
  io("panic", scope.panic);
  io("reason", scope.reason);
}

template <typename Io>
void fields(Io& io, A<Gfp> auto& gfp) {
  io.hex("mask", gfp.mask);
  // A mask without any bit has no flags, whatever the kernel.
  if (gfp.mask == 0) {
    io.always("flags", gfp.flags);
  } else {
    io("flags", gfp.flags);
  }
}

template <typename Io>
void fields(Io& io, A<UserFrame> auto& frame) {
  io("build_id", frame.build_id);
  io("offset", frame.offset);
}

template <typename Io>
void fields(Io& io, A<Invoker> auto& invoker) {
  io("pid", invoker.pid);
  io("tid", invoker.tid);
  io("comm", invoker.comm);
  io("uid", invoker.uid);
  io("oom_score_adj", invoker.oom_score_adj);
  io("cgroup", invoker.cgroup);
  io("order", invoker.order);
  io("gfp", invoker.gfp);
  io("kernel_thread", invoker.kernel_thread);
  io("kernel_stack", invoker.kernel_stack);
  io("user_stack", invoker.user_stack);
}

template <typename Io>
void fields(Io& io, A<Container> auto& container) {
  io("runtime", container.runtime);
  io("id", container.id);
  io("name", container.name);
  io("image", container.image);
}

template <typename Io>
void fields(Io& io, A<Pod> auto& pod) {
  io("name", pod.name);
  io("namespace", pod.ns);
  io("uid", pod.uid);
  io("container", pod.container);
}

template <typename Io>
void fields(Io& io, A<Memory> auto& memory) {
  io("total_vm_bytes", memory.total_vm_bytes);
  io("rss_bytes", memory.rss_bytes);
  io("anon_rss_bytes", memory.anon_rss_bytes);
  io("file_rss_bytes", memory.file_rss_bytes);
  io("shmem_rss_bytes", memory.shmem_rss_bytes);
  io("swap_bytes", memory.swap_bytes);
  io("pgtables_bytes", memory.pgtables_bytes);
}

template <typename Io>
void fields(Io& io, A<Ancestor> auto& ancestor) {
  io("pid", ancestor.pid);
  io("comm", ancestor.comm);
}

template <typename Io>
void fields(Io& io, A<Timeline> auto& timeline) {
  io("marked_ns", timeline.marked_ns);
  io("signalled_ns", timeline.signalled_ns);
  io("reap_started_ns", timeline.reap_started_ns);
  io("reaped_ns", timeline.reaped_ns);
  io("reap_skipped", timeline.reap_skipped);
  io("exited_ns", timeline.exited_ns);
}

template <typename Io>
void fields(Io& io, A<Victim> auto& victim) {
  io("pid", victim.pid);
  io("tid", victim.tid);
  io("ns_pid", victim.ns_pid);
  io("ppid", victim.ppid);
  io("comm", victim.comm);
  io("cmdline", victim.cmdline);
  io("cmdline_bytes", victim.cmdline_bytes);
  io("exe", victim.exe);
  io("exe_deleted", victim.exe_deleted);
  io("uid", victim.uid);
  io("user", victim.user);
  io("cgroup", victim.cgroup);
  io("unit", victim.unit);
  io("container", victim.container);
  io("pod", victim.pod);
  io.time("started", victim.started_unix_ns);
  io("oom_score_adj", victim.oom_score_adj);
  io("points", victim.points);
  io("score", victim.score);
  io("threads", victim.threads);
  io("memory", victim.memory);
  io("role", victim.role);
  io("ancestry", victim.ancestry);
  io("timeline", victim.timeline);
}

template <typename Io>
void fields(Io& io, A<Selected> auto& selected) {
  io("pid", selected.pid);
  io("comm", selected.comm);
  io("points", selected.points);
  io("score", selected.score);
}

template <typename Io>
void fields(Io& io, A<Candidate> auto& candidate) {
  io("pid", candidate.pid);
  io("comm", candidate.comm);
  io("points", candidate.points);
  io("oom_score_adj", candidate.oom_score_adj);
  io("uid", candidate.uid);
  io("memory", candidate.memory);
}

template <typename Io>
void fields(Io& io, A<NameTotal> auto& total) {
  io("comm", total.comm);
  io.always("count", total.count);
  io("memory", total.memory);
}

template <typename Io>
void fields(Io& io, A<Candidates> auto& candidates) {
  io("considered", candidates.considered);
  io("unkillable", candidates.unkillable);
  io("listed", candidates.listed);
  io("total_pages", candidates.total_pages);
  io("top", candidates.top);
  io("listed_memory", candidates.listed_memory);
  io("by_name", candidates.by_name);
}

template <typename Io>
void fields(Io& io, A<Zone> auto& zone) {
  io.always("node", zone.node);
  io.always("zone", zone.zone);
  io("free_bytes", zone.free_bytes);
  io("boost_bytes", zone.boost_bytes);
  io("min_bytes", zone.min_bytes);
  io("low_bytes", zone.low_bytes);
  io("high_bytes", zone.high_bytes);
  io("reserved_highatomic_bytes", zone.reserved_highatomic_bytes);
  io("present_bytes", zone.present_bytes);
  io("managed_bytes", zone.managed_bytes);
  io("mlocked_bytes", zone.mlocked_bytes);
  io("lowmem_reserve_pages", zone.lowmem_reserve_pages);
  io("free_blocks", zone.free_blocks);
}

template <typename Io>
void fields(Io& io, A<System> auto& system) {
  io("meminfo", system.meminfo_bytes);
  io("swap", system.swap_bytes);
  io("zones", system.zones);
  io("slab_caches", system.slab_caches_bytes);
  io("source", system.source);
}

template <typename Io>
void fields(Io& io, A<Tracked> auto& tracked) {
  io.always("name", tracked.name);
  io("pid", tracked.pid);
  io("comm", tracked.comm);
  io("cgroup", tracked.cgroup);
}

template <typename Io>
void fields(Io& io, A<History> auto& history) {
  io.nonzero("interval_ms", history.interval_ms);
  io("tracked", history.tracked);
  io("samples", history.samples);
}

template <typename Io>
void fields(Io& io, A<Trend> auto& trend) {
  io.always("shape", trend.shape);
  io.always("of", trend.of);
  io("slope_bytes_per_s", trend.slope_bytes_per_s);
  io("over_ms", trend.over_ms);
}

template <typename Io>
void fields(Io& io, A<Diagnosis> auto& diagnosis) {
  io.always("cause", diagnosis.cause);
  io("also", diagnosis.also);
  io.always("confidence", diagnosis.confidence);
  io.always("summary", diagnosis.summary);
  io("evidence", diagnosis.evidence);
  io("advice", diagnosis.advice);
  io("trend", diagnosis.trend);
}

template <typename Io>
void fields(Io& io, A<Provenance> auto& provenance) {
  io.always("sources", provenance.sources);
  io("hooks", provenance.hooks);
  io("missing", provenance.missing);
  io("late", provenance.late);
  io.always("lost_events", provenance.lost_events);
}

template <typename Io>
void fields(Io& io, A<Incident> auto& incident) {
  io("id", incident.id);
  io.always("revision", incident.revision);
  io("killer", incident.killer);
  io.time("time", incident.time_unix_ns);
  io.nonzero("monotonic_ns", incident.monotonic_ns);
  io.always("host", incident.host);
  io.always("scope", incident.scope);
  io.always("invoker", incident.invoker);
  io.always("victims", incident.victims);
  io("selected", incident.selected);
  io.always("candidates", incident.candidates);
  io.always("system", incident.system);
  io("history", incident.history);
  io("diagnosis", incident.diagnosis);
  io.always("provenance", incident.provenance);
}

}  // namespace oomwitness
