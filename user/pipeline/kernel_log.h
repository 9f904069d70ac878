// SPDX-License-Identifier: BSD-2-Clause
// The kernel's log, live, as observations: what stands in for the decision hook where there is
// none, and what tells of the kills before the watch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "assemble/observation.h"
#include "capture/kmsg.h"
#include "kernlog/log_parser.h"
#include "support/result.h"

namespace oomwitness {

class KernelLog {
 public:
  explicit KernelLog(Kmsg kmsg) : kmsg_(std::move(kmsg)) {}
  static Result<KernelLog> open(const std::string& path, Kmsg::From from = Kmsg::From::kNow);

  // See Kmsg::begin_at.
  void begin_at(std::uint64_t sequence) { kmsg_.begin_at(sequence); }

  int fd() const { return kmsg_.fd(); }
  // Reads what the log has. Reports without victims (no killable task, panic) are left out: no
  // kill happened, and a cgroup of unkillable tasks repeats them hundreds of times a second.
  // A group that the kernel is still telling about comes in several reports, to join by pids.
  Result<std::vector<Observation>> read();
  // The same for everything that stands in the log now. What is still being told is left for
  // read().
  Result<std::vector<Observation>> read_backlog();

  // The number of the next message; absent: nothing has been read.
  std::optional<std::uint64_t> next() const { return kmsg_.next(); }
  // No report is still being told.
  bool idle() const { return parser_.idle(); }

  std::uint64_t lost() const { return kmsg_.lost(); }
  // Messages that look like the kernel's words on a kill and were written by user space; none of
  // them counts.
  std::uint64_t forged() const { return forged_; }
  // The oldest messages since boot have been overwritten. After read_backlog().
  bool begins_late() const { return kmsg_.first().value_or(0) != 0; }

 private:
  Status drain();
  std::vector<Observation> take(bool from_backlog);

  Kmsg kmsg_;
  LogParser parser_;
  std::uint64_t lost_ = 0;
  std::uint64_t forged_ = 0;
};

}  // namespace oomwitness
