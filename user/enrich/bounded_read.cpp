// SPDX-License-Identifier: BSD-2-Clause
#include "enrich/bounded_read.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <memory>

namespace oomwitness {
namespace {

struct CloseDir {
  void operator()(DIR* dir) const noexcept { ::closedir(dir); }
};

Result<Bytes> read_fd(int fd, const std::string& path, std::size_t max) {
  Bytes bytes;
  std::array<char, 4096> chunk{};
  for (;;) {
    const ssize_t got = ::read(fd, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(errno, "read " + path);
    if (got == 0) return bytes;
    const auto size = static_cast<std::size_t>(got);
    const std::size_t room = max - bytes.content.size();
    bytes.content.append(chunk.data(), size < room ? size : room);
    if (size > room) {
      bytes.truncated = true;
      return bytes;
    }
  }
}

}  // namespace

Result<Bytes> read_at_most(int dir_fd, const std::string& path, std::size_t max) {
  const OwnedFd fd(::openat(dir_fd, path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (fd.get() < 0) return fail(errno, "open " + path);
  return read_fd(fd.get(), path, max);
}

Result<std::string> read_state_file(const std::string& path, std::size_t max) {
  // O_NONBLOCK: opening a FIFO without it waits for a writer, before fstat could tell.
  const OwnedFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK));
  if (fd.get() < 0) return fail(errno, "open " + path);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return fail(errno, "stat " + path);
  if (!S_ISREG(status.st_mode)) return fail("read " + path + ": not a regular file");
  TRY(auto bytes, read_fd(fd.get(), path, max));
  if (bytes.truncated) return fail(EFBIG, "read " + path);
  return std::move(bytes.content);
}

Result<std::string> read_link_at(int dir_fd, const std::string& path) {
  std::array<char, PATH_MAX> target{};
  const ssize_t got = ::readlinkat(dir_fd, path.c_str(), target.data(), target.size());
  if (got < 0) return fail(errno, "read link " + path);
  return std::string(target.data(), static_cast<std::size_t>(got));
}

Result<std::vector<std::string>> list_folder(const std::string& path, std::size_t max) {
  const std::unique_ptr<DIR, CloseDir> dir(::opendir(path.c_str()));
  if (!dir) return fail(errno, "list " + path);
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    // Safe: the stream is this function's own.
    const dirent* entry = ::readdir(dir.get());  // NOLINT(concurrency-mt-unsafe)
    if (entry == nullptr) {
      if (errno != 0) return fail(errno, "list " + path);
      return names;
    }
    const std::string_view name(static_cast<const char*>(entry->d_name));
    if (name == "." || name == "..") continue;
    if (names.size() == max) return fail(EFBIG, "list " + path);
    names.emplace_back(name);
  }
}

bool is_single_component(std::string_view name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\0", 2)) == std::string_view::npos;
}

}  // namespace oomwitness
