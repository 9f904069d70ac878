// SPDX-License-Identifier: BSD-2-Clause
#include "cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <string>

#include "cli/terminal.h"
#include "support/text.h"

namespace oomwitness {
namespace {

using namespace std::chrono_literals;

void draw(int fd, const std::string& text) {
  // Where the terminal is gone nobody misses it.
  [[maybe_unused]] const auto written = write_all(fd, text);
}

}  // namespace

Progress::Progress(int fd, std::uint64_t total_bytes)
    : fd_(fd),
      on_(::isatty(fd) == 1),
      total_bytes_(total_bytes),
      began_(Clock::now()),
      next_(began_ + 1s) {}

void Progress::show(std::uint64_t bytes, std::uint64_t found) {
  if (!on_) return;
  const auto now = Clock::now();
  if (now < next_) return;
  next_ = now + 200ms;
  std::string text = "\r\033[K";
  if (total_bytes_ > 0) {
    text += std::to_string(std::min<std::uint64_t>(100, bytes * 100 / total_bytes_)) + " %, ";
  }
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now - began_).count();
  text += human_size(bytes) + ", " +
          human_size(bytes * 1000 / static_cast<std::uint64_t>(std::max<std::int64_t>(ms, 1))) +
          "/s, " + thousands(found) + (found == 1 ? " kill" : " kills");
  draw(fd_, text);
  drawn_ = true;
}

void Progress::clear() {
  if (drawn_) draw(fd_, "\r\033[K");
  drawn_ = false;
}

}  // namespace oomwitness
