// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <string_view>

#include "support/result.h"

namespace oomwitness {

// The value of a constant expression as trace event formats hold them: unsigned integers with
// their suffixes, | ^ & << >> + - ~, parentheses, casts to integer types. Whatever else is in it
// (an enumerator that the kernel left unresolved, say) is an error, never a guess.
Result<std::uint64_t> evaluate_flag_expression(std::string_view text);

}  // namespace oomwitness
