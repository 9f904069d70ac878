// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string>

namespace oomwitness {

// --help, --version and usage errors: what to print and the exit code.
struct EarlyExit {
  int code = 0;
  std::string out;
  std::string err;
};

}  // namespace oomwitness
