// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <string>

#include "incident/incident.h"

namespace oomwitness {

// uname(2), the boot id and the page size; what cannot be read stays empty. `proc`: "/proc".
Host read_host(const std::string& proc);

// CLOCK_MONOTONIC, ns.
std::uint64_t monotonic_now_ns();

// What to add to a kernel clock to get Unix time, ns.
struct ClockOffsets {
  std::int64_t unix_minus_monotonic_ns = 0;
  std::int64_t unix_minus_boottime_ns = 0;
};
ClockOffsets read_clock_offsets();

}  // namespace oomwitness
