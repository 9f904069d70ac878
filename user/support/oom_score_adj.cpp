// SPDX-License-Identifier: BSD-2-Clause
#include "support/oom_score_adj.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>

#include "support/owned_fd.h"

namespace oomwitness {
namespace {

constexpr const char* kFile = "/self/oom_score_adj";

}  // namespace

Result<int> own_oom_score_adj(const std::string& proc) {
  const std::string path = proc + kFile;
  const OwnedFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 16> text{};
  const ssize_t got = fd.get() < 0 ? -1 : ::read(fd.get(), text.data(), text.size());
  if (got < 0) return fail(errno, "read " + path);
  int adj = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + got, adj);
  if (failure != std::errc{} || end == text.data()) return fail("read " + path + ": no number");
  return adj;
}

Status set_own_oom_score_adj(const std::string& proc, int adj) {
  const std::string path = proc + kFile;
  const OwnedFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  const std::string text = std::to_string(adj);
  if (fd.get() >= 0 &&
      ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()))
    return {};
  return fail(errno, "write " + text + " to " + path,
              "OOMScoreAdjust= in the unit, or CAP_SYS_RESOURCE");
}

}  // namespace oomwitness
