// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "pipeline/kernel_log.h"

namespace oomwitness {

// A log whose records are written into a pipe, one packet each, as /dev/kmsg gives them.
class MadeLog {
 public:
  MadeLog() {
    std::array<int, 2> ends{-1, -1};
    EXPECT_EQ(::pipe2(ends.data(), O_DIRECT | O_NONBLOCK | O_CLOEXEC), 0);
    writer_ = OwnedFd(ends[1]);
    log_.emplace(Kmsg(OwnedFd(ends[0]), ::read));
  }

  void write(const std::string& text, unsigned priority = 4) {
    const std::string record = std::to_string(priority) + "," + std::to_string(sequence_) + "," +
                               std::to_string(1000 * sequence_) + ",-;" + text + "\n";
    ++sequence_;
    ASSERT_EQ(::write(writer_.get(), record.data(), record.size()),
              static_cast<ssize_t>(record.size()));
  }
  // The stamp, ns, of the record with that number.
  static std::uint64_t stamp(std::uint64_t sequence) { return 1'000'000 * sequence; }
  std::uint64_t next() const { return sequence_; }
  void overwrite(std::uint64_t records) { sequence_ += records; }
  void kill(std::uint32_t pid, unsigned priority = 3) {
    write("Memory cgroup out of memory: Killed process " + std::to_string(pid) +
              " (hog) total-vm:62428kB, anon-rss:29696kB, file-rss:816kB, shmem-rss:0kB, UID:0 "
              "pgtables:108kB oom_score_adj:0",
          priority);
  }

  KernelLog& log() { return *log_; }
  KernelLog take_log() { return std::move(*log_); }

 private:
  OwnedFd writer_;
  std::optional<KernelLog> log_;
  std::uint64_t sequence_ = 0;
};

}  // namespace oomwitness
