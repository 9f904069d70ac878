// SPDX-License-Identifier: BSD-2-Clause
// The command as a process: forked into its cgroup at once, started when it is told to.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <string>
#include <vector>

#include "run/box.h"
#include "support/owned_fd.h"
#include "support/result.h"

namespace oomwitness {

using SignalHandler = void (*)(int);

struct ChildOptions {
  std::vector<std::string> argv;       // argv[0] is searched in PATH
  sigset_t signal_mask{};              // to start with
  SignalHandler on_sigpipe = nullptr;  // nullptr: SIG_DFL
  // Without a controlling terminal: a process group of its own, so that a signal to ours reaches it
  // only as it is passed on.
  bool own_group = false;
  bool silent = false;  // its standard streams are /dev/null
};

class Child {
 public:
  // To be called before any thread is made. In version 2 the child is made inside the box
  // (CLONE_INTO_CGROUP, since 5.7), else it joins it; SIGKILL to oomwitness takes it along
  // (PR_SET_PDEATHSIG).
  static Result<Child> fork_into(const Box* box, const ChildOptions& options);

  Child(Child&&) noexcept = default;
  Child& operator=(Child&&) noexcept = default;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() = default;

  pid_t pid() const { return pid_; }
  // Lets it become the command. The errno of what it could not do, 0 when it runs.
  int open_gate();

 private:
  Child(pid_t pid, OwnedFd gate, OwnedFd failure)
      : pid_(pid), gate_(std::move(gate)), failure_(std::move(failure)) {}

  pid_t pid_;
  OwnedFd gate_;     // a byte opens it; its end tells the child to give up
  OwnedFd failure_;  // an errno, or its end: execve has closed it
};

}  // namespace oomwitness
