// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "run/run_record.h"

namespace oomwitness {

// Runs of every verdict, depth and kind of cgroup, each with the name of its golden files.
std::vector<std::pair<std::string, RunRecord>> sample_runs();

}  // namespace oomwitness
