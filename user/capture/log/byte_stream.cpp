// SPDX-License-Identifier: BSD-2-Clause
#include "capture/log/byte_stream.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace oomwitness {
namespace {

Result<std::size_t> read_some(int fd, std::span<char> room, const std::string& name) {
  for (;;) {
    const ssize_t got = ::read(fd, room.data(), room.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return fail(errno, "read " + name);
  }
}

}  // namespace

Result<Wake> wait_for(int fd, int stop_fd, std::optional<std::chrono::milliseconds> quiet_after) {
  std::array<pollfd, 2> polled{{{fd, POLLIN, 0}, {stop_fd, POLLIN, 0}}};
  const int timeout = quiet_after ? static_cast<int>(quiet_after->count()) : -1;
  const int ready = ::poll(polled.data(), polled.size(), timeout);
  if (ready < 0 && errno != EINTR) return fail(errno, "wait for the log to grow");
  if (polled[1].revents != 0) return Wake::kStop;
  return ready == 0 ? Wake::kQuiet : Wake::kMore;
}

Result<std::size_t> FdStream::read(std::span<char> room) {
  TRY(const std::size_t got, read_some(fd_.get(), room, name_));
  consumed_ += got;
  return got;
}

Result<std::size_t> FollowedFd::read(std::span<char> room) {
  TRY(const Wake wake, wait_for(fd_.get(), -1, std::chrono::milliseconds(0)));
  if (wake == Wake::kQuiet) return std::size_t{0};
  TRY(const std::size_t got, read_some(fd_.get(), room, name_));
  ended_ = got == 0;
  return got;
}

Result<Wake> FollowedFd::wait(std::optional<std::chrono::milliseconds> quiet_after) {
  if (ended_) return Wake::kStop;
  return wait_for(fd_.get(), stop_fd_, quiet_after);
}

}  // namespace oomwitness
