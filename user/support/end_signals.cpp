// SPDX-License-Identifier: BSD-2-Clause
#include "support/end_signals.h"

#include <sys/signalfd.h>

#include <cerrno>
#include <csignal>
#include <initializer_list>

namespace oomwitness {
namespace {

Result<OwnedFd> catch_signals(std::initializer_list<int> numbers) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : numbers) sigaddset(&signals, number);
  if (const int error = ::pthread_sigmask(SIG_BLOCK, &signals, nullptr); error != 0)
    return fail(error, "block signals");
  OwnedFd fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (fd.get() < 0) return fail(errno, "make a signalfd");
  return fd;
}

}  // namespace

Result<OwnedFd> catch_end_signals() {
  return catch_signals({SIGINT, SIGTERM});
}

Result<OwnedFd> catch_agent_signals() {
  return catch_signals({SIGINT, SIGTERM, SIGHUP});
}

}  // namespace oomwitness
