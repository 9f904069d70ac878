// SPDX-License-Identifier: BSD-2-Clause
#include "support/end_signals.h"

#include <sys/signalfd.h>

#include <cerrno>
#include <csignal>

namespace oomwitness {

Result<OwnedFd> catch_end_signals() {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  if (const int error = ::pthread_sigmask(SIG_BLOCK, &ends, nullptr); error != 0)
    return fail(error, "block signals");
  OwnedFd fd(::signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK));
  if (fd.get() < 0) return fail(errno, "make a signalfd");
  return fd;
}

}  // namespace oomwitness
