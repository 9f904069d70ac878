// SPDX-License-Identifier: BSD-2-Clause
// Commands that are programs of their own, because of the libraries they load.
#pragma once

#include <string>
#include <vector>

#include "support/result.h"

namespace oomwitness {

// Becomes `program` ("oomwitness-history"), which lies beside this one in a build tree and in
// ../libexec/oomwitness of an installed one (/proc/self/exe says where this one is). Returns only
// when it cannot: not installed, not executable.
Error become(const std::string& program, std::vector<std::string> arguments);

}  // namespace oomwitness
