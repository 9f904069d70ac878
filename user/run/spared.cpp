// SPDX-License-Identifier: BSD-2-Clause
#include "run/spared.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <string_view>
#include <utility>

#include "support/owned_fd.h"

namespace oomwitness {
namespace {

constexpr int kLow = -900;

bool write_to(const std::string& path, std::string_view text) {
  const OwnedFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return fd.get() >= 0 && ::write(fd.get(), text.data(), text.size()) > 0;
}

std::string read_from(const std::string& path) {
  const OwnedFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 16> text{};
  const ssize_t got = fd.get() < 0 ? 0 : ::read(fd.get(), text.data(), text.size());
  return {text.data(), static_cast<std::size_t>(got > 0 ? got : 0)};
}

}  // namespace

Spared::Spared(const std::string& proc) : path_(proc + "/self/oom_score_adj") {
  std::string before = read_from(path_);
  int adj = 0;
  std::from_chars(before.data(), before.data() + before.size(), adj);
  if (!before.empty() && adj > kLow && write_to(path_, std::to_string(kLow)))
    before_ = std::move(before);
}

Spared::~Spared() {
  if (!before_.empty()) [[maybe_unused]]
    const bool restored = write_to(path_, before_);
}

}  // namespace oomwitness
