// SPDX-License-Identifier: BSD-2-Clause
// Provoked kills, and the incidents that come of them.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "cgroup.h"
#include "child.h"

namespace oomwitness::bench {

inline constexpr const char* kHogName = "bench-hog";

// The program's other half, run as `bench-hog SERIAL [FD]`: takes memory until it is killed. With
// FD, of a shared page, it leaves there the time before each page that it takes.
[[noreturn]] void hog_main(int shared_fd);

// A hog in the cgroup, exec'd with its serial number as an argument.
pid_t start_hog(const Cgroup& cgroup, int serial, int shared_fd = -1);
// Dies when it ended by anything but SIGKILL.
void reap_killed(pid_t pid);
void kill_one(const Cgroup& cgroup, int serial);

// A process in the cgroup that runs `body`, which must not return.
pid_t fork_into(const Cgroup& cgroup, const std::function<void()>& body);

struct Line {
  std::int64_t arrived_ns = 0;
  std::string text;
};

// Reads lines as they come, on a thread of its own.
class LineReader {
 public:
  explicit LineReader(int fd);
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;
  LineReader(LineReader&&) = delete;
  LineReader& operator=(LineReader&&) = delete;
  ~LineReader();  // the writer must have ended

  // Waits for so many; false when they do not come within `seconds`.
  bool wait_for(std::size_t count, int seconds);
  // All of them, when the writer has ended.
  std::vector<Line> rest();

 private:
  void run();

  int fd_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Line> lines_;
  std::thread thread_;
};

}  // namespace oomwitness::bench
