// SPDX-License-Identifier: BSD-2-Clause
// Files that a user asked for.
#pragma once

#include <string>
#include <string_view>

#include "support/result.h"

namespace oomwitness {

// Whole or not at all: nobody ever reads half of it. What is no regular file (a pipe, /dev/stdout)
// is written as it is. Errors: those of open(2), write(2) and rename(2), with the path.
Status write_file(const std::string& path, std::string_view text);

// Behind what the file holds; makes one that is not there.
Status append_to_file(const std::string& path, std::string_view text);

}  // namespace oomwitness
