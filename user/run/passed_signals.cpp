// SPDX-License-Identifier: BSD-2-Clause
#include "run/passed_signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace oomwitness {
namespace {

constexpr std::array kPassed{SIGINT,  SIGTERM,  SIGHUP,  SIGQUIT, SIGUSR1,
                             SIGUSR2, SIGWINCH, SIGTSTP, SIGCONT, SIGCHLD};

}  // namespace

Result<PassedSignals> PassedSignals::catch_them() {
  sigset_t passed;
  sigemptyset(&passed);
  for (const int each : kPassed) sigaddset(&passed, each);
  sigset_t old;
  if (const int error = ::pthread_sigmask(SIG_BLOCK, &passed, &old); error != 0)
    return fail(error, "block signals");
  OwnedFd fd(::signalfd(-1, &passed, SFD_CLOEXEC | SFD_NONBLOCK));
  if (fd.get() < 0) return fail(errno, "make a signalfd");
  return PassedSignals(std::move(fd), old);
}

std::optional<ArrivedSignal> PassedSignals::next() const {
  signalfd_siginfo told{};
  if (::read(fd_.get(), &told, sizeof(told)) != static_cast<ssize_t>(sizeof(told)))
    return std::nullopt;
  return ArrivedSignal{.number = static_cast<int>(told.ssi_signo),
                       .from_terminal = told.ssi_code == SI_KERNEL};
}

void PassedSignals::restore() const {
  while (next()) {
  }
  ::pthread_sigmask(SIG_SETMASK, &old_mask_, nullptr);
}

void pass_on(const ArrivedSignal& signal, pid_t pid, bool own_group) {
  if (own_group || !signal.from_terminal) ::kill(pid, signal.number);
  if (signal.number == SIGTSTP) ::raise(SIGSTOP);
}

}  // namespace oomwitness
