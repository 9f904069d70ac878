// SPDX-License-Identifier: BSD-2-Clause
// Finds the few lines of a large log that can tell of a kill (anchors.h), at the speed of memory.
// Pure.
#pragma once

#include <cstddef>
#include <string_view>

namespace oomwitness {

// Where an anchor begins at or after `from`, in the first line that holds one;
// std::string_view::npos: there is none. Uses the widest vectors that this CPU has.
std::size_t find_anchor(std::string_view text, std::size_t from = 0);

// The same with what every CPU of this architecture has.
std::size_t find_anchor_portable(std::string_view text, std::size_t from = 0);

// Bytes of an anchor that the end of a text may hold without its beginning or end being seen.
std::size_t longest_anchor();

}  // namespace oomwitness
