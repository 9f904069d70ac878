// SPDX-License-Identifier: BSD-2-Clause
// The statistics of the cgroup whose limit was hit (mem_cgroup_print_oom_meminfo, mm/memcontrol.c).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace oomwitness {

class MemcgStats {
 public:
  // "Memory cgroup stats for PATH": its figures are in the same line to 5.2, then in the lines that
  // follow. Those of a cgroup below come behind those of the limit (a tree walk), and are left out.
  void begin(std::string_view path, std::string_view same_line);

  // "anon 42897408": bytes. False: the line is none of them.
  bool add(std::string_view text);

  // Other lines of the report follow.
  void end() { open_ = false; }
  bool open() const { return open_; }

  // Empty: none were shown.
  const std::string& path() const { return path_; }
  const std::map<std::string, std::uint64_t>& sizes() const { return sizes_; }

 private:
  std::string path_;
  std::map<std::string, std::uint64_t> sizes_;
  bool open_ = false;
};

}  // namespace oomwitness
