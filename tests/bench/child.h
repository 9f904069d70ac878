// SPDX-License-Identifier: BSD-2-Clause
// A tracer as a child process: what it writes, and when.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace oomwitness::bench {

struct Tools {
  std::vector<std::string> tracer;
  std::vector<std::string> peer;  // empty: not there
};

enum class Stdout { kPipe, kTerminal };

class Child {
 public:
  Child(std::vector<std::string> argv, Stdout stdout_kind);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  Child(Child&&) = delete;
  Child& operator=(Child&&) = delete;
  ~Child();  // stop()

  pid_t pid() const { return pid_; }
  std::int64_t started_ns() const { return started_ns_; }
  int out() const { return out_; }
  int err() const { return err_; }
  // Ctrl-C, and its end; the wait status.
  int stop();

 private:
  pid_t pid_ = -1;
  int out_ = -1;
  int err_ = -1;
  std::int64_t started_ns_ = 0;
};

// Reads until `text` has come, and gives the time it came; dies when it does not within 60 s.
std::int64_t wait_for_text(int fd, const std::string& text);

// `trace --json` with every hook, ready and at rest: what it does in the background is over.
class Tracing {
 public:
  // Of kills in one cgroup only, when one is named: other kills may happen on a host.
  explicit Tracing(const Tools& tools, const std::string& cgroup = "");
  Child& child() { return child_; }

 private:
  Child child_;
};

// Returns when no thread of the process has come, gone or run for three seconds.
void wait_at_rest(pid_t pid);

}  // namespace oomwitness::bench
