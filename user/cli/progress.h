// SPDX-License-Identifier: BSD-2-Clause
// How far a long reading has got, on a terminal, in one line that is overwritten.
#pragma once

#include <chrono>
#include <cstdint>

namespace oomwitness {

class Progress {
 public:
  using Clock = std::chrono::steady_clock;

  // Shows nothing unless `fd` is a terminal.
  Progress(int fd, std::uint64_t total_bytes);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  Progress(Progress&&) = delete;
  Progress& operator=(Progress&&) = delete;
  ~Progress() { clear(); }

  // Draws at most five times a second, and not in the first second.
  void show(std::uint64_t bytes, std::uint64_t found);
  // Before anything else is written.
  void clear();

 private:
  int fd_;
  bool on_;
  bool drawn_ = false;
  std::uint64_t total_bytes_;
  Clock::time_point began_;
  Clock::time_point next_;
};

}  // namespace oomwitness
