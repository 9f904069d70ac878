// SPDX-License-Identifier: BSD-2-Clause
// The cgroup of a run: made for it below the one that oomwitness is in, or that one itself where
// none can be made. Everything that was changed is put back by remove().
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "run/memory_counters.h"
#include "run/own_cgroup.h"
#include "support/owned_fd.h"
#include "support/result.h"

namespace oomwitness {

struct BoxLimits {
  std::optional<std::uint64_t> memory_max_bytes;
  std::optional<std::uint64_t> swap_max_bytes;
  bool any() const { return memory_max_bytes || swap_max_bytes; }
};

// Where a box may be made.
enum class BoxPlace {
  kBelow,   // a child of the own cgroup; in version 2 oomwitness moves into a leaf if it is alone
  kBeside,  // a child of the parent: only where the own cgroup has no memory limit to escape from
};

class Box {
 public:
  // A new cgroup. Errors: no rights, read-only, processes in the way, no memory controller there.
  static Result<Box> make(const OwnCgroup& own, BoxPlace place);
  // The own cgroup, shared with whoever is in it.
  static Result<Box> share(const OwnCgroup& own);

  Box(Box&&) noexcept = default;
  Box& operator=(Box&&) noexcept = default;
  Box(const Box&) = delete;
  Box& operator=(const Box&) = delete;
  ~Box() = default;

  // Errors: a shared cgroup is not ours to limit; the kernel refused.
  Status limit(const BoxLimits& limits) const;

  bool shared() const { return shared_; }
  bool v1() const { return own_.layout.v1; }
  const std::string& path() const { return path_; }
  const std::string& folder() const { return folder_; }
  int dir_fd() const { return dir_.get(); }
  MemoryCounters& counters() { return *counters_; }
  // The lowest limit from here up to what can be seen, and the path of the cgroup that has it.
  std::optional<std::pair<std::uint64_t, std::string>> effective_limit() const;

  // Processes inside, in cgroups below too; not of a shared one.
  std::vector<pid_t> processes() const;
  // Sends SIGKILL to all of them until none is left or `rounds` of 10 ms are over. False: some are.
  bool end_processes(int rounds) const;
  // Removes what was made and puts back what was changed. Errors: what remains.
  Status remove();

 private:
  Box() = default;
  Status enter_leaf();
  Status enable_memory();
  static Result<Box> make_in(const OwnCgroup& own, const std::string& folder,
                             const std::string& path);

  OwnCgroup own_;
  bool shared_ = false;
  std::string parent_;  // folder that it was made in
  std::string folder_;
  std::string path_;
  std::string leaf_;             // folder of the leaf that oomwitness has moved into
  bool memory_enabled_ = false;  // in parent_/cgroup.subtree_control, by us
  OwnedFd dir_;                  // locked as long as the run lives
  std::optional<MemoryCounters> counters_;
};

// Removes what runs that were killed outright have left in `folder`, with the processes in it; how
// many there were. A box is a leftover when nobody has it locked and its maker is gone.
int sweep_leftovers(const std::string& folder);

}  // namespace oomwitness
