// SPDX-License-Identifier: BSD-2-Clause
// Incidents on a terminal: counts with a small timeline, and each kill's memory as a small plot.
// Pure.
#pragma once

#include <string>

#include "incident/incident.h"
#include "sink/report.h"
#include "sink/tally.h"

namespace oomwitness {

// Counts by cause, name and place, and the timeline of kills. Empty without incidents.
std::string render_overview(const Tally& tally, const ReportOptions& options);

// The headline, the cause, memory before the kill, where it was.
std::string render_plots(const Incident& incident, const ReportOptions& options);

}  // namespace oomwitness
