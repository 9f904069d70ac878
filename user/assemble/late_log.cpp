// SPDX-License-Identifier: BSD-2-Clause
// The kernel log's account of the same kill, where the kernel side was silent.
#include "assemble/build_incident.h"
#include "assemble/late_fill.h"

namespace oomwitness {

namespace {

void fill_level(LateFill& fill, MemcgLevel& level, const MemcgLevel& log) {
  fill(level.usage_bytes, log.usage_bytes, "scope.memcg.usage_bytes");
  if (!level.unlimited) fill(level.limit_bytes, log.limit_bytes, "scope.memcg.limit_bytes");
  // What the swap figures mean is one bit for both: they come together or not at all.
  if (!level.swap_usage_bytes && !level.swap_limit_bytes && !level.swap_unlimited) {
    level.swap_is_memsw = log.swap_is_memsw;
    level.swap_unlimited = log.swap_unlimited;
    fill(level.swap_usage_bytes, log.swap_usage_bytes, "scope.memcg.swap_usage_bytes");
    fill(level.swap_limit_bytes, log.swap_limit_bytes, "scope.memcg.swap_limit_bytes");
  }
  fill(level.failcnt, log.failcnt, "scope.memcg.failcnt");
  fill(level.oom_group, log.oom_group, "scope.memcg.oom_group");
}

void fill_scope(LateFill& fill, Scope& scope, const Scope& log, bool memcg_excluded) {
  fill(scope.constraint, log.constraint, "scope.constraint");
  fill(scope.nodemask, log.nodemask, "scope.nodemask");
  fill(scope.cpuset, log.cpuset, "scope.cpuset");
  fill(scope.mems_allowed, log.mems_allowed, "scope.mems_allowed");
  fill(scope.sysrq, log.sysrq, "scope.sysrq");
  fill(scope.kill_allocating_task, log.kill_allocating_task, "scope.kill_allocating_task");
  if (!log.memcg || memcg_excluded) return;
  if (!scope.memcg) {
    fill(scope.memcg, log.memcg, "scope.memcg");
  } else if (scope.memcg->self.path == log.memcg->self.path) {
    fill_level(fill, scope.memcg->self, log.memcg->self);
  }
}

void fill_invoker(LateFill& fill, Invoker& invoker, const Invoker& log) {
  fill(invoker.pid, log.pid, "invoker.pid");
  fill(invoker.tid, log.tid, "invoker.tid");
  fill(invoker.comm, log.comm, "invoker.comm");
  fill(invoker.uid, log.uid, "invoker.uid");
  fill(invoker.oom_score_adj, log.oom_score_adj, "invoker.oom_score_adj");
  fill(invoker.cgroup, log.cgroup, "invoker.cgroup");
  fill(invoker.order, log.order, "invoker.order");
  fill(invoker.gfp, log.gfp, "invoker.gfp");
  fill(invoker.kernel_thread, log.kernel_thread, "invoker.kernel_thread");
  fill(invoker.kernel_stack, log.kernel_stack, "invoker.kernel_stack");
}

}  // namespace

bool fill_from_log(Incident& incident, const CaseFile& file) {
  LateFill fill(incident.provenance, "kmsg", "", file.from_kernel());
  // The kernel has said that no limit was hit: a log report that names one tells of another kill.
  const bool memcg_excluded = file.decision && !file.decision->memcg;
  for (const LogReport& report : file.logs) {
    fill_scope(fill, incident.scope, report.scope, memcg_excluded);
    fill_invoker(fill, incident.invoker, report.invoker);
    fill(incident.candidates.listed, report.candidates.listed, "candidates.listed");
  }
  return fill.gave_anything();
}

}  // namespace oomwitness
