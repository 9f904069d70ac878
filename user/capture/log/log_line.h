// SPDX-License-Identifier: BSD-2-Clause
// Records of the kernel's buffer and of the journal as lines of a log, as rsyslog writes them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace oomwitness {

struct LogRecord {
  std::int64_t unix_ns = 0;
  std::string_view host;
  std::string_view tag;                       // "kernel", "systemd-oomd[512]"
  std::optional<std::uint64_t> monotonic_ns;  // the kernel's own stamp
  std::string_view text;                      // a line each, if it has several
};

// "2026-11-25T13:00:00.123456Z web1 kernel: [ 1234.567890] text\n"
void append_line(std::string& out, const LogRecord& record);

// Lines that wait for room.
class LineQueue {
 public:
  std::string& lines() { return lines_; }
  bool empty() const { return begin_ == lines_.size(); }

  std::size_t take(std::span<char> room) {
    const std::size_t size = std::min(room.size(), lines_.size() - begin_);
    std::copy_n(lines_.data() + begin_, size, room.data());
    begin_ += size;
    if (empty()) {
      lines_.clear();
      begin_ = 0;
    }
    return size;
  }

 private:
  std::string lines_;
  std::size_t begin_ = 0;
};

}  // namespace oomwitness
