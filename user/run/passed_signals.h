// SPDX-License-Identifier: BSD-2-Clause
// The signals that a run passes on to its command.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <optional>

#include "support/owned_fd.h"
#include "support/result.h"

namespace oomwitness {

struct ArrivedSignal {
  int number = 0;
  // By a terminal (a key, a hang-up, another size): every process of its foreground group has it
  // already.
  bool from_terminal = false;
};

class PassedSignals {
 public:
  // Blocks INT, TERM, HUP, QUIT, USR1, USR2, WINCH, TSTP, CONT and CHLD and reads them from a
  // descriptor (signalfd(2)). To be called before any thread is made.
  static Result<PassedSignals> catch_them();

  PassedSignals(PassedSignals&&) noexcept = default;
  PassedSignals& operator=(PassedSignals&&) noexcept = default;
  PassedSignals(const PassedSignals&) = delete;
  PassedSignals& operator=(const PassedSignals&) = delete;
  ~PassedSignals() = default;

  int fd() const { return fd_.get(); }
  // The mask from before, for the command.
  const sigset_t& old_mask() const { return old_mask_; }
  std::optional<ArrivedSignal> next() const;
  // As it was: for what is done after the run.
  void restore() const;

 private:
  PassedSignals(OwnedFd fd, const sigset_t& old_mask) : fd_(std::move(fd)), old_mask_(old_mask) {}

  OwnedFd fd_;
  sigset_t old_mask_;
};

// Passes a signal on to the command `pid`, unless it has it already; stops oomwitness itself along
// with it (TSTP).
void pass_on(const ArrivedSignal& signal, pid_t pid, bool own_group);

}  // namespace oomwitness
