// SPDX-License-Identifier: BSD-2-Clause
// Collects what libbpf prints while one of these is alive on this thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace oomwitness {

class LibbpfLog {
 public:
  // `echo` (may be empty) gets every line as it comes, debug lines included.
  explicit LibbpfLog(std::function<void(std::string_view)> echo);
  ~LibbpfLog();
  LibbpfLog(const LibbpfLog&) = delete;
  LibbpfLog& operator=(const LibbpfLog&) = delete;
  LibbpfLog(LibbpfLog&&) = delete;
  LibbpfLog& operator=(LibbpfLog&&) = delete;

  void clear();
  // The program that the last warnings are about; empty: they name none.
  const std::string& program() const noexcept { return program_; }
  // The first warning since clear(): the cause, not its consequences. One line.
  const std::string& cause() const noexcept { return cause_; }

  // Whether a line would go anywhere: formatting those that do not costs milliseconds of a load.
  bool wants(bool warning) const noexcept { return warning || echo_; }
  void add(bool warning, std::string_view line);

 private:
  std::function<void(std::string_view)> echo_;
  std::string program_;
  std::string cause_;
};

}  // namespace oomwitness
