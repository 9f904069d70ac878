// SPDX-License-Identifier: BSD-2-Clause
// An incident as a line of a table. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "incident/incident.h"

namespace oomwitness {

// `text` is escaped already; wider texts push the rest of the line to the right.
struct Cell {
  std::string text;
  std::size_t width = 0;  // columns
  bool right = false;
};

// Ended by a newline.
std::string line_of(const std::vector<Cell>& cells);

// In UTC; of a log without the wall clock, the seconds since boot.
std::string time_of(const Incident& incident);
// All victims' together; absent: none is known.
Opt<std::uint64_t> resident(const Incident& incident);
// "-" when absent.
std::string size_or_dash(const Opt<std::uint64_t>& bytes);
// The chosen one where there is one; null: nobody died.
const Victim* first_victim(const Incident& incident);

}  // namespace oomwitness
