// SPDX-License-Identifier: BSD-2-Clause
// The files of a rotated log as one log: a report may begin in one and end in the next.
#pragma once

#include "capture/log/rotation.h"
#include "support/result.h"

namespace oomwitness {

// `reader`: a LogAnalysis, or what has its next_file(), end_log() and done(). `read`: opens the
// file of a path and reads it. `keep`: is told how each step went; a file that cannot be read does
// not keep the others from being read.
template <typename Reader, typename Read, typename Keep>
void read_log_set(const LogSet& set, Reader& reader, const Read& read, const Keep& keep) {
  bool broken = true;  // the first goes on where nothing ended
  for (const LogSetMember& member : set) {
    if (reader.done()) return;
    if (broken || member.after_gap) {
      keep(reader.end_log());
    } else {
      reader.next_file();
    }
    const Status status = read(member.path);
    broken = !status;
    keep(status);
  }
  keep(reader.end_log());
}

}  // namespace oomwitness
