// SPDX-License-Identifier: BSD-2-Clause
// A process that does nothing but wait for oomwitness to be killed outright, and then ends what
// runs in its box and removes it.
#pragma once

#include <sys/types.h>

#include "run/box.h"
#include "support/owned_fd.h"
#include "support/result.h"

namespace oomwitness {

class Janitor {
 public:
  // To be called before any thread is made. It has no descriptor but its pipe and none of our
  // signals, and a session of its own.
  static Result<Janitor> fork_for(Box& box);

  Janitor(Janitor&&) noexcept = default;
  Janitor& operator=(Janitor&&) noexcept = default;
  Janitor(const Janitor&) = delete;
  Janitor& operator=(const Janitor&) = delete;
  ~Janitor() = default;

  pid_t pid() const { return pid_; }
  // Ends it with nothing done. To be called before the box is removed.
  void dismiss();

 private:
  Janitor(pid_t pid, OwnedFd line) : pid_(pid), line_(std::move(line)) {}

  pid_t pid_;
  OwnedFd line_;  // a byte: all is well; its end without one: clean up
};

}  // namespace oomwitness
