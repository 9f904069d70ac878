// SPDX-License-Identifier: BSD-2-Clause
// The witness in the cgroup of what it watches: not the next to be killed there.
#pragma once

#include <optional>
#include <string>

namespace oomwitness {

// Lowers this process's own oom_score_adj (proc(5)) while it lives, where that is allowed
// (CAP_SYS_RESOURCE); who was forked before keeps theirs.
class Spared {
 public:
  explicit Spared(std::string proc);
  ~Spared();
  Spared(const Spared&) = delete;
  Spared& operator=(const Spared&) = delete;
  Spared(Spared&&) = delete;
  Spared& operator=(Spared&&) = delete;

 private:
  std::string proc_;
  std::optional<int> before_;  // absent: nothing was changed
};

}  // namespace oomwitness
