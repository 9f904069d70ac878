// SPDX-License-Identifier: BSD-2-Clause
#include "run/own_cgroup.h"

#include <fcntl.h>

#include <utility>

#include "enrich/bounded_read.h"
#include "enrich/text_scan.h"

namespace oomwitness {
namespace {

bool has_memory(std::string_view controllers) {
  while (!controllers.empty())
    if (next_piece(controllers, ',') == "memory") return true;
  return false;
}

// The folder of `path` below a mount whose top is the cgroup `root`.
Result<std::string> folder_of(const MemcgMount& mount, std::string_view path) {
  std::string_view inside = path;
  if (mount.root != "/" &&
      (!eat_prefix(inside, mount.root) || (!inside.empty() && inside.front() != '/')))
    return fail("the mount of the memory cgroups begins at " + mount.root + " and does not show " +
                std::string(path));
  // "/..": outside this cgroup namespace (cgroup_namespaces(7)).
  if (inside.starts_with("/.."))
    return fail("the cgroup " + std::string(path) + " is outside this cgroup namespace");
  while (!inside.empty() && inside.front() == '/') inside.remove_prefix(1);
  return inside.empty() ? mount.folder : Roots::join(mount.folder, inside);
}

}  // namespace

Result<std::string> memcg_path_of(std::string_view proc_cgroup, bool v1) {
  while (!proc_cgroup.empty()) {
    // "4:memory:/a", "0::/a"; a path may hold colons.
    std::string_view line = next_piece(proc_cgroup, '\n');
    const std::string_view hierarchy = next_piece(line, ':');
    const std::string_view controllers = next_piece(line, ':');
    if (v1 ? has_memory(controllers) : hierarchy == "0" && controllers.empty())
      return std::string(line);
  }
  return fail("/proc/self/cgroup names no memory cgroup");
}

Result<OwnCgroup> find_own_cgroup(const Roots& roots) {
  TRY(const auto mounts,
      read_at_most(AT_FDCWD, roots.under_proc("self/mountinfo"), kMaxStateFileBytes));
  TRY(const auto mount, find_memcg_mount(mounts.content));
  TRY(const auto cgroups,
      read_at_most(AT_FDCWD, roots.under_proc("self/cgroup"), kMaxStateFileBytes));
  TRY(auto path, memcg_path_of(cgroups.content, mount.v1));
  TRY(auto folder, folder_of(mount, path));
  const bool local = mounts.content.find("memory_localevents") != std::string::npos;
  return OwnCgroup{.layout = {.v1 = mount.v1, .local_counts = mount.v1 || local},
                   .path = std::move(path),
                   .folder = roots.under_root(folder),
                   .top = roots.under_root(mount.folder),
                   .top_path = mount.root};
}

}  // namespace oomwitness
