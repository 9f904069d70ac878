// SPDX-License-Identifier: BSD-2-Clause
#include "cli/write_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>

#include "cli/terminal.h"
#include "support/owned_fd.h"

namespace oomwitness {
namespace {

Status write_to(const std::string& path, std::string_view text, int how) {
  constexpr mode_t kMode = 0666;
  const OwnedFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | how, kMode));
  if (file.get() < 0) return fail(errno, "write " + path);
  if (Status status = write_all(file.get(), text); !status)
    return tl::make_unexpected(std::move(status).error().during(path));
  return {};
}

}  // namespace

Status write_file(const std::string& path, std::string_view text) {
  struct stat found {};
  const bool special = ::stat(path.c_str(), &found) == 0 && !S_ISREG(found.st_mode);
  const std::string part = special ? path : path + ".part";
  CHECK_OK(write_to(part, text, O_TRUNC));
  if (!special && ::rename(part.c_str(), path.c_str()) != 0)
    return fail(errno, "rename " + part + " to " + path);
  return {};
}

Status append_to_file(const std::string& path, std::string_view text) {
  return write_to(path, text, O_APPEND);
}

}  // namespace oomwitness
