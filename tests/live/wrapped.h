// SPDX-License-Identifier: BSD-2-Clause
// `oomwitness run` and `oomwitness fit`, as a CI job starts them.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "cgroup.h"
#include "process.h"
#include "tracer.h"

namespace oomwitness::live {

// A shell command line; words of our own are safe in it.
std::vector<std::string> shell(const std::string& line);
// A `provoke` that touches that much memory at once and ends; in a shell line.
std::string eat(const std::string& mib);

struct Wrapped {
  int code = -1;  // minus the signal that ended oomwitness itself
  std::string out;
  std::string err;
  json record;  // null where none was written

  std::string verdict() const { return record.is_null() ? "none" : record.at("verdict"); }
  std::string depth() const { return record.is_null() ? "none" : record.at("depth"); }
};

// A running `oomwitness run OPTIONS --json FILE -- COMMAND`. When it has ended, nothing of it may
// be left: no process in its cgroup, and no cgroup.
class Wrapping {
 public:
  Wrapping(const std::vector<std::string>& options, const std::vector<std::string>& command,
           const Cgroup* inside = nullptr);
  Wrapping(const Wrapping&) = delete;
  Wrapping& operator=(const Wrapping&) = delete;
  Wrapping(Wrapping&&) = delete;
  Wrapping& operator=(Wrapping&&) = delete;
  ~Wrapping();

  Process& process() { return process_; }
  // The next line of the command's output.
  std::string line();
  Wrapped finish();

 private:
  std::string folder_;
  Process process_;
  std::string out_;
};

// From start to end.
Wrapped wrap(const std::vector<std::string>& options, const std::vector<std::string>& command,
             const Cgroup* inside = nullptr);

// The cgroups below the memory controller's mount that a run with this pid has made and that are
// still there.
std::vector<std::string> cgroups_of_run(pid_t pid);

// Waits until the process is gone, for as long as a test may hang. False: it is not.
bool wait_gone(pid_t pid);

}  // namespace oomwitness::live
