// SPDX-License-Identifier: BSD-2-Clause
#include "agent/recorder/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

namespace oomwitness {
namespace {

// getdents64(2), which glibc only has behind opendir() and its allocations.
constexpr std::size_t kReclenAt = 16;
constexpr std::size_t kTypeAt = 18;
constexpr std::size_t kNameAt = 19;

bool is_folder(int folder_fd, const char* name, unsigned char type) {
  if (type != DT_UNKNOWN) return type == DT_DIR;
  struct stat found {};
  return ::fstatat(folder_fd, name, &found, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(found.st_mode);
}

}  // namespace

std::optional<std::string_view> read_again(int fd, SmallBuffer& buffer) {
  std::size_t size = 0;
  while (size < buffer.size()) {
    const ssize_t got =
        ::pread(fd, buffer.data() + size, buffer.size() - size, static_cast<off_t>(size));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
    // A file of one line comes whole: no second call to learn that it ends.
    if (buffer[size - 1] == '\n' && std::memchr(buffer.data(), '\n', size - 1) == nullptr) break;
  }
  return std::string_view(buffer.data(), size);
}

OwnedFd open_below(int folder_fd, const char* path, int flags) {
  return OwnedFd(::openat(folder_fd, path, flags | O_CLOEXEC));
}

std::optional<std::string_view> read_below(int folder_fd, const char* path, SmallBuffer& buffer) {
  const OwnedFd file = open_below(folder_fd, path, O_RDONLY);
  return file.get() < 0 ? std::nullopt : read_again(file.get(), buffer);
}

void for_each_entry(int folder_fd, FunctionRef<void(const char* name, bool folder)> take) {
  SmallBuffer buffer;
  ::lseek(folder_fd, 0, SEEK_SET);
  for (;;) {
    const long got = ::syscall(SYS_getdents64, folder_fd, buffer.data(), buffer.size());
    if (got <= 0) return;
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      std::uint16_t size = 0;
      std::memcpy(&size, buffer.data() + at + kReclenAt, sizeof(size));
      const char* const name = buffer.data() + at + kNameAt;
      const auto type = static_cast<unsigned char>(buffer[at + kTypeAt]);
      at += size;
      if (std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0) continue;
      take(name, is_folder(folder_fd, name, type));
    }
  }
}

}  // namespace oomwitness
