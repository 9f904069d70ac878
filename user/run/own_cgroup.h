// SPDX-License-Identifier: BSD-2-Clause
// Where this process is in the hierarchy that has the memory controller.
#pragma once

#include <string>
#include <string_view>

#include "enrich/memory_files.h"
#include "enrich/roots.h"
#include "support/result.h"

namespace oomwitness {

struct CgroupLayout {
  bool v1 = false;
  // memory.events and memory.oom_control count a kill where the victim was and nowhere above: in
  // version 1, and in version 2 with the mount option memory_localevents.
  bool local_counts = false;
};

struct OwnCgroup {
  CgroupLayout layout;
  std::string path;      // "/a/b", as /proc/self/cgroup says
  std::string folder;    // of that cgroup
  std::string top;       // the mount point: nothing above it is to be seen
  std::string top_path;  // the cgroup that is mounted there
};

// This process's path out of /proc/PID/cgroup (cgroups(7)): the line of the version 1 hierarchy
// with the memory controller, or that of version 2. An error where there is none.
Result<std::string> memcg_path_of(std::string_view proc_cgroup, bool v1);

// An error where no memory controller is mounted, or where the mount does not show this cgroup.
Result<OwnCgroup> find_own_cgroup(const Roots& roots);

}  // namespace oomwitness
