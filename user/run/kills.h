// SPDX-License-Identifier: BSD-2-Clause
// Who was killed in a run. Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "run/run_record.h"
#include "run/supervise.h"
#include "run/witness.h"

namespace oomwitness {

// From the incidents, the victims inside the run's cgroup; without any, one entry for each kill
// that the counter told, as far as it is known when. `began_ns`: CLOCK_MONOTONIC.
std::vector<RunKill> kills_of(const std::vector<Incident>& incidents, const WitnessOptions& watched,
                              std::uint64_t began_ns, const std::vector<Course::Rise>& rises,
                              std::uint64_t counted);

}  // namespace oomwitness
