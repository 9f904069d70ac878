// SPDX-License-Identifier: BSD-2-Clause
// Values of options, and what CLI11 says when they are none. For options.cpp and its like only.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include <CLI/CLI.hpp>

#include "support/text.h"

namespace oomwitness {

// "500ms", "10s", "2m", "1h"; a bare number is in `bare`.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text,
                                                       std::chrono::nanoseconds bare);
CLI::Validator duration_check(std::chrono::nanoseconds bare);

// Of what parse_size() takes.
CLI::Validator size_check();
// And 0.
CLI::Validator size_or_zero_check();

}  // namespace oomwitness
