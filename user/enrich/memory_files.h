// SPDX-License-Identifier: BSD-2-Clause
// Memory figures that only user space can read, some time after the kill.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "enrich/roots.h"
#include "support/result.h"

namespace oomwitness {

using ByteCounts = std::map<std::string, std::uint64_t>;

struct MemcgMount {
  std::string folder;  // mount point
  std::string root;    // the cgroup that the mount shows as its top
  bool v1 = false;
};

// The mount that has the memory controller's files, out of /proc/PID/mountinfo: a v1 hierarchy
// with the controller, else cgroup2.
Result<MemcgMount> find_memcg_mount(std::string_view mountinfo);

// The entries of memory.stat that are sizes. cgroup v1 counts the cgroup alone under the plain
// names and its whole subtree, as its limit does and as v2 always does, under "total_" ones: those
// are taken, with the prefix dropped.
ByteCounts parse_memory_stat(std::string_view text, bool v1);

// The entries of /proc/meminfo that have a unit, in bytes.
ByteCounts parse_meminfo(std::string_view text);

// The number behind `key` in a flat keyed file ("oom_kill 3\n").
std::optional<std::uint64_t> keyed_number(std::string_view text, std::string_view key);

struct MemcgFolder {
  std::string path;
  bool v1 = false;
};

// Where the files of a memory cgroup are. `memcg_path`: from the hierarchy's root, "/a/b". Errors:
// it is no such path, or what is mounted here does not show it.
Result<MemcgFolder> find_memcg_folder(const Roots& roots, std::string_view memcg_path);

// `memcg_path` as above.
Result<ByteCounts> read_memcg_stat(const Roots& roots, std::string_view memcg_path);
Result<ByteCounts> read_meminfo(const Roots& roots);

}  // namespace oomwitness
