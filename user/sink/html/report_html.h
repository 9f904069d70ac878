// SPDX-License-Identifier: BSD-2-Clause
// Incidents, and runs, as one HTML file: no network, no script, a strict content policy. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "incident/incident.h"
#include "run/run_record.h"
#include "sink/tally.h"

namespace oomwitness {

struct HtmlReport {
  std::int64_t made_unix_ns = 0;
  std::string version;               // of the program
  std::vector<std::string> sources;  // what was read: names of files, hostile like all names
  std::vector<RunRecord> runs;       // their incidents are among `incidents`
  Tally tally;                       // of all incidents
  std::vector<Incident> incidents;   // those to show, oldest first: all, or the newest
  // Of the incidents' sections together. The newest are shown in full while they fit, the others in
  // brief; the raw records of all are then one compressed download in the page.
  std::size_t budget_bytes = std::size_t{3072} * 1024;
};

std::string render_html(const HtmlReport& report);

}  // namespace oomwitness
