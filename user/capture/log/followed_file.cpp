// SPDX-License-Identifier: BSD-2-Clause
#include "capture/log/followed_file.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

namespace oomwitness {
namespace {

bool is_same_file(int a, int b) {
  struct stat first {};
  struct stat second {};
  return ::fstat(a, &first) == 0 && ::fstat(b, &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

Result<std::uint64_t> size_of(int fd, const std::string& path) {
  struct stat file {};
  if (::fstat(fd, &file) != 0) return fail(errno, "read " + path);
  return static_cast<std::uint64_t>(file.st_size);
}

}  // namespace

Result<std::unique_ptr<ByteStream>> FollowedFile::open(std::string path, int stop_fd) {
  OwnedFd inotify(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (inotify.get() < 0) return fail(errno, "watch " + path);
  // Before the first read: what is written from now on wakes us.
  const auto folder = std::filesystem::path(path).parent_path();
  if (::inotify_add_watch(inotify.get(), folder.empty() ? "." : folder.c_str(),
                          IN_CREATE | IN_MOVED_TO) < 0) {
    return fail(errno, "watch the folder of " + path);
  }
  if (::inotify_add_watch(inotify.get(), path.c_str(), IN_MODIFY) < 0) {
    return fail(errno, "open " + path);
  }
  OwnedFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return fail(errno, "open " + path);
  return std::unique_ptr<ByteStream>(std::make_unique<FollowedFile>(
      std::move(path), std::move(inotify), std::move(file), stop_fd));
}

Result<std::size_t> FollowedFile::read(std::span<char> room) {
  for (;;) {
    const ssize_t got = ::read(file_.get(), room.data(), room.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(errno, "read " + path_);
    offset_ += static_cast<std::size_t>(got);
    consumed_ += static_cast<std::size_t>(got);
    return static_cast<std::size_t>(got);
  }
}

void FollowedFile::look_for_successor() {
  OwnedFd now(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (now.get() < 0 || is_same_file(now.get(), file_.get())) return;
  if (successor_.get() >= 0 && is_same_file(now.get(), successor_.get())) return;
  ::inotify_add_watch(inotify_.get(), path_.c_str(), IN_MODIFY);
  successor_ = std::move(now);
}

Result<bool> FollowedFile::has_more() {
  look_for_successor();
  TRY(const std::uint64_t size, size_of(file_.get(), path_));
  if (size < offset_) {
    if (::lseek(file_.get(), 0, SEEK_SET) < 0) return fail(errno, "read " + path_);
    offset_ = 0;
    gap_ = true;
    return size > 0;
  }
  if (size > offset_) return true;
  if (successor_.get() < 0) return false;
  // A daemon writes to the old file until it is told to open the new one.
  TRY(const std::uint64_t begun, size_of(successor_.get(), path_));
  if (begun == 0) return false;
  // The last lines of the old one may have come between the two looks.
  TRY(const std::uint64_t final_size, size_of(file_.get(), path_));
  if (final_size > offset_) return true;
  file_ = std::exchange(successor_, OwnedFd());
  offset_ = 0;
  return true;
}

Status FollowedFile::drain_events() {
  alignas(inotify_event) std::array<char, 4096> events{};
  while (::read(inotify_.get(), events.data(), events.size()) > 0) {
  }
  return errno == EAGAIN || errno == EINTR ? Status() : fail(errno, "watch " + path_);
}

Result<Wake> FollowedFile::wait(std::optional<std::chrono::milliseconds> quiet_after) {
  for (;;) {
    TRY(const bool more, has_more());
    if (more) return Wake::kMore;
    TRY(const Wake wake, wait_for(inotify_.get(), stop_fd_, quiet_after));
    if (wake != Wake::kMore) return wake;
    CHECK_OK(drain_events());
  }
}

}  // namespace oomwitness
