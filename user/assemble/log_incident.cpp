// SPDX-License-Identifier: BSD-2-Clause
#include "assemble/log_incident.h"

#include <string>
#include <utility>

#include "assemble/build_incident.h"
#include "assemble/incident_id.h"

namespace oomwitness {

namespace {

void tell_missing(Incident& incident) {
  auto& missing = incident.provenance.missing;
  if (incident.time_unix_ns == 0) missing.emplace("time", "the log's stamps count from the boot");
  if (incident.killer != "kernel") return;  // it tells what it wants to
  const Invoker& invoker = incident.invoker;
  constexpr const char* kNoHead = "the log does not show the beginning of the report";
  if (!invoker.comm) missing.emplace("invoker", kNoHead);
  if (!invoker.gfp) missing.emplace("gfp", kNoHead);
  if (!invoker.order)
    missing.emplace("order", invoker.gfp ? "this kernel does not print it" : kNoHead);
  if (!incident.candidates.listed) missing.emplace("candidates", "the log has no table of tasks");
  if (incident.victims.empty() && !incident.scope.no_killable && !incident.scope.panic) {
    missing.emplace("victims", "the log does not name who was killed");
  }
  if (incident.system.source.empty()) missing.emplace("system", "the log has no Mem-Info");
}

// The kernel names the victim within moments of the report's beginning, the reaper within seconds.
void tell_other_decision(const LogReport& report, Incident& incident) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  constexpr std::uint64_t kMinute = 60 * kSecond;
  if (report.began_ns == 0 || report.at_ns < report.began_ns || incident.victims.empty()) return;
  const std::uint64_t between = report.at_ns - report.began_ns;
  if (between < kMinute) return;
  incident.provenance.missing.emplace(
      "decision", "the kill line stands " + std::to_string(between / kSecond) +
                      " s after the beginning of the report: it is of a later decision, whose own "
                      "report the log does not have");
}

}  // namespace

Incident incident_from_report(LogReport report) {
  Incident incident;
  incident.monotonic_ns = report.began_ns;
  incident.time_unix_ns = report.wall_ns.value_or(0);
  incident.host = std::move(report.host);
  incident.killer = std::move(report.killer);
  incident.scope = std::move(report.scope);
  incident.invoker = std::move(report.invoker);
  incident.victims = std::move(report.victims);
  incident.selected = std::move(report.selected);
  incident.candidates = std::move(report.candidates);
  incident.system = std::move(report.system);
  if (report.no_killable) incident.scope.no_killable = true;
  if (report.panic) incident.scope.panic = std::move(report.panic);
  incident.provenance.sources = {"log"};
  incident.provenance.missing = std::move(report.missing);
  // The report gives the id of the thread; it is mostly the process's.
  if (!incident.invoker.pid && incident.invoker.tid) {
    incident.invoker.pid = incident.invoker.tid;
    incident.provenance.missing.emplace("invoker.pid",
                                        "the report shows the thread's id, and not its process");
  }
  tell_missing(incident);
  tell_other_decision(report, incident);
  const std::uint32_t pid = incident.victims.empty() ? 0 : incident.victims.front().pid.value_or(0);
  incident.id = incident_id(report.id_ns.value_or(0), incident.host.name, report.text_hash, pid, 0);
  return incident;
}

}  // namespace oomwitness
