// SPDX-License-Identifier: BSD-2-Clause
// The history of an incident as a chart: what ran out, the victim, and who was largest. Pure.
#pragma once

#include "incident/incident.h"
#include "sink/chart/chart.h"

namespace oomwitness {

// Seconds before the kill and bytes, the limit as a level, the kill as a mark; the caption without
// an id. No curves: there is no history. The first curve is of what ran out.
LineChart history_chart(const Incident& incident);

}  // namespace oomwitness
