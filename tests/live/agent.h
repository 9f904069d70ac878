// SPDX-License-Identifier: BSD-2-Clause
// A running `oomwitness agent` with a store of its own, and what `oomwitness history` says of it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "live_test.h"

namespace oomwitness::live {

// A folder that goes with all that is in it.
class Folder {
 public:
  Folder() : Folder("") {}
  explicit Folder(const std::string& above);  // made there; empty: where temporary files are
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  Folder(Folder&&) = delete;
  Folder& operator=(Folder&&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class RunningAgent {
 public:
  struct How {
    std::string config;  // further lines of it
    std::optional<std::uint64_t> capabilities;
    std::vector<std::string> env;
  };
  // Returns when it watches, or has ended without.
  explicit RunningAgent(const Folder& folder) : RunningAgent(folder, How{}) {}
  RunningAgent(const Folder& folder, const How& how);

  bool watching() const { return watching_; }
  void send(int signal) const;
  // The exit code, or minus the number of the signal that ended it.
  int wait();
  int stop();
  // The next line on its stderr that holds the text; a test failure when none comes.
  std::string wait_for_line(const std::string& text);
  // What it has said by now.
  void take_lines();
  const std::string& said() const { return said_; }
  pid_t pid() const { return process_.pid(); }

 private:
  Process process_;
  bool watching_ = false;
  std::string said_;
};

// Makes or replaces a file.
void put_file(const std::string& path, const std::string& text);
// Where the agent is; empty: it is not part of this build.
std::string agent_path();
std::string store_of(const Folder& folder);
// All that the store has, or what fits: as `history --json` gives it.
std::vector<json> history(const Folder& folder, const std::vector<std::string>& filters = {});
// Returns when the store has a kill of each of these; a test failure when it does not come.
void wait_for_kills(const Folder& folder, const std::vector<pid_t>& pids);
// How many incidents each of these was a victim of.
std::vector<std::size_t> times_told(const std::vector<json>& incidents,
                                    const std::vector<pid_t>& pids);

}  // namespace oomwitness::live
