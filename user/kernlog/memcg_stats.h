// SPDX-License-Identifier: BSD-2-Clause
// The statistics of the cgroup whose limit was hit (mem_cgroup_print_oom_meminfo, mm/memcontrol.c).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "incident/incident.h"
#include "incident/memcg_stat.h"

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
  std::map<std::string, std::uint64_t> sizes() const;

 private:
  // The place of a name in kMemcgSizes; its size: it is none of them.
  std::size_t place_of(std::string_view name);

  std::string path_;
  std::array<Opt<std::uint64_t>, kMemcgSizes.size()> sizes_;
  std::size_t next_ = 0;  // behind the last name that was found: the kernel's order is the same
  bool open_ = false;
};

}  // namespace oomwitness
