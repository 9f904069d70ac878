// SPDX-License-Identifier: BSD-2-Clause
#include "sink/report.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "sink/layout.h"
#include "sink/report_parts.h"
#include "support/text.h"

namespace oomwitness {
namespace {

using Sizes = std::map<std::string, std::uint64_t>;

struct Named {
  std::string_view title;
  std::array<std::string_view, 2> keys;  // added up; the second may be empty
};

// "anonymous 7 GiB, file cache 5 GiB": those of `wanted` that the map has.
template <std::size_t N>
std::string sizes_text(const Sizes& sizes, const std::array<Named, N>& wanted) {
  std::string out;
  for (const Named& entry : wanted) {
    Opt<std::uint64_t> sum;
    for (const std::string_view key : entry.keys)
      if (const auto found = sizes.find(std::string(key)); found != sizes.end())
        sum = sum.value_or(0) + found->second;
    if (sum) add_part(out, fmt::format("{} {}", entry.title, human_size(*sum)));
  }
  return out;
}

Opt<std::uint64_t> value_of(const Sizes& sizes, const std::string& key) {
  const auto found = sizes.find(key);
  return found == sizes.end() ? std::nullopt : Opt<std::uint64_t>(found->second);
}

std::string limit_cell(const Opt<std::uint64_t>& limit, bool unlimited) {
  return limit ? human_size(*limit) : unlimited ? "none" : "-";
}

Row level_row(const Page& page, const MemcgLevel& level, bool hit) {
  constexpr std::size_t kPath = 52;
  return {{Page::size(level.usage_bytes), limit_cell(level.limit_bytes, level.unlimited),
           share_of(level.usage_bytes, level.limit_bytes), Page::size(level.swap_usage_bytes),
           limit_cell(level.swap_limit_bytes, level.swap_unlimited), page.name(level.path, kPath),
           hit ? "<- limit hit" : ""},
          hit};
}

void write_memcg(Page& page, const Memcg& memcg) {
  page.line("limit of", page.name(memcg.self.path));
  if (memcg.self.failcnt)
    page.line("limit met", thousands(*memcg.self.failcnt) + " times since the cgroup was made");
  if (memcg.self.oom_group.value_or(false))
    page.line("oom.group", "set: a kill takes every task of the cgroup");
  std::vector<Row> rows{level_row(page, memcg.self, true)};
  for (const MemcgLevel& level : memcg.ancestors) rows.push_back(level_row(page, level, false));
  const char* const swap = memcg.self.swap_is_memsw ? "mem+swap" : "swap";
  page.table({{"usage"},
              {"limit"},
              {"used"},
              {swap},
              {std::string(swap) + " limit"},
              {"cgroup", Align::kLeft},
              {"", Align::kLeft}},
             rows);
  constexpr std::array<Named, 7> kStat{{{"anonymous", {"anon", ""}},
                                        {"file", {"file", ""}},
                                        {"shared", {"shmem", ""}},
                                        {"kernel", {"kernel", ""}},
                                        {"slab", {"slab", ""}},
                                        {"page tables", {"pagetables", ""}},
                                        {"sockets", {"sock", ""}}}};
  page.line("it held", sizes_text(memcg.stat, kStat));
}

std::string scope_title(const Page& page, const Incident& incident) {
  const Scope& scope = incident.scope;
  if (scope.reason) return "decided in user space, by " + page.name(incident.killer);
  if (is_memcg_kill(incident)) return "the limit of a memory cgroup";
  if (!scope.constraint) {
    const auto why = incident.provenance.missing.find("constraint");
    return why == incident.provenance.missing.end() ? "not known"
                                                    : "not known: " + page.text(why->second);
  }
  if (*scope.constraint == "none") return "the whole host";
  if (*scope.constraint == "cpuset") return "the memory nodes of a cpuset";
  if (*scope.constraint == "mempolicy") return "the memory nodes of a memory policy";
  return "constraint " + page.name(*scope.constraint);
}

void write_scope(Page& page, const Incident& incident) {
  const Scope& scope = incident.scope;
  page.heading("Scope", scope_title(page, incident));
  if (scope.reason) page.line("reason", page.text(*scope.reason));
  if (scope.sysrq.value_or(false))
    page.line("SysRq", "a kill was asked for; memory may not have been short");
  if (scope.memcg) write_memcg(page, *scope.memcg);
  std::string nodes = scope.nodemask ? "allocation bound to " + page.name(*scope.nodemask) : "";
  // A cgroup's limit does not care about nodes.
  if (!is_memcg_kill(incident)) {
    if (scope.mems_allowed) add_part(nodes, "allowed " + page.name(*scope.mems_allowed));
    if (scope.cpuset) add_part(nodes, "cpuset " + page.name(*scope.cpuset));
  }
  page.line("nodes", nodes);
}

void write_system(Page& page, const System& system) {
  if (system.meminfo_bytes.empty() && system.swap_bytes.empty()) return;
  page.heading("Host memory", system.source == "bpf"    ? "at the decision"
                              : system.source == "proc" ? "read from /proc just after the decision"
                                                        : "");
  constexpr std::array<Named, 3> kTotals{{{"total", {"MemTotal", ""}},
                                          {"free", {"MemFree", ""}},
                                          {"available", {"MemAvailable", ""}}}};
  constexpr std::array<Named, 7> kUses{{{"anonymous", {"AnonPages", ""}},
                                        {"file cache", {"Active(file)", "Inactive(file)"}},
                                        {"shared", {"Shmem", ""}},
                                        {"slab", {"SReclaimable", "SUnreclaim"}},
                                        {"page tables", {"PageTables", ""}},
                                        {"kernel stacks", {"KernelStack", ""}},
                                        {"locked", {"Mlocked", ""}}}};
  page.line("memory", sizes_text(system.meminfo_bytes, kTotals));
  page.line("of it", sizes_text(system.meminfo_bytes, kUses));
  const Opt<std::uint64_t> swap = value_of(system.swap_bytes, "total");
  constexpr std::array<Named, 2> kSwap{{{"total", {"total", ""}}, {"free", {"free", ""}}}};
  page.line("swap", swap == 0U ? "none" : sizes_text(system.swap_bytes, kSwap));
}

// A map of fields the other way round: each reason (or source) with all its fields, one a line. In
// a group kill the same field of every victim is named once.
void write_fields(Page& page, std::string_view label,
                  const std::map<std::string, std::string>& reasons) {
  std::map<std::string, std::set<std::string>> fields_of;
  for (const auto& [field, why] : reasons) {
    const std::size_t dot = field.starts_with("victims[") ? field.find("].") : std::string::npos;
    fields_of[why].insert(dot == std::string::npos ? field : "victim's " + field.substr(dot + 2));
  }
  std::vector<std::string> lines;
  for (const auto& [why, fields] : fields_of) {
    std::string names;
    for (const std::string& field : fields) add_part(names, page.text(field));
    lines.push_back(names + ": " + page.text(why));
  }
  std::sort(lines.begin(), lines.end());
  for (const std::string& line : lines) page.line(std::exchange(label, ""), line);
}

void write_provenance(Page& page, const Provenance& provenance) {
  std::string sources;
  for (const std::string& source : provenance.sources) add_part(sources, page.name(source));
  std::string hooks;
  for (const auto& [what, way] : provenance.hooks)
    add_part(hooks, page.name(what) + "=" + page.name(way));
  if (sources.empty() && hooks.empty() && provenance.missing.empty() && provenance.lost_events == 0)
    return;
  page.heading("How it was seen", sources);
  page.line("hooks", hooks);
  write_fields(page, "read late", provenance.late);
  write_missing(page, provenance);
  if (provenance.lost_events != 0)
    page.line("lost", thousands(provenance.lost_events) +
                          " records were lost since the start: something may be missing here");
}

}  // namespace

void write_subject(Page& page, const Incident& incident) {
  std::string line = "id " + page.name(incident.id);
  if (!incident.host.name.empty()) add_part(line, "host " + page.name(incident.host.name));
  if (!incident.host.kernel.empty()) add_part(line, "Linux " + page.name(incident.host.kernel));
  if (!incident.host.arch.empty()) line += " " + page.name(incident.host.arch);
  if (incident.revision > 0) line += ", replaces the report before";
  page.plain(line);
}

void write_missing(Page& page, const Provenance& provenance) {
  write_fields(page, "missing", provenance.missing);
}

void add_part(std::string& list, std::string_view part) {
  if (part.empty()) return;
  if (!list.empty()) list += ", ";
  list += part;
}

bool is_memcg_kill(const Incident& incident) {
  return incident.scope.memcg.has_value() || incident.scope.constraint == "memcg";
}

bool is_group_kill(const Incident& incident) {
  return incident.victims.size() > 1 &&
         std::any_of(incident.victims.begin(), incident.victims.end(),
                     [](const Victim& v) { return v.role == Role::kGroup; });
}

bool is_whole_cgroup(const Victim& victim) {
  return !victim.pid && !victim.comm && (victim.cgroup || victim.unit);
}

std::optional<std::uint64_t> allowance_bytes(const Incident& incident) {
  if (!incident.candidates.total_pages || incident.host.page_size_bytes == 0) return std::nullopt;
  return *incident.candidates.total_pages * incident.host.page_size_bytes;
}

std::string_view allowance_name(const Incident& incident) {
  if (is_memcg_kill(incident)) return "the limit";
  if (incident.scope.constraint == "none") return "RAM and swap of the host";
  return "what the kernel could have used";
}

std::string share_of(const std::optional<std::uint64_t>& part,
                     const std::optional<std::uint64_t>& whole) {
  if (!part || !whole || *whole == 0) return "-";
  return fmt::format("{:.1f}%", 100.0 * static_cast<double>(*part) / static_cast<double>(*whole));
}

std::optional<std::uint64_t> resident_bytes(const Memory& memory) {
  if (!memory.anon_rss_bytes && !memory.file_rss_bytes && !memory.shmem_rss_bytes)
    return std::nullopt;
  return memory.anon_rss_bytes.value_or(0) + memory.file_rss_bytes.value_or(0) +
         memory.shmem_rss_bytes.value_or(0);
}

void write_body(Page& page, const Incident& incident) {
  write_scope(page, incident);
  write_invoker(page, incident);
  write_victims(page, incident);
  write_candidates(page, incident);
  write_system(page, incident.system);
  write_timeline(page, incident);
  write_provenance(page, incident.provenance);
}

std::string render_report(const Incident& incident, const ReportOptions& options) {
  Page page(options);
  write_headline(page, incident);
  write_subject(page, incident);
  write_diagnosis(page, incident.diagnosis);
  write_body(page, incident);
  return std::move(page).take();
}

}  // namespace oomwitness
