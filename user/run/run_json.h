// SPDX-License-Identifier: BSD-2-Clause
// The run record as JSON, by docs/run.schema.json. Pure; never throws.
#pragma once

#include <string>
#include <string_view>

#include "run/run_record.h"
#include "support/result.h"

namespace oomwitness {

// One line of ASCII without the newline, strings as in the incident's JSON.
std::string to_json(const RunRecord& record);

// "oom", "bpf": as the schema names them.
std::string_view name_of(RunVerdict verdict);
std::string_view name_of(RunDepth depth);

// Whether `text` is a run record and not an incident: by its "schema".
bool is_run_json(std::string_view text);

// The inverse of to_json; errors as those of incident_from_json.
Result<RunRecord> run_from_json(std::string_view text);

}  // namespace oomwitness
