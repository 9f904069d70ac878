// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string>
#include <vector>

#include "agent/config.h"
#include "incident/incident.h"

namespace oomwitness {

// Masks, beyond what the trace has masked already, the values of options and variables by these
// names ("--licence X", "--licence=X", "LICENCE=X", "-Dlicence=X"), in every victim's arguments: in
// place and in length. Names match without their dashes and without case.
void redact(Incident& incident, const RedactConfig& rules);

}  // namespace oomwitness
