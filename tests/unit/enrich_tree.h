// SPDX-License-Identifier: BSD-2-Clause
// A made tree: files written into a temporary folder that goes away with it.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "enrich/roots.h"

namespace oomwitness::test {

class MadeTree {
 public:
  MadeTree() {
    std::string pattern = (std::filesystem::temp_directory_path() / "ow-tree-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp " + pattern);
    folder_ = pattern;
  }
  ~MadeTree() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  MadeTree(const MadeTree&) = delete;
  MadeTree& operator=(const MadeTree&) = delete;

  Roots roots() const { return {folder_.string(), (folder_ / "proc").string()}; }
  std::filesystem::path path(const std::string& name) const { return folder_ / name; }

  void write(const std::string& name, std::string_view content) const {
    make_parent(name);
    std::ofstream(path(name), std::ios::binary)
        .write(content.data(), static_cast<std::streamsize>(content.size()));
  }
  void link(const std::string& name, const std::string& target) const {
    make_parent(name);
    std::filesystem::remove(path(name));
    std::filesystem::create_symlink(target, path(name));
  }
  void make_folder(const std::string& name) const {
    std::filesystem::create_directories(path(name));
  }

 private:
  void make_parent(const std::string& name) const {
    std::filesystem::create_directories(path(name).parent_path());
  }
  std::filesystem::path folder_;
};

struct MadeProcess {
  std::uint32_t pid = 0;
  std::uint32_t ppid = 1;
  std::string comm = "java";
  char state = 'S';
  std::uint64_t flags = 0x400000;
  std::uint64_t start_ticks = 5000;
  std::uint64_t arg_start = 0x7ffc0000;
  std::uint64_t arg_end = 0x7ffc0000;
  std::string cmdline;
  std::string exe = "/usr/bin/java";
  std::string cgroup = "0::/system.slice/web.service\n";
};

// The 52 fields of proc_pid_stat(5); those that no reader here uses are 0.
inline std::string stat_line(const MadeProcess& process) {
  std::string line = std::to_string(process.pid) + " (" + process.comm + ") " + process.state;
  for (int field = 4; field <= 52; ++field) {
    const std::uint64_t value = field == 4    ? process.ppid
                                : field == 9  ? process.flags
                                : field == 22 ? process.start_ticks
                                : field == 48 ? process.arg_start
                                : field == 49 ? process.arg_end
                                              : 0;
    line += " " + std::to_string(value);
  }
  return line + "\n";
}

inline void make_process(const MadeTree& tree, const MadeProcess& process) {
  const std::string folder = "proc/" + std::to_string(process.pid) + "/";
  tree.write(folder + "stat", stat_line(process));
  tree.write(folder + "status", "Name:\t" + process.comm + "\nPPid:\t1\nUid:\t1000\t1001\t0\t0\n");
  tree.write(folder + "cmdline", process.cmdline);
  tree.write(folder + "cgroup", process.cgroup);
  if (!process.exe.empty()) tree.link(folder + "exe", process.exe);
}

}  // namespace oomwitness::test
