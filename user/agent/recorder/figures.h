// SPDX-License-Identifier: BSD-2-Clause
// The few figures that the recorder takes from the kernel's files. Pure, and without allocation.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "agent/recorder/samples.h"

namespace oomwitness {

// The first decimal number of the text, blanks before it skipped.
std::optional<std::uint64_t> first_number(std::string_view text);

// /proc/meminfo: fills what it has.
void take_meminfo(std::string_view text, HostFigures& figures);
// /proc/pressure/memory and memory.pressure.
void take_pressure(std::string_view text, HostFigures& figures);
// /proc/PID/statm: the second number, resident pages, in bytes.
std::optional<std::uint64_t> resident_of_statm(std::string_view text, std::uint64_t page_bytes);

}  // namespace oomwitness
