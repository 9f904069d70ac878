// SPDX-License-Identifier: BSD-2-Clause
// Blocking reads of lines from pipes, with a deadline that only stops a hanging test.
#pragma once

#include <unistd.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>

namespace oomwitness::live {

// Nothing is measured with it: a slow emulated guest must stay far below.
inline constexpr std::chrono::seconds kDeadline{180};
// For runs of hundreds of kills.
inline constexpr std::chrono::seconds kLongDeadline{1200};

class Fd {
 public:
  Fd() noexcept = default;
  explicit Fd(int fd) noexcept : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  void reset() noexcept {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

struct Pipe {
  Fd read_end;
  Fd write_end;
};
Pipe make_pipe();

enum class Fill { kMore, kEnd, kLate };

class LineReader {
 public:
  explicit LineReader(Fd fd) : fd_(std::move(fd)) {}

  // The next line without its newline; empty at the end of the stream or after the deadline.
  std::optional<std::string> line(std::chrono::seconds deadline = kDeadline);
  // The next line, if one is there already.
  std::optional<std::string> buffered();
  // Reads what there is, at most one chunk; waits for it until `until`.
  Fill fill(std::chrono::steady_clock::time_point until);
  int fd() const { return fd_.get(); }
  // What came after the last newline.
  const std::string& rest() const { return buffer_; }

 private:
  Fd fd_;
  std::string buffer_;
};

std::string read_file(const std::string& path);
// False, errno set, when it cannot be written.
bool write_file(const std::string& path, const std::string& text);

}  // namespace oomwitness::live
