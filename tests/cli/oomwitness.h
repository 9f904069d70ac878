// SPDX-License-Identifier: BSD-2-Clause
// Runs the program under test as a user's shell would.
#pragma once

#include <string>
#include <vector>

namespace oomwitness::cli {

struct Ran {
  int code = -1;  // 128 + n: ended by signal n
  std::string out;
  std::string err;
};

// What stdout is, when it is not kept.
enum class Stdout { kKept, kFull, kClosed };

struct Invocation {
  std::vector<std::string> args;
  std::vector<std::string> environment;  // all there is: NAME=VALUE
  Stdout to = Stdout::kKept;
};

Ran run(const Invocation& invocation);
Ran run(std::vector<std::string> args);

}  // namespace oomwitness::cli
