// SPDX-License-Identifier: BSD-2-Clause
// What every exporter tells of an incident besides its JSON: a line, a severity, named values.
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "incident/incident.h"

namespace oomwitness {

// By how much it concerns: what was asked for, one cgroup at its own limit, the host.
enum class ExportSeverity { kInfo, kWarning, kError, kCritical };

// From the diagnosis' cause where that says it, else from the constraint.
ExportSeverity severity_of(const Incident& incident);
// "info", "warning", "error", "critical".
std::string_view severity_name(ExportSeverity severity);
// The diagnosis' cause; "unknown" where there is none.
std::string cause_of(const Incident& incident);
// The victim that was chosen, else the first; null: nobody is known to have died.
const Victim* chosen_victim(const Incident& incident);

struct ExportField {
  std::string_view name;  // lower case with underscores: "victim_pid"
  std::string value;      // the bytes as they are: each exporter escapes them its own way
};

// Those that are known, always in the same order. A value is at most `longest_value` bytes.
std::vector<ExportField> export_fields(const Incident& incident, std::size_t longest_value = 4096);

// The headline in printable ASCII.
std::string export_headline(const Incident& incident);

}  // namespace oomwitness
