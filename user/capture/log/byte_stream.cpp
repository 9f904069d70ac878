// SPDX-License-Identifier: BSD-2-Clause
#include "capture/log/byte_stream.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace oomwitness {

Result<Wake> wait_for(int fd, int stop_fd, std::optional<std::chrono::milliseconds> quiet_after) {
  std::array<pollfd, 2> polled{{{fd, POLLIN, 0}, {stop_fd, POLLIN, 0}}};
  const int timeout = quiet_after ? static_cast<int>(quiet_after->count()) : -1;
  const int ready = ::poll(polled.data(), polled.size(), timeout);
  if (ready < 0 && errno != EINTR) return fail(errno, "wait for the log to grow");
  if (polled[1].revents != 0) return Wake::kStop;
  return ready == 0 ? Wake::kQuiet : Wake::kMore;
}

Result<std::size_t> FdStream::read(std::span<char> room) {
  for (;;) {
    const ssize_t got = ::read(fd_.get(), room.data(), room.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(errno, "read " + name_);
    ended_ = got == 0;
    consumed_ += static_cast<std::size_t>(got);
    return static_cast<std::size_t>(got);
  }
}

Result<Wake> FdStream::wait(std::optional<std::chrono::milliseconds> quiet_after) {
  if (ended_) return Wake::kStop;  // whoever wrote into the pipe is gone
  return wait_for(fd_.get(), -1, quiet_after);
}

}  // namespace oomwitness
