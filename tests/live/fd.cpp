// SPDX-License-Identifier: BSD-2-Clause
#include "fd.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <sstream>

namespace oomwitness::live {

Pipe make_pipe() {
  std::array<int, 2> ends{-1, -1};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return Pipe{};
  return {Fd(ends[0]), Fd(ends[1])};
}

std::optional<std::string> LineReader::buffered() {
  const std::size_t end = buffer_.find('\n');
  if (end == std::string::npos) return std::nullopt;
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  return line;
}

Fill LineReader::fill(std::chrono::steady_clock::time_point until) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      until - std::chrono::steady_clock::now());
  pollfd waited{fd_.get(), POLLIN, 0};
  if (left.count() <= 0 || poll(&waited, 1, static_cast<int>(left.count())) == 0)
    return Fill::kLate;
  std::array<char, 65536> chunk{};
  const ssize_t got = read(fd_.get(), chunk.data(), chunk.size());
  if (got < 0 && errno == EINTR) return Fill::kMore;
  if (got <= 0) return Fill::kEnd;
  buffer_.append(chunk.data(), static_cast<std::size_t>(got));
  return Fill::kMore;
}

std::optional<std::string> LineReader::line(std::chrono::seconds deadline) {
  const auto until = std::chrono::steady_clock::now() + deadline;
  for (;;) {
    if (auto found = buffered()) return found;
    if (fill(until) != Fill::kMore) return std::nullopt;
  }
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

bool write_file(const std::string& path, const std::string& text) {
  // One write: cgroup files take each write as a command.
  const Fd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return fd && write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

}  // namespace oomwitness::live
