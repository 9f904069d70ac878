// SPDX-License-Identifier: BSD-2-Clause
#include "cgroup.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace oomwitness::bench {
namespace {

constexpr const char* kV2 = "/sys/fs/cgroup";
constexpr const char* kV1 = "/sys/fs/cgroup/memory";

}  // namespace

void die(const std::string& what) {
  std::fprintf(stderr, "bench: %s: %s\n", what.c_str(), std::strerror(errno));
  std::exit(1);
}

std::string read_file(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return "";
  std::string text;
  std::array<char, 4096> chunk{};
  for (ssize_t got = 0; (got = read(fd, chunk.data(), chunk.size())) > 0;)
    text.append(chunk.data(), static_cast<std::size_t>(got));
  close(fd);
  return text;
}

bool write_file(const std::string& path, const std::string& text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool done = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  close(fd);
  return done;
}

bool Cgroup::is_v2() {
  return access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
}

Cgroup::Cgroup(const std::string& name)
    : path_("/" + name + "-" + std::to_string(getpid())),
      dir_(std::string(is_v2() ? kV2 : kV1) + path_) {
  if (mkdir(dir_.c_str(), 0755) != 0) die("mkdir " + dir_);
}

Cgroup::~Cgroup() {
  // Busy for a moment after the last process is reaped, and nothing tells when that is over.
  for (int tries = 0; rmdir(dir_.c_str()) != 0 && errno == EBUSY && tries < 500; ++tries)
    poll(nullptr, 0, 10);
}

void Cgroup::limit(std::uint64_t bytes) const {
  const std::string file = dir_ + (is_v2() ? "/memory.max" : "/memory.limit_in_bytes");
  if (!write_file(file, std::to_string(bytes))) die(file);
  // Where the kernel accounts swap; the guests have none.
  write_file(dir_ + (is_v2() ? "/memory.swap.max" : "/memory.swappiness"), "0");
}

std::uint64_t Cgroup::usage() const {
  const std::string file = dir_ + (is_v2() ? "/memory.current" : "/memory.usage_in_bytes");
  return std::strtoull(read_file(file).c_str(), nullptr, 10);
}

}  // namespace oomwitness::bench
