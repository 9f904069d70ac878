// SPDX-License-Identifier: BSD-2-Clause
// What a record lacks for a better verdict.
#pragma once

#include <string>
#include <vector>

#include "diagnose/facts.h"

namespace oomwitness {

struct Gap {
  std::string what;  // "the table of tasks, which shows who held the memory"
  std::string how;   // to have it next time
};

std::vector<Gap> gaps(const Facts& facts);

}  // namespace oomwitness
