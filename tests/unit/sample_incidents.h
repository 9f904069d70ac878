// SPDX-License-Identifier: BSD-2-Clause
// Incidents with the figures of real kills, for the golden files of json_test and report_test.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "incident/incident.h"

namespace oomwitness {

// Name (of the golden files) and incident.
std::vector<std::pair<std::string, Incident>> sample_incidents();

}  // namespace oomwitness
