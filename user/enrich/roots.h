// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string>
#include <string_view>

namespace oomwitness {

// Where the readers find the host. A container that mounts the host's files elsewhere names those
// places here; tests name made trees.
struct Roots {
  std::string root = "/";      // holds etc, var, run, sys
  std::string proc = "/proc";  // a procfs mount

  // `path` is relative: "etc/passwd".
  std::string under_root(std::string_view path) const { return join(root, path); }
  std::string under_proc(std::string_view path) const { return join(proc, path); }

  static std::string join(std::string_view folder, std::string_view path) {
    std::string joined(folder);
    if (joined.empty() || joined.back() != '/') joined += '/';
    while (!path.empty() && path.front() == '/') path.remove_prefix(1);
    return joined.append(path);
  }
};

}  // namespace oomwitness
