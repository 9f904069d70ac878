// SPDX-License-Identifier: BSD-2-Clause
// Commands that are programs of their own, because of the libraries they load.
#pragma once

#include <string>
#include <vector>

#include "support/owned_fd.h"
#include "support/result.h"

namespace oomwitness {

// Becomes `program` ("oomwitness-history"), which lies beside this one in a build tree and in
// ../libexec/oomwitness of an installed one (/proc/self/exe says where this one is). Returns only
// when it cannot: not installed, not executable.
Error become(const std::string& program, std::vector<std::string> arguments);

// One that runs beside this one, its standard output to be read from `out`.
struct Piped {
  OwnedFd out;
  int pid = -1;
};
// Before there are threads. Errors: those of pipe2(2) and fork(2); when the program cannot be run
// it says so itself, and ends with 1.
Result<Piped> run_beside(const std::string& program, std::vector<std::string> arguments);
// Waits for its end: its exit code; 128 + n: ended by signal n.
int wait_for_end(const Piped& piped);

}  // namespace oomwitness
