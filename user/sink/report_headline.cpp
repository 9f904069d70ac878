// SPDX-License-Identifier: BSD-2-Clause
// The line that tells the story: when, who, why, and who asked.
#include <algorithm>

#include <fmt/format.h>

#include "sink/report_parts.h"
#include "support/text.h"

namespace oomwitness {
namespace {

constexpr std::size_t kPathInLine = 72;
constexpr std::size_t kReasonInLine = 240;

// What the reader knows the process by, best first.
std::string tag(const Page& page, const Victim& victim) {
  if (victim.pod && !victim.pod->name.empty()) {
    const std::string ns = victim.pod->ns.empty() ? "" : page.name(victim.pod->ns) + "/";
    return "pod " + ns + page.name(victim.pod->name);
  }
  if (victim.container && !victim.container->name.empty())
    return "container " + page.name(victim.container->name);
  return victim.unit ? page.name(*victim.unit) : "";
}

std::string victims_text(const Page& page, const Incident& incident) {
  if (incident.victims.empty()) {
    if (!incident.selected) return "no victim seen";
    return process_name(page, incident.selected->comm, incident.selected->pid) +
           " chosen, no victim seen";
  }
  const auto chosen = std::find_if(incident.victims.begin(), incident.victims.end(),
                                   [](const Victim& v) { return v.role == Role::kChosen; });
  const Victim& first = chosen == incident.victims.end() ? incident.victims.front() : *chosen;
  if (is_whole_cgroup(first))
    return "all of " + page.name(first.cgroup ? *first.cgroup : *first.unit, kPathInLine) +
           " killed";
  const std::string who = process_name(page, first.comm, first.pid, tag(page, first));
  if (is_group_kill(incident)) {
    const Opt<Memcg>& memcg = incident.scope.memcg;
    const std::string of = memcg ? " of " + page.name(memcg->self.path, kPathInLine) : "";
    return fmt::format("{} processes{} killed (memory.oom.group), {} chosen",
                       incident.victims.size(), of, who);
  }
  if (incident.victims.size() > 1) {
    const std::size_t others = incident.victims.size() - 1;
    const bool sharers =
        std::all_of(incident.victims.begin(), incident.victims.end(),
                    [&](const Victim& v) { return &v == &first || v.role == Role::kSharedMm; });
    return fmt::format("{} and {} other process{}{} killed", who, others, others == 1 ? "" : "es",
                       sharers ? " with the same memory" : "");
  }
  if (first.role == Role::kAlreadyExiting)
    return who + " marked, not killed (it was exiting already)";
  return who + " killed";
}

// cgroup v1 has a second limit, on memory and swap together: it is the one hit when it is nearer.
bool hit_memsw(const MemcgLevel& level) {
  if (!level.swap_is_memsw || !level.swap_limit_bytes || !level.swap_usage_bytes) return false;
  if (!level.limit_bytes || !level.usage_bytes) return true;
  const auto room = [](std::uint64_t limit, std::uint64_t usage) {
    return limit > usage ? limit - usage : 0;
  };
  return room(*level.swap_limit_bytes, *level.swap_usage_bytes) <
         room(*level.limit_bytes, *level.usage_bytes);
}

std::string limit_text(const Page& page, const Incident& incident) {
  if (!incident.scope.memcg) return "memory limit of a cgroup (which is not known)";
  const MemcgLevel& level = incident.scope.memcg->self;
  const bool memsw = hit_memsw(level);
  const Opt<std::uint64_t>& limit = memsw ? level.swap_limit_bytes : level.limit_bytes;
  return fmt::format("memory{} limit{} of {}", memsw ? "+swap" : "",
                     limit ? " " + human_size(*limit) : "", page.name(level.path, kPathInLine));
}

std::string host_text(const Incident& incident) {
  std::string out = "host out of memory";
  const auto ram = incident.system.meminfo_bytes.find("MemTotal");
  if (ram == incident.system.meminfo_bytes.end()) return out;
  out += " (" + human_size(ram->second) + " RAM";
  const auto swap = incident.system.swap_bytes.find("total");
  if (swap != incident.system.swap_bytes.end())
    out += swap->second == 0 ? ", no swap" : " + " + human_size(swap->second) + " swap";
  return out + ")";
}

std::string cause_text(const Page& page, const Incident& incident) {
  const Scope& scope = incident.scope;
  if (scope.reason) return page.name(*scope.reason, kReasonInLine);
  if (scope.sysrq.value_or(false)) return "asked for by SysRq-f";
  if (is_memcg_kill(incident)) return limit_text(page, incident);
  if (!scope.constraint) return "scope not known (a cgroup's limit or the host)";
  const std::string nodes = scope.nodemask       ? " " + page.name(*scope.nodemask)
                            : scope.mems_allowed ? " " + page.name(*scope.mems_allowed)
                                                 : "";
  if (*scope.constraint == "none") return host_text(incident);
  if (*scope.constraint == "cpuset")
    return "no memory left on nodes" + nodes + " of cpuset" +
           (scope.cpuset ? " " + page.name(*scope.cpuset, kPathInLine) : "");
  if (*scope.constraint == "mempolicy")
    return "no memory left on nodes" + nodes + " of a memory policy";
  return "constraint " + page.name(*scope.constraint);
}

std::string invoker_text(const Page& page, const Incident& incident) {
  const Invoker& invoker = incident.invoker;
  if (incident.scope.sysrq.value_or(false) || (!invoker.pid && !invoker.comm)) return "";
  const char* const verb = is_memcg_kill(incident) ? " hit by " : "; asked for by ";
  const bool itself =
      incident.victims.size() == 1 && invoker.pid && incident.victims[0].pid == invoker.pid;
  return verb + (itself ? "itself" : process_name(page, invoker.comm, invoker.pid));
}

}  // namespace

std::string process_name(const Page& page, const Opt<std::string>& comm,
                         const Opt<std::uint32_t>& pid, std::string_view more) {
  std::string detail = pid ? fmt::format("pid {}", *pid) : "";
  add_part(detail, more);
  const std::string name = comm && !comm->empty() ? page.name(*comm) : "a process";
  return detail.empty() ? name : fmt::format("{} ({})", name, detail);
}

std::string headline_text(const Incident& incident, const ReportOptions& options) {
  const Page page(options);
  std::string line = "OOM kill";
  if (incident.killer != "kernel") line += " by " + page.name(incident.killer);
  if (incident.revision > 0)
    line += fmt::format(", update {} of {}", incident.revision, page.name(incident.id));
  line += ": " + victims_text(page, incident) + ": " + cause_text(page, incident) +
          invoker_text(page, incident);
  if (incident.scope.kill_allocating_task.value_or(false))
    line += " (vm.oom_kill_allocating_task: who asks is killed)";
  return line;
}

void write_headline(Page& page, const Incident& incident) {
  const std::string time =
      incident.time_unix_ns != 0 ? rfc3339_utc(incident.time_unix_ns, 0) + " " : "";
  page.headline(time + headline_text(incident, page.options()));
}

}  // namespace oomwitness
