// SPDX-License-Identifier: BSD-2-Clause
// The incident as a report to read and to paste in a ticket. Pure.
#pragma once

#include <cstddef>
#include <string>

#include "incident/incident.h"

namespace oomwitness {

struct ReportOptions {
  bool color = false;           // ANSI colours; the only control bytes a report ever has
  bool utf8 = true;             // false: other characters than ASCII are written \xNN
  std::size_t width = 100;      // columns to wrap at; tables and the first line may be wider
  std::size_t candidates = 10;  // rows of the candidates table
};

// Several lines, each ended by a newline. The first tells the story on its own. What is not known
// is
// "-" in tables and otherwise left out.
std::string render_report(const Incident& incident, const ReportOptions& options);

// The report's first line without its time and its end of line: "OOM kill: mongod (pid 19716) ...".
std::string headline_text(const Incident& incident, const ReportOptions& options);

}  // namespace oomwitness
