// SPDX-License-Identifier: BSD-2-Clause
// The kernel's log, live, as observations: what stands in for the decision hook where there is
// none.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "assemble/observation.h"
#include "capture/kmsg.h"
#include "kernlog/log_parser.h"
#include "support/result.h"

namespace oomwitness {

class KernelLog {
 public:
  static Result<KernelLog> open(const std::string& path);

  int fd() const { return kmsg_.fd(); }
  // Reads what the log has. Reports without victims (no killable task, panic) are left out: no
  // kill happened, and a cgroup of unkillable tasks repeats them hundreds of times a second.
  // A group that the kernel is still telling about comes in several reports, to join by pids.
  Result<std::vector<Observation>> read();
  std::uint64_t lost() const { return kmsg_.lost(); }

 private:
  explicit KernelLog(Kmsg kmsg) : kmsg_(std::move(kmsg)) {}

  Kmsg kmsg_;
  LogParser parser_;
  std::uint64_t lost_ = 0;
};

}  // namespace oomwitness
