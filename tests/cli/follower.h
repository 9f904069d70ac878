// SPDX-License-Identifier: BSD-2-Clause
// The program while it follows a log. Its lines are read from a pipe, so that nothing waits for a
// time.
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <string>
#include <vector>

namespace oomwitness::cli {

// The victims' pids of incidents in JSON, one a line.
std::vector<int> pids(const std::string& json_lines);

class Follower {
 public:
  explicit Follower(std::vector<std::string> args);
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;
  Follower(Follower&&) = delete;
  Follower& operator=(Follower&&) = delete;
  ~Follower();

  // The pids of the next incident; waits for it. Empty: the program has ended.
  std::vector<int> next();

  // What is written here is the program's standard input.
  void type(const std::string& text);

  // Its exit code after SIGTERM; -1: a signal ended it.
  int stop();

 private:
  pid_t pid_ = 0;
  int in_ = -1;
  FILE* out_ = nullptr;
};

}  // namespace oomwitness::cli
