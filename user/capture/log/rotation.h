// SPDX-License-Identifier: BSD-2-Clause
// Which files are one log that was rotated (logrotate(8)), oldest first. Pure: names only.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace oomwitness {

struct LogSetMember {
  std::string path;
  // The member that should come before is not among the names: kern.log.3 before kern.log.1.
  bool after_gap = false;
};

// "kern.log", "kern.log.1", "kern.log.2.gz": one log in three files.
using LogSet = std::vector<LogSetMember>;

// Understood: NAME.1, NAME.2.gz (higher is older), NAME-20261101, NAME-20261101.xz,
// NAME-2026110112, NAME.20261101, NAME-1793491200 (later is younger), and the same before ".log"
// (NAME.1.log, NAME-20261101.log); NAME itself is the youngest. Sets come in the order of their
// first file in `paths`. A file given twice is read once.
std::vector<LogSet> sort_rotated(std::span<const std::string> paths);

}  // namespace oomwitness
