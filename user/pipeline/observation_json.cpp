// SPDX-License-Identifier: BSD-2-Clause
#include "pipeline/observation_json.h"

#include <type_traits>
#include <utility>

#include <nlohmann/json.hpp>

#include "incident/json.h"

namespace oomwitness {
namespace {

using nlohmann::ordered_json;

// The fields of an observation travel inside an incident, whose JSON is tested and published; only
// what identifies the observation stands beside it.
struct Carrier {
  std::string kind;
  std::uint64_t at_ns = 0;
  DecisionId id = 0;
  std::uint64_t start_boottime_ns = 0;
  std::uint32_t victim_pid = 0;
  std::uint64_t total = 0;
  std::int64_t unix_minus_monotonic_ns = 0;
  std::int64_t unix_minus_boottime_ns = 0;
  bool oom_group = false;
  bool from_backlog = false;
  Incident incident;
};

Carrier carry(const ProcFacts& facts) {
  Victim victim;
  victim.pid = facts.pid;
  victim.cmdline = facts.cmdline;
  victim.cmdline_bytes = facts.cmdline_bytes;
  victim.exe = facts.exe;
  victim.exe_deleted = facts.exe_deleted;
  victim.user = facts.user;
  victim.cgroup = facts.cgroup;
  victim.unit = facts.unit;
  victim.container = facts.container;
  victim.pod = facts.pod;
  victim.ancestry = facts.ancestry;
  Carrier out{.kind = "proc", .at_ns = facts.at_ns};
  out.start_boottime_ns = facts.start_boottime_ns;
  out.incident.victims.push_back(std::move(victim));
  out.incident.provenance.missing = facts.missing;
  return out;
}

Carrier carry(const MemcgStat& stat) {
  Carrier out{.kind = "memcg_stat", .at_ns = stat.at_ns, .id = stat.id};
  out.incident.scope.memcg = Memcg{.self = {.path = "/"}, .ancestors = {}, .stat = stat.stat};
  return out;
}

Carrier carry(const SystemMemory& memory) {
  Carrier out{.kind = "system", .at_ns = memory.at_ns, .id = memory.id};
  out.victim_pid = memory.victim_pid;
  out.incident.system = memory.system;
  return out;
}

Carrier carry(const LogReport& report) {
  Carrier out{.kind = "log", .at_ns = report.at_ns};
  out.oom_group = report.oom_group;
  out.from_backlog = report.from_backlog;
  out.incident.scope = report.scope;
  out.incident.invoker = report.invoker;
  out.incident.victims = report.victims;
  out.incident.candidates = report.candidates;
  out.incident.selected = report.selected;
  out.incident.host = report.host;
  out.incident.system = report.system;
  out.incident.provenance.missing = report.missing;
  return out;
}

Carrier carry(const Losses& losses) {
  Carrier out{.kind = "losses", .at_ns = losses.at_ns};
  out.total = losses.total;
  return out;
}

Carrier carry(const ClockSet& set) {
  Carrier out{.kind = "clock", .at_ns = set.at_ns};
  out.unix_minus_monotonic_ns = set.unix_minus_monotonic_ns;
  out.unix_minus_boottime_ns = set.unix_minus_boottime_ns;
  return out;
}

template <typename T>
concept Carried = requires(const T& seen) {
  carry(seen);
};

ProcFacts proc_facts(Carrier&& carrier) {
  ProcFacts facts;
  facts.at_ns = carrier.at_ns;
  facts.start_boottime_ns = carrier.start_boottime_ns;
  if (carrier.incident.victims.empty()) return facts;
  Victim& victim = carrier.incident.victims.front();
  facts.pid = victim.pid.value_or(0);
  facts.cmdline = std::move(victim.cmdline);
  facts.cmdline_bytes = victim.cmdline_bytes;
  facts.exe = std::move(victim.exe);
  facts.exe_deleted = victim.exe_deleted;
  facts.user = std::move(victim.user);
  facts.cgroup = std::move(victim.cgroup);
  facts.unit = std::move(victim.unit);
  facts.container = std::move(victim.container);
  facts.pod = std::move(victim.pod);
  facts.ancestry = std::move(victim.ancestry);
  facts.missing = std::move(carrier.incident.provenance.missing);
  return facts;
}

LogReport log_report(Carrier&& carrier) {
  LogReport report;
  report.at_ns = carrier.at_ns;
  report.oom_group = carrier.oom_group;
  report.from_backlog = carrier.from_backlog;
  report.scope = std::move(carrier.incident.scope);
  report.invoker = std::move(carrier.incident.invoker);
  report.victims = std::move(carrier.incident.victims);
  report.candidates = std::move(carrier.incident.candidates);
  report.selected = std::move(carrier.incident.selected);
  report.host = std::move(carrier.incident.host);
  report.system = std::move(carrier.incident.system);
  report.missing = std::move(carrier.incident.provenance.missing);
  return report;
}

Result<Observation> unpack(Carrier&& carrier) {
  if (carrier.kind == "proc") return proc_facts(std::move(carrier));
  if (carrier.kind == "log") return log_report(std::move(carrier));
  if (carrier.kind == "losses") return Losses{.at_ns = carrier.at_ns, .total = carrier.total};
  if (carrier.kind == "clock") {
    return ClockSet{.at_ns = carrier.at_ns,
                    .unix_minus_monotonic_ns = carrier.unix_minus_monotonic_ns,
                    .unix_minus_boottime_ns = carrier.unix_minus_boottime_ns};
  }
  if (carrier.kind == "system") {
    return SystemMemory{.at_ns = carrier.at_ns,
                        .id = carrier.id,
                        .victim_pid = carrier.victim_pid,
                        .system = std::move(carrier.incident.system)};
  }
  if (carrier.kind == "memcg_stat" && carrier.incident.scope.memcg) {
    return MemcgStat{.at_ns = carrier.at_ns,
                     .id = carrier.id,
                     .stat = std::move(carrier.incident.scope.memcg->stat)};
  }
  return fail("recorded observation of unknown kind '" + carrier.kind + "'");
}

template <typename T>
void read(const ordered_json& from, const char* key, T& out) {
  const auto it = from.find(key);
  if (it == from.end()) return;
  if constexpr (std::is_same_v<T, std::string>) {
    if (it->is_string()) out = it->template get<std::string>();
  } else if constexpr (std::is_same_v<T, bool>) {
    if (it->is_boolean()) out = it->template get<bool>();
  } else if constexpr (std::is_signed_v<T>) {
    if (it->is_number_integer()) out = it->template get<T>();
  } else {
    if (it->is_number_unsigned()) out = it->template get<T>();
  }
}

}  // namespace

Result<std::string> observation_to_json(const Observation& observation) {
  return std::visit(
      [](const auto& seen) -> Result<std::string> {
        if constexpr (Carried<std::decay_t<decltype(seen)>>) {
          Carrier carrier = carry(seen);
          carrier.incident.id = carrier.kind;  // an incident has one; this is none
          ordered_json out{{"kind", carrier.kind},
                           {"at_ns", carrier.at_ns},
                           {"id", carrier.id},
                           {"start_boottime_ns", carrier.start_boottime_ns},
                           {"victim_pid", carrier.victim_pid},
                           {"total", carrier.total},
                           {"unix_minus_monotonic_ns", carrier.unix_minus_monotonic_ns},
                           {"unix_minus_boottime_ns", carrier.unix_minus_boottime_ns},
                           {"oom_group", carrier.oom_group},
                           {"from_backlog", carrier.from_backlog}};
          out["fields"] = ordered_json::parse(to_json(carrier.incident), nullptr, false);
          return out.dump();
        } else {
          return fail("an observation that the kernel's records carry");
        }
      },
      observation);
}

Result<Observation> observation_from_json(std::string_view text) {
  // dump() recurses: what is deeper than an incident ever is, is left out.
  const auto shallow = [](int depth, ordered_json::parse_event_t, ordered_json&) {
    constexpr int kDeepest = 32;
    return depth < kDeepest;
  };
  const auto in = ordered_json::parse(text, shallow, false);
  if (!in.is_object()) return fail("recorded observation: not a JSON object");
  Carrier carrier;
  read(in, "kind", carrier.kind);
  read(in, "at_ns", carrier.at_ns);
  read(in, "id", carrier.id);
  read(in, "start_boottime_ns", carrier.start_boottime_ns);
  read(in, "victim_pid", carrier.victim_pid);
  read(in, "total", carrier.total);
  read(in, "unix_minus_monotonic_ns", carrier.unix_minus_monotonic_ns);
  read(in, "unix_minus_boottime_ns", carrier.unix_minus_boottime_ns);
  read(in, "oom_group", carrier.oom_group);
  read(in, "from_backlog", carrier.from_backlog);
  const auto fields = in.find("fields");
  if (fields == in.end()) return fail("recorded observation: no fields");
  TRY(carrier.incident, incident_from_json(fields->dump()));
  return unpack(std::move(carrier));
}

}  // namespace oomwitness
