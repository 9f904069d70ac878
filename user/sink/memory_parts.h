// SPDX-License-Identifier: BSD-2-Clause
// Where the memory was at the kill: of the cgroup whose limit was hit, else of the host, only by
// figures that the record has. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "incident/incident.h"
#include "sink/chart/chart.h"

namespace oomwitness {

struct MemoryParts {
  std::string of;           // "/a (limit 512 MiB)", "the host (16 GiB)": printable
  std::uint64_t whole = 0;  // bytes; 0: not known
  std::vector<Part> parts;  // without those that are not known, or nothing
  std::string note;         // what to know when reading it; may be empty
};

// No parts: the record has no figure to show.
MemoryParts memory_parts(const Incident& incident);

}  // namespace oomwitness
