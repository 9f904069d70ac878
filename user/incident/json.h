// SPDX-License-Identifier: BSD-2-Clause
// The incident as JSON, by docs/incident.schema.json. Pure; never throws.
#pragma once

#include <string>
#include <string_view>

#include "incident/incident.h"
#include "support/result.h"

namespace oomwitness {

// One line of ASCII without the newline. Bytes that are not UTF-8 are written by to_valid_utf8,
// other characters that a terminal might act on as \uNNNN.
std::string to_json(const Incident& incident);

// The inverse. Keys it does not know are skipped; a missing or foreign "schema", or a value of the
// wrong type or range is an error that names its place ("victims[0].pid: expected ..."). What the
// schema has beyond the model (history, psi) is not kept; a resolved kernel frame
// has no address.
Result<Incident> incident_from_json(std::string_view text);

}  // namespace oomwitness
