// SPDX-License-Identifier: BSD-2-Clause
#include "assemble/build_incident.h"

#include <algorithm>

#include "assemble/completion.h"
#include "assemble/incident_id.h"

namespace oomwitness {

namespace {

constexpr const char* kFromKernel = "bpf";
constexpr const char* kFromProc = "proc";
constexpr const char* kFromLog = "kmsg";
constexpr const char* kFromCgroup = "cgroupfs";

// Wraps where a hostile offset would overflow a signed sum.
std::int64_t shifted(std::uint64_t at, std::int64_t offset) {
  return static_cast<std::int64_t>(at + static_cast<std::uint64_t>(offset));
}

std::string constraint_name(std::uint32_t constraint) {
  // enum oom_constraint (include/linux/oom.h)
  switch (constraint) {
    case 0: return "none";
    case 1: return "cpuset";
    case 2: return "mempolicy";
    case 3: return "memcg";
    default: return "constraint-" + std::to_string(constraint);
  }
}

Opt<Memcg> memcg_of(const std::vector<MemcgLevel>& levels) {
  if (levels.empty()) return std::nullopt;
  Memcg memcg;
  memcg.self = levels.front();
  memcg.ancestors.assign(levels.begin() + 1, levels.end());
  return memcg;
}

Scope scope_of(const CaseFile& file) {
  Scope scope;
  if (file.limit_chain) scope.memcg = memcg_of(file.limit_chain->levels);
  if (!file.decision) return scope;
  const Decision& decision = *file.decision;
  if (decision.constraint) scope.constraint = constraint_name(*decision.constraint);
  scope.nodemask = decision.nodemask;
  scope.cpuset = decision.cpuset;
  scope.mems_allowed = decision.mems_allowed;
  if (decision.order) scope.sysrq = *decision.order == -1;
  if (!decision.message.empty())
    scope.kill_allocating_task = decision.message == kAllocatingTaskMessage;
  return scope;
}

void put(Invoker& invoker, const InvokerTask& task) {
  if (task.pid == 0 && task.tid == 0) return;  // the idle task never allocates: not read
  if (task.pid != 0) invoker.pid = task.pid;
  if (task.tid != 0) invoker.tid = task.tid;
  invoker.comm = task.comm;
  invoker.uid = task.uid;
  invoker.oom_score_adj = task.oom_score_adj;
  invoker.kernel_thread = task.kernel_thread;
}

Opt<InvokerTask> invoker_of_victims(const CaseFile& file) {
  for (const CaseVictim& victim : file.victims) {
    for (const auto& task : victim.seen)
      if (task && task->invoker && task->invoker->tid != 0) return task->invoker;
    if (victim.mark && victim.mark->invoker.tid != 0) return victim.mark->invoker;
  }
  return std::nullopt;
}

Invoker invoker_of(const CaseFile& file, const AssemblerConfig& config) {
  Invoker invoker;
  if (file.decision) {
    const Decision& decision = *file.decision;
    put(invoker, decision.invoker);
    invoker.cgroup = decision.invoker_cgroup;
    invoker.order = decision.order;
    if (decision.gfp_mask) {
      invoker.gfp = Gfp{.mask = *decision.gfp_mask, .flags = {}};
      if (config.decode_gfp) invoker.gfp->flags = config.decode_gfp(*decision.gfp_mask);
    }
  }
  if (!invoker.pid && !invoker.tid)
    if (const auto task = invoker_of_victims(file)) put(invoker, *task);
  if (file.stacks) {
    invoker.kernel_stack = file.stacks->kernel;
    invoker.user_stack = file.stacks->user;
  }
  return invoker;
}

Candidates candidates_of(const CaseFile& file) {
  Candidates candidates;
  if (file.decision) candidates.total_pages = file.decision->total_pages;
  if (!file.candidates) return candidates;
  const CandidateList& list = *file.candidates;
  // Nobody weighed is not a scan that found nobody: oom_kill_allocating_task makes none.
  if (list.considered == 0 && list.top.empty()) return candidates;
  candidates.considered = list.considered;
  candidates.unkillable = list.unkillable;
  candidates.top = list.top;
  return candidates;
}

Opt<Selected> selected_of(const CaseFile& file) {
  if (!file.decision || !file.decision->chosen) return std::nullopt;
  const Decision& decision = *file.decision;
  Selected selected{.pid = decision.chosen->pid, .comm = decision.chosen->comm, .points = {}};
  // Nothing was weighed for it: chosen_points is as it was initialised.
  if (decision.message != kAllocatingTaskMessage) selected.points = decision.chosen->points;
  return selected;
}

// The victim's own chain has the figures above a limit that the log names, or of it.
void fill_from_victim_chain(Incident& incident, const CaseFile& file) {
  if (!incident.scope.memcg || file.limit_chain || !file.victim_chain) return;
  Memcg& memcg = *incident.scope.memcg;
  const auto& levels = file.victim_chain->levels;
  const auto at = std::find_if(levels.begin(), levels.end(), [&](const MemcgLevel& level) {
    return level.path == memcg.self.path;
  });
  if (at == levels.end()) return;
  MemcgLevel& self = memcg.self;
  if (!self.usage_bytes) self.usage_bytes = at->usage_bytes;
  if (!self.limit_bytes && !self.unlimited) {
    self.limit_bytes = at->limit_bytes;
    self.unlimited = at->unlimited;
  }
  if (!self.swap_usage_bytes && !self.swap_limit_bytes && !self.swap_unlimited) {
    self.swap_usage_bytes = at->swap_usage_bytes;
    self.swap_limit_bytes = at->swap_limit_bytes;
    self.swap_unlimited = at->swap_unlimited;
    self.swap_is_memsw = at->swap_is_memsw;
  }
  if (!self.failcnt) self.failcnt = at->failcnt;
  if (!self.oom_group) self.oom_group = at->oom_group;
  if (memcg.ancestors.empty()) memcg.ancestors.assign(at + 1, levels.end());
}

void put_sources(Incident& incident, const std::vector<std::string>& gave,
                 const AssemblerConfig& config) {
  std::vector<std::string>& sources = incident.provenance.sources;
  const auto has = [](const std::vector<std::string>& list, const std::string& name) {
    return std::find(list.begin(), list.end(), name) != list.end();
  };
  for (const std::string& name : config.sources)
    if (has(gave, name) && !has(sources, name)) sources.push_back(name);
  for (const std::string& name : gave)
    if (!has(sources, name)) sources.push_back(name);
}

std::string id_of(const Incident& incident, const CaseFile& file) {
  std::uint32_t pid = 0;
  std::uint32_t tid = 0;
  if (file.decision && file.decision->chosen) {
    pid = file.decision->chosen->pid;
    tid = file.decision->chosen->tid;
  } else if (!incident.victims.empty()) {
    pid = incident.victims.front().pid.value_or(0);
    tid = incident.victims.front().tid.value_or(0);
  }
  return incident_id(incident.time_unix_ns, incident.host.boot_id, incident.monotonic_ns, pid, tid);
}

}  // namespace

std::string victim_prefix(std::size_t index) {
  return "victims[" + std::to_string(index) + "].";
}

Incident build_incident(const CaseFile& file, const AssemblerConfig& config) {
  Incident incident;
  incident.host = config.host;
  if (incident.host.page_size_bytes == 0) incident.host.page_size_bytes = config.page_size;
  incident.monotonic_ns = file.kernel_time_ns();
  incident.time_unix_ns = shifted(incident.monotonic_ns, config.unix_minus_monotonic_ns);
  incident.scope = scope_of(file);
  incident.invoker = invoker_of(file, config);
  incident.candidates = candidates_of(file);
  incident.selected = selected_of(file);
  std::vector<std::string> gave;
  if (file.from_kernel()) {
    gave.emplace_back(kFromKernel);
    incident.provenance.hooks = config.hooks;
  }

  LateSources late;
  for (std::size_t i = 0; i < file.victims.size(); ++i) {
    incident.victims.push_back(victim_from_kernel(file, file.victims[i], config));
    const LateSources of_one = fill_victim_late(incident, i, file);
    late.proc_gave = late.proc_gave || of_one.proc_gave;
    late.log_gave = late.log_gave || of_one.log_gave;
  }
  if (file.system) {
    incident.system = file.system->system;
    if (incident.system.source == kFromProc) {
      late.proc_gave = true;
      incident.provenance.late.emplace("system", kFromProc);
    }
  }
  late.log_gave = fill_from_log(incident, file) || late.log_gave;
  fill_from_victim_chain(incident, file);
  if (late.proc_gave) gave.emplace_back(kFromProc);
  if (late.log_gave) gave.emplace_back(kFromLog);
  if (file.stat && !file.stat->stat.empty() && incident.scope.memcg) {
    incident.scope.memcg->stat = file.stat->stat;
    incident.provenance.late.emplace("scope.memcg.stat", kFromCgroup);
    gave.emplace_back(kFromCgroup);
  }
  put_sources(incident, gave, config);
  tell_missing(incident, file, config);
  // An update keeps the id of the first report, whatever was learnt since.
  incident.id = file.written ? file.written->id : id_of(incident, file);
  return incident;
}

}  // namespace oomwitness
