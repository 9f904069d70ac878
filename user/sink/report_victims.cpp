// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include "sink/report_parts.h"
#include "support/text.h"

namespace oomwitness {
namespace {

std::string_view role_name(Role role) {
  switch (role) {
    case Role::kChosen: return "chosen";
    case Role::kGroup: return "group";
    case Role::kSharedMm: return "shared mm";
    case Role::kAlreadyExiting: return "was exiting";
    case Role::kChild: return "child";
    case Role::kUnknown: break;
  }
  return "-";
}

template <typename T>
std::string figure(const Opt<T>& value) {
  return value ? fmt::format("{}", *value) : "-";
}

// Arguments as a shell would take them, so that blanks and empty ones are seen.
std::string command_text(const Page& page, const Victim& victim) {
  if (!victim.cmdline) return "";
  if (victim.cmdline->empty()) return "(no arguments, not even its name)";
  constexpr std::size_t kMost = 700;
  std::string out;
  std::size_t shown = 0;
  for (const std::string& arg : *victim.cmdline) {
    if (out.size() > kMost) break;
    const bool bare = !arg.empty() && arg.find_first_of(" '\"") == std::string::npos;
    std::string escaped = page.text(arg, kMost);
    for (auto at = escaped.find('\''); !bare && at != std::string::npos;
         at = escaped.find('\'', at + 4))
      escaped.replace(at, 1, "'\\''");
    out += (out.empty() ? "" : " ") + (bare ? escaped : "'" + escaped + "'");
    ++shown;
  }
  if (shown < victim.cmdline->size())
    out += fmt::format(" ... ({} of {} arguments)", shown, victim.cmdline->size());
  if (victim.cmdline_bytes)
    out += fmt::format(" ... (cut, {} bytes in all)", thousands(*victim.cmdline_bytes));
  return out;
}

std::string identity_text(const Page& page, const Victim& victim) {
  std::string out;
  if (victim.uid)
    add_part(out, "uid " + figure(victim.uid) +
                      (victim.user ? " (" + page.name(*victim.user) + ")" : ""));
  if (victim.ppid) add_part(out, "parent " + figure(victim.ppid));
  if (victim.threads)
    add_part(out, *victim.threads == 1 ? "1 thread" : figure(victim.threads) + " threads");
  if (victim.oom_score_adj) add_part(out, "oom_score_adj " + figure(victim.oom_score_adj));
  if (victim.ns_pid) add_part(out, "pid " + figure(victim.ns_pid) + " in its container");
  if (victim.tid && victim.tid != victim.pid)
    add_part(out, "thread " + figure(victim.tid) + " named");
  return out;
}

std::string container_text(const Page& page, const Container& container) {
  std::string out = page.name(container.runtime);
  if (!container.name.empty()) out += " " + page.name(container.name);
  if (!container.id.empty()) out += " " + page.name(container.id.substr(0, 12));
  if (!container.image.empty()) out += ", image " + page.name(container.image);
  return out;
}

std::string pod_text(const Page& page, const Pod& pod) {
  std::string out;
  if (!pod.name.empty())
    out = (pod.ns.empty() ? "" : page.name(pod.ns) + "/") + page.name(pod.name);
  if (!pod.container.empty()) add_part(out, "container " + page.name(pod.container));
  if (!pod.uid.empty()) add_part(out, "uid " + page.name(pod.uid));
  return out;
}

std::string ancestry_text(const Page& page, const Victim& victim) {
  std::string out;
  for (const Ancestor& a : victim.ancestry)
    out += (out.empty() ? "" : " < ") + page.name(a.comm) + fmt::format(" ({})", a.pid);
  return out;
}

std::string started_text(const Victim& victim, std::int64_t decision_unix_ns) {
  if (!victim.started_unix_ns) return "";
  std::string out = rfc3339_utc(*victim.started_unix_ns, 0);
  if (decision_unix_ns >= *victim.started_unix_ns)
    out += ", " +
           human_duration(static_cast<std::uint64_t>(decision_unix_ns) -
                          static_cast<std::uint64_t>(*victim.started_unix_ns)) +
           " before";
  return out;
}

void write_identity(Page& page, const Incident& incident, const Victim& victim) {
  page.line("who", identity_text(page, victim));
  page.line("command", command_text(page, victim));
  if (victim.exe)
    page.line("executable",
              page.text(*victim.exe) + (victim.exe_deleted.value_or(false) ? " (deleted)" : ""));
  if (victim.pod) page.line("pod", pod_text(page, *victim.pod));
  if (victim.container) page.line("container", container_text(page, *victim.container));
  if (victim.unit) page.line("unit", page.text(*victim.unit));
  if (victim.cgroup) page.line("cgroup", page.text(*victim.cgroup));
  page.line("parents", ancestry_text(page, victim));
  page.line("started", started_text(victim, incident.time_unix_ns));
}

// Mapped address space frightens readers of the kernel's line; say what it is when it is far off.
void explain_mapped(Page& page, const Memory& memory) {
  const auto resident = resident_bytes(memory);
  if (!memory.total_vm_bytes || !resident) return;
  const std::uint64_t held = *resident + memory.swap_bytes.value_or(0);
  constexpr std::uint64_t kGib = 1ULL << 30;
  if (*memory.total_vm_bytes < kGib || *memory.total_vm_bytes / 10 < held) return;
  page.line("", fmt::format("{} of address space was mapped, {} of it was memory: mapping alone "
                            "costs nothing and counts "
                            "for nothing here.",
                            human_size(*memory.total_vm_bytes), human_size(held)));
}

void write_memory(Page& page, const Incident& incident, const Memory& memory) {
  if (memory == Memory{}) return;
  const auto whole = allowance_bytes(incident);
  const std::vector<Column> columns{
      {"memory", Align::kLeft}, {"resident"}, {"= anon"}, {"+ file"}, {"+ shmem"}, {"swap"},
      {"page tables"},          {"mapped"}};
  const auto resident = resident_bytes(memory);
  std::vector<Row> rows;
  rows.push_back({{"", Page::size(resident), Page::size(memory.anon_rss_bytes),
                   Page::size(memory.file_rss_bytes), Page::size(memory.shmem_rss_bytes),
                   Page::size(memory.swap_bytes), Page::size(memory.pgtables_bytes),
                   Page::size(memory.total_vm_bytes)}});
  if (whole)
    rows.push_back({{fmt::format("of {}", human_size(*whole)), share_of(resident, whole),
                     share_of(memory.anon_rss_bytes, whole), share_of(memory.file_rss_bytes, whole),
                     share_of(memory.shmem_rss_bytes, whole), share_of(memory.swap_bytes, whole),
                     share_of(memory.pgtables_bytes, whole), ""}});
  page.table(columns, rows);
  explain_mapped(page, memory);
}

void write_many(Page& page, const Incident& incident) {
  constexpr std::size_t kCommand = 40;
  std::vector<Row> rows;
  for (const Victim& v : incident.victims)
    rows.push_back(
        {{figure(v.pid), std::string(role_name(v.role)), Page::size(resident_bytes(v.memory)),
          Page::size(v.memory.swap_bytes), figure(v.oom_score_adj),
          v.user ? page.name(*v.user) : figure(v.uid), v.comm ? page.name(*v.comm) : "-",
          v.cmdline ? Page::cut(command_text(page, v), kCommand) : "-"}});
  page.table({{"pid"},
              {"role", Align::kLeft},
              {"resident"},
              {"swap"},
              {"adj"},
              {"user", Align::kLeft},
              {"name", Align::kLeft},
              {"command", Align::kLeft}},
             rows);
}

}  // namespace

void write_victims(Page& page, const Incident& incident) {
  if (incident.victims.empty()) return;
  const bool many = incident.victims.size() > 1;
  if (many) {
    page.heading(fmt::format("Victims ({})", incident.victims.size()));
    write_many(page, incident);
  }
  const Victim& first = incident.victims.front();
  const bool exiting = first.role == Role::kAlreadyExiting;
  page.heading(many ? "First victim" : "Victim",
               (is_whole_cgroup(first) ? "every process of a cgroup"
                                       : process_name(page, first.comm, first.pid)) +
                   (exiting ? ", exiting already: marked, not killed" : ""));
  write_identity(page, incident, first);
  write_memory(page, incident, first.memory);
}

}  // namespace oomwitness
