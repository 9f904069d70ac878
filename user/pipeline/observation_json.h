// SPDX-License-Identifier: BSD-2-Clause
// Observations made by user space, as JSON: what a recording keeps beside the kernel's raw records.
#pragma once

#include <string>
#include <string_view>

#include "assemble/observation.h"
#include "support/result.h"

namespace oomwitness {

// ProcFacts, MemcgStat, SystemMemory, LogReport, Losses and ClockSet; an error for every other
// kind, which the kernel's own records carry.
Result<std::string> observation_to_json(const Observation& observation);
Result<Observation> observation_from_json(std::string_view text);

}  // namespace oomwitness
