// SPDX-License-Identifier: BSD-2-Clause
#include "sink/secret_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "support/owned_fd.h"

namespace oomwitness {

Result<std::string> read_pem(const std::string& path) {
  constexpr std::size_t kMost = 64U << 10U;
  const OwnedFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return fail(errno, "open " + path);
  std::string text(kMost + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(file.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(errno, "read " + path);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > kMost) return fail("read " + path + ": longer than 64 KiB");
  text.resize(size);
  return text;
}

Result<std::string> read_secret(const std::string& path) {
  TRY(std::string text, read_pem(path));
  text.resize(std::min(text.size(), text.find('\n')));
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string::npos) return fail("read " + path + ": its first line is empty");
  text = text.substr(begin, text.find_last_not_of(" \t\r") + 1 - begin);
  const bool clean =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (!clean) return fail("read " + path + ": its first line is not printable ASCII");
  return text;
}

}  // namespace oomwitness
