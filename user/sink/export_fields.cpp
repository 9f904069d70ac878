// SPDX-License-Identifier: BSD-2-Clause
#include "sink/export_fields.h"

#include <algorithm>
#include <array>
#include <concepts>
#include <utility>

#include "sink/report.h"
#include "support/text.h"

namespace oomwitness {
namespace {

struct CauseSeverity {
  std::string_view cause;
  ExportSeverity severity;
};

// The other causes are as grave as what ran out: the host, or one cgroup.
constexpr std::array<CauseSeverity, 8> kSeverities{{
    {"sysrq", ExportSeverity::kInfo},
    {"policy-kill", ExportSeverity::kInfo},
    {"panic-on-oom", ExportSeverity::kCritical},
    {"no-killable-task", ExportSeverity::kCritical},
    {"stuck-victim", ExportSeverity::kCritical},
    {"zone-exhausted", ExportSeverity::kError},
    {"fragmentation", ExportSeverity::kError},
    {"fork-storm", ExportSeverity::kError},
}};

class Fields {
 public:
  explicit Fields(std::size_t longest_value) : longest_value_(longest_value) {}

  void add(std::string_view name, const std::string& value) {
    if (!value.empty()) out_.push_back({name, value.substr(0, longest_value_)});
  }
  void add(std::string_view name, const Opt<std::string>& value) {
    if (value) add(name, *value);
  }
  template <std::integral T>
  void add(std::string_view name, const Opt<T>& value) {
    if (value) add(name, std::to_string(*value));
  }

  std::vector<ExportField> take() && { return std::move(out_); }

 private:
  std::size_t longest_value_;
  std::vector<ExportField> out_;
};

std::string joined(const Opt<std::vector<std::string>>& arguments) {
  std::string out;
  if (arguments)
    for (const std::string& argument : *arguments) {
      if (!out.empty()) out += ' ';
      out += argument;
    }
  return out;
}

void add_memory(Fields& fields, const Memory& memory) {
  fields.add("victim_total_vm_bytes", memory.total_vm_bytes);
  fields.add("victim_rss_bytes", memory.rss_bytes);
  fields.add("victim_anon_rss_bytes", memory.anon_rss_bytes);
  fields.add("victim_file_rss_bytes", memory.file_rss_bytes);
  fields.add("victim_shmem_rss_bytes", memory.shmem_rss_bytes);
  fields.add("victim_swap_bytes", memory.swap_bytes);
}

void add_victim(Fields& fields, const Victim& victim) {
  fields.add("victim_pid", victim.pid);
  fields.add("victim_comm", victim.comm);
  fields.add("victim_exe", victim.exe);
  fields.add("victim_cmdline", joined(victim.cmdline));
  fields.add("victim_uid", victim.uid);
  fields.add("victim_user", victim.user);
  fields.add("victim_oom_score_adj", victim.oom_score_adj);
  fields.add("victim_cgroup", victim.cgroup);
  fields.add("victim_unit", victim.unit);
  if (victim.container) {
    fields.add("container_runtime", victim.container->runtime);
    fields.add("container_id", victim.container->id);
    fields.add("container_name", victim.container->name);
    fields.add("container_image", victim.container->image);
  }
  if (victim.pod) {
    fields.add("pod_name", victim.pod->name);
    fields.add("pod_namespace", victim.pod->ns);
    fields.add("pod_uid", victim.pod->uid);
    fields.add("pod_container", victim.pod->container);
  }
  add_memory(fields, victim.memory);
}

}  // namespace

ExportSeverity severity_of(const Incident& incident) {
  if (incident.diagnosis) {
    const auto* const found = std::find_if(
        kSeverities.begin(), kSeverities.end(),
        [&](const CauseSeverity& row) { return row.cause == incident.diagnosis->cause; });
    if (found != kSeverities.end()) return found->severity;
  }
  const bool host = incident.scope.constraint == "none" && !incident.scope.sysrq.value_or(false) &&
                    incident.killer == "kernel";
  return host ? ExportSeverity::kError : ExportSeverity::kWarning;
}

std::string_view severity_name(ExportSeverity severity) {
  switch (severity) {
    case ExportSeverity::kInfo: return "info";
    case ExportSeverity::kWarning: return "warning";
    case ExportSeverity::kError: return "error";
    case ExportSeverity::kCritical: break;
  }
  return "critical";
}

std::string cause_of(const Incident& incident) {
  return incident.diagnosis ? incident.diagnosis->cause : "unknown";
}

const Victim* chosen_victim(const Incident& incident) {
  if (incident.victims.empty()) return nullptr;
  const auto chosen = std::find_if(incident.victims.begin(), incident.victims.end(),
                                   [](const Victim& v) { return v.role == Role::kChosen; });
  return chosen == incident.victims.end() ? incident.victims.data() : &*chosen;
}

std::vector<ExportField> export_fields(const Incident& incident, std::size_t longest_value) {
  Fields fields(longest_value);
  fields.add("id", incident.id);
  fields.add("revision", Opt<std::uint32_t>(incident.revision));
  fields.add("killer", incident.killer);
  fields.add("cause", cause_of(incident));
  fields.add("constraint", incident.scope.constraint);
  if (const Opt<Memcg>& memcg = incident.scope.memcg) {
    fields.add("memcg", memcg->self.path);
    fields.add("memcg_limit_bytes", memcg->self.limit_bytes);
    fields.add("memcg_usage_bytes", memcg->self.usage_bytes);
  }
  fields.add("invoker_pid", incident.invoker.pid);
  fields.add("invoker_comm", incident.invoker.comm);
  fields.add("victims", Opt<std::size_t>(incident.victims.size()));
  if (const Victim* const victim = chosen_victim(incident)) add_victim(fields, *victim);
  if (incident.diagnosis) fields.add("summary", incident.diagnosis->summary);
  fields.add("host", incident.host.name);
  fields.add("boot_id", incident.host.boot_id);
  fields.add("kernel", incident.host.kernel);
  return std::move(fields).take();
}

std::string export_headline(const Incident& incident) {
  return headline_text(incident, {.color = false, .utf8 = false});
}

}  // namespace oomwitness
