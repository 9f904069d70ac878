// SPDX-License-Identifier: BSD-2-Clause
// Throw-away cgroups, version 1 or 2, in the hierarchy that has a controller here.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace oomwitness::live {

struct Hierarchy {
  bool v2 = false;
  std::string mount;  // where it is mounted
  std::string root;   // the cgroup that is mounted there, "" for the root
  std::string controller;

  // The hierarchy whose `controller` can be used here, as /proc/self/mountinfo has it. In version 2
  // the controller is turned on for the children of the root when it was not.
  static std::optional<Hierarchy> find(const std::string& controller);
};

// A cgroup folder, made by the constructor. The destructor ends what still runs in it (only what a
// test has put there can be there), reaps it and removes the folder.
class Cgroup {
 public:
  // `name` is unique among the tests of this machine when it comes from unique().
  Cgroup(const Hierarchy& hierarchy, const std::string& name);
  // A child; in version 2 its controller is turned on in `parent`, which must hold no process then.
  Cgroup(Cgroup& parent, const std::string& name);
  Cgroup(const Cgroup&) = delete;
  Cgroup& operator=(const Cgroup&) = delete;
  Cgroup(Cgroup&&) = delete;
  Cgroup& operator=(Cgroup&&) = delete;
  ~Cgroup();

  static std::string unique(const std::string& name);
  // What every name of this process's unique() begins with.
  static std::string prefix();

  bool v2() const { return hierarchy_.v2; }
  const std::string& dir() const { return dir_; }
  // As the kernel names it, from the root of the hierarchy.
  const std::string& path() const { return path_; }
  std::string procs() const { return dir_ + "/cgroup.procs"; }

  void limit(std::uint64_t bytes);
  void kill_as_group();  // memory.oom.group: version 2 only
  void set(const std::string& file, const std::string& text);

 private:
  Cgroup(Hierarchy hierarchy, std::string dir, std::string path);
  void end_processes() const;

  Hierarchy hierarchy_;
  std::string dir_;
  std::string path_;
};

inline constexpr std::uint64_t kMiB = 1024UL * 1024;

}  // namespace oomwitness::live
