// SPDX-License-Identifier: BSD-2-Clause
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "capture/bpf/tracer.h"
#include "capture/kmsg.h"
#include "cli/commands.h"
#include "cli/terminal.h"
#include "enrich/gfp_table.h"
#include "enrich/memory_files.h"
#include "enrich/pid_ns.h"
#include "pipeline/host.h"
#include "run/choose_box.h"
#include "support/text.h"

namespace oomwitness {
namespace {

// One thing that a trace reads: there or not, and what its absence costs.
struct Finding {
  std::string name;
  bool works = false;
  std::string detail;
  std::string_view gives;
};

std::string reasons(const HookPlan& plan, Hook hook) {
  if (plan.turned_off(hook)) return "turned off with --hook";
  std::string text;
  for (const Refusal& refusal : plan.refusals(hook)) {
    if (!text.empty()) text += "; ";
    text.append(refusal.way).append(": ").append(refusal.reason);
  }
  return text;
}

Finding from_status(std::string name, const Result<std::string>& found, std::string_view gives) {
  if (found) return {std::move(name), true, *found, gives};
  return {std::move(name), false, found.error().message(), gives};
}

Result<std::string> readable(const std::string& path) {
  if (::access(path.c_str(), R_OK) != 0) return fail(errno, "open " + path);
  return path;
}

Result<std::string> gfp_names(const Roots& roots) {
  TRY(const auto table, read_gfp_table(roots));
  return std::to_string(table.names().size()) + " names from tracefs";
}

Result<std::string> memory_controller(const Roots& roots) {
  TRY(const auto stat, read_memcg_stat(roots, "/"));
  return std::string("memory.stat readable");
}

Result<std::string> host_pids(const Roots& roots) {
  TRY(const auto inode, proc_pid_ns(roots));
  if (inode == kInitialPidNs) return roots.proc + " shows host pids";
  return fail(roots.proc + " is of another pid namespace: its pids are translated where possible");
}

Result<std::string> kernel_log() {
  TRY(const auto kmsg, Kmsg::open());
  return std::string("/dev/kmsg readable");
}

std::vector<Finding> sources(const Roots& roots) {
  return {
      from_status("kernel types", readable("/sys/kernel/btf/vmlinux"),
                  "fentry and tp_btf hooks; without it --btf FILE is needed"),
      from_status("gfp flag names", gfp_names(roots), "what kind of memory was asked for, by name"),
      from_status("memory cgroups", memory_controller(roots),
                  "memory.stat of the limit that was hit"),
      from_status("cgroup of a run", box_outlook(roots),
                  "limits in `run`, which then watches the cgroup that is there; `fit`"),
      from_status("host pids", host_pids(roots), "user, unit, container and pod of a victim"),
      from_status("kernel log", kernel_log(),
                  "the decision where oom_kill_process cannot be hooked; every kill where BPF is "
                  "refused; kills before the watch"),
  };
}

std::vector<Finding> hooks(const HookPlan& plan) {
  std::vector<Finding> found;
  for (const HookRow& row : hook_table()) {
    const Way* way = plan.current(row.hook);
    const std::string why = reasons(plan, row.hook);
    std::string detail = way == nullptr ? why : std::string(way->name);
    if (way != nullptr && !why.empty()) detail += " (" + why + ")";
    found.push_back({std::string(row.name), way != nullptr, std::move(detail), row.gives});
  }
  return found;
}

void print(const std::vector<Finding>& findings, std::string& out) {
  for (const Finding& finding : findings) {
    out += finding.works ? "  ok       " : "  missing  ";
    out.append(finding.name);
    out.append(finding.name.size() < 20 ? 20 - finding.name.size() : 1, ' ');
    out.append(escape_for_terminal(finding.detail)).append("\n");
    if (!finding.works) out.append("           costs: ").append(finding.gives).append("\n");
  }
}

// How deep a run would see: docs/man/oomwitness-run.1, "Depths".
std::string_view run_depth(bool bpf) {
  return bpf ? "bpf" : Kmsg::open() ? "log" : "cgroup";
}

// How much a trace can see here. The ladder of docs/architecture.md, from its top.
enum class Rung { kNone, kLogAlone, kVictims, kDecisions };

Rung rung_of(const Result<Tracer>& tracer, const DoctorCommand& command) {
  // Whoever names hooks wants those (trace_live).
  const bool chosen = !command.hooks.empty() || command.btf;
  if (!tracer) return !chosen && Kmsg::open() ? Rung::kLogAlone : Rung::kNone;
  const bool decisions = tracer->plan().current(Hook::kDecision) != nullptr;
  return decisions ? Rung::kDecisions : Rung::kVictims;
}

std::string_view name(Rung rung) {
  switch (rung) {
    case Rung::kDecisions: return "decisions";
    case Rung::kVictims: return "victims";
    case Rung::kLogAlone: return "kernel log";
    case Rung::kNone: break;
  }
  return "none";
}

std::string_view verdict(Rung rung) {
  switch (rung) {
    case Rung::kDecisions:
      return "First rung: every OOM kill on this host can be seen, and why it was decided so.";
    case Rung::kVictims:
      return "Second rung: every OOM kill on this host can be seen; what was decided, and whose "
             "limit was hit, only as far as the kernel's log tells.";
    case Rung::kLogAlone:
      return "Third rung: OOM kills can be seen as far as the kernel's log tells of them: no "
             "command "
             "lines, candidates or stacks, and in a storm of kills no more than the victims.";
    case Rung::kNone: break;
  }
  return "OOM kills cannot be seen live on this host.";
}

std::string as_text(const Host& host, const Result<Tracer>& tracer, Rung rung, const Roots& roots) {
  std::string out = "oomwitness on " + escape_for_terminal(host.name) + ", Linux " +
                    escape_for_terminal(host.kernel) + " " + host.arch + "\n\nhooks\n";
  if (tracer) {
    print(hooks(tracer->plan()), out);
  } else {
    out += "  " + tracer.error().message() + "\n";
    if (!tracer.error().hint().empty()) out += "  next step: " + tracer.error().hint() + "\n";
  }
  out += "\nsources\n";
  print(sources(roots), out);
  out.append("\n").append(verdict(rung)).append("\n");
  out.append("A run sees kills with depth ").append(run_depth(tracer.has_value())).append(".\n");
  return out;
}

nlohmann::ordered_json as_json(const std::vector<Finding>& findings) {
  auto rows = nlohmann::ordered_json::array();
  for (const Finding& finding : findings) {
    rows.push_back({{"name", finding.name},
                    {"works", finding.works},
                    {"detail", finding.detail},
                    {"gives", finding.gives}});
  }
  return rows;
}

std::string as_json(const Host& host, const Result<Tracer>& tracer, Rung rung, const Roots& roots) {
  nlohmann::ordered_json out{
      {"schema", "oomwitness/doctor/v1"},
      {"host", {{"name", host.name}, {"kernel", host.kernel}, {"arch", host.arch}}},
      {"sees_kills", rung != Rung::kNone},
      {"rung", name(rung)},
      {"run_depth", run_depth(tracer.has_value())}};
  if (tracer) {
    out["hooks"] = as_json(hooks(tracer->plan()));
    for (std::size_t i = 0; i < hook_table().size(); ++i) {
      out["hooks"][i]["way"] = tracer->plan().current_name(hook_table()[i].hook);
    }
  } else {
    out["error"] = tracer.error().message();
    if (!tracer.error().hint().empty()) out["hint"] = tracer.error().hint();
  }
  out["sources"] = as_json(sources(roots));
  return out.dump(2, ' ', true, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

int run_doctor(const DoctorCommand& command) {
  const TracerOptions options{.hooks = command.hooks, .btf_path = command.btf};
  const auto tracer = Tracer::attach(options, [](std::span<const std::byte>) {});
  const Rung rung = rung_of(tracer, command);
  const Host host = read_host(command.roots.proc);
  const Status written =
      write_all(STDOUT_FILENO, command.json ? as_json(host, tracer, rung, command.roots)
                                            : as_text(host, tracer, rung, command.roots));
  if (!written) print_error(written.error());
  return rung != Rung::kNone && written ? 0 : 1;
}

}  // namespace oomwitness
