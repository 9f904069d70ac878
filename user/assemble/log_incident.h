// SPDX-License-Identifier: BSD-2-Clause
// An incident out of the log alone.
#pragma once

#include "assemble/observation.h"
#include "incident/incident.h"

namespace oomwitness {

// Everything the report says, in its place; what it should say and does not is in
// provenance.missing. The same text gives the same id, wherever and whenever it is read.
Incident incident_from_report(LogReport report);

}  // namespace oomwitness
