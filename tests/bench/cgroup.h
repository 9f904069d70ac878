// SPDX-License-Identifier: BSD-2-Clause
// A throw-away memory cgroup, version 1 or 2, and small files read and written.
#pragma once

#include <cstdint>
#include <string>

namespace oomwitness::bench {

[[noreturn]] void die(const std::string& what);  // with errno's text

std::string read_file(const std::string& path);  // "" when it cannot be read
bool write_file(const std::string& path, const std::string& text);

inline constexpr std::uint64_t kMiB = 1024UL * 1024;

class Cgroup {
 public:
  explicit Cgroup(const std::string& name);
  Cgroup(const Cgroup&) = delete;
  Cgroup& operator=(const Cgroup&) = delete;
  Cgroup(Cgroup&&) = delete;
  Cgroup& operator=(Cgroup&&) = delete;
  ~Cgroup();  // the processes in it must be reaped

  static bool is_v2();
  const std::string& dir() const { return dir_; }
  // As the kernel names it, from the root of its hierarchy.
  const std::string& path() const { return path_; }
  void limit(std::uint64_t bytes) const;
  std::uint64_t usage() const;

 private:
  std::string path_;
  std::string dir_;
};

}  // namespace oomwitness::bench
