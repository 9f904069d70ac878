// SPDX-License-Identifier: BSD-2-Clause
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "capture/bpf/tracer.h"
#include "cli/commands.h"
#include "cli/terminal.h"
#include "enrich/gfp_table.h"
#include "enrich/memory_files.h"
#include "enrich/pid_ns.h"
#include "pipeline/host.h"
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

std::vector<Finding> sources(const Roots& roots) {
  return {
      from_status("kernel types", readable("/sys/kernel/btf/vmlinux"),
                  "fentry and tp_btf hooks; without it --btf FILE is needed"),
      from_status("gfp flag names", gfp_names(roots), "what kind of memory was asked for, by name"),
      from_status("memory cgroups", memory_controller(roots),
                  "memory.stat of the limit that was hit"),
      from_status("host pids", host_pids(roots), "user, unit, container and pod of a victim"),
      from_status("kernel log", readable("/dev/kmsg"),
                  "the decision where oom_kill_process cannot be hooked"),
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

std::string verdict(const Result<Tracer>& tracer) {
  if (!tracer) return "OOM kills cannot be seen live on this host.";
  const bool decisions = tracer->plan().current(Hook::kDecision) != nullptr;
  return decisions
             ? "Every OOM kill on this host can be seen, and why it was decided so."
             : "Every OOM kill on this host can be seen; what was decided, and whose limit was "
               "hit, only as far as the kernel's log tells.";
}

std::string as_text(const Host& host, const Result<Tracer>& tracer, const Roots& roots) {
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
  out += "\n" + verdict(tracer) + "\n";
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

std::string as_json(const Host& host, const Result<Tracer>& tracer, const Roots& roots) {
  nlohmann::ordered_json out{
      {"schema", "oomwitness/doctor/v1"},
      {"host", {{"name", host.name}, {"kernel", host.kernel}, {"arch", host.arch}}},
      {"sees_kills", tracer.has_value()}};
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
  const Host host = read_host(command.roots.proc);
  const Status written =
      write_all(STDOUT_FILENO, command.json ? as_json(host, tracer, command.roots)
                                            : as_text(host, tracer, command.roots));
  if (!written) print_error(written.error());
  return tracer && written ? 0 : 1;
}

}  // namespace oomwitness
