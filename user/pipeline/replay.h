// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string>

#include "pipeline/incident_stream.h"

namespace oomwitness {

// Makes a recording's incidents again. A recording that is cut short gives those it has, then an
// error.
Status replay(const std::string& path, Wanted wanted, IncidentStream::Sink sink);

}  // namespace oomwitness
