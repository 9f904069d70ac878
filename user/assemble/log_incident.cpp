// SPDX-License-Identifier: BSD-2-Clause
#include "assemble/log_incident.h"

#include "assemble/incident_id.h"

namespace oomwitness {

Incident incident_from_report(const LogReport& report) {
  Incident incident;
  incident.monotonic_ns = report.at_ns;
  incident.scope = report.scope;
  incident.invoker = report.invoker;
  incident.victims = report.victims;
  incident.candidates.listed = report.tasks_listed;
  if (report.no_killable) incident.scope.no_killable = true;
  if (report.panic) incident.scope.panic = report.panic;
  incident.provenance.sources = {"log"};
  const std::uint32_t pid = incident.victims.empty() ? 0 : incident.victims.front().pid.value_or(0);
  incident.id = incident_id(0, "", report.at_ns, pid, 0);
  return incident;
}

}  // namespace oomwitness
