// SPDX-License-Identifier: BSD-2-Clause
// Stored incidents as a table for people, and as CSV for spreadsheets. Pure.
#pragma once

#include <string>

#include "incident/incident.h"

namespace oomwitness {

// How much of an id the table shows. The time and 30 bits: enough to name it to `explain`.
inline constexpr std::size_t kShownIdCharacters = 16;

// `utf8`: as ReportOptions.
std::string history_head();
std::string history_line(const Incident& incident, bool utf8);

// By RFC 4180, a row an incident, of the victim that was chosen. Absent is empty. Names are escaped
// as for a terminal; text that a spreadsheet would take for a formula gets a ' in front.
std::string csv_head();
std::string csv_line(const Incident& incident);

}  // namespace oomwitness
