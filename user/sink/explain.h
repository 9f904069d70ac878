// SPDX-License-Identifier: BSD-2-Clause
// The long answer for one incident. Pure.
#pragma once

#include <string>

#include "incident/incident.h"
#include "sink/report.h"

namespace oomwitness {

// What happened, whose limit, who held the memory, why this one, what the kill freed, what the
// record does not show, what to do. Takes the incident's diagnosis, or makes one where it has none.
std::string render_explanation(const Incident& incident, const ReportOptions& options);

}  // namespace oomwitness
