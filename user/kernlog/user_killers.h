// SPDX-License-Identifier: BSD-2-Clause
// Kills that user space decided, out of the killers' own log lines: systemd-oomd, earlyoom, oomd,
// nohang, Android's low memory killers. Pure and streaming.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "assemble/observation.h"
#include "kernlog/killer_lines.h"

namespace oomwitness {

// Whether lines of that program can tell of a kill: syslog's identifier without its "[pid]", or
// "kernel".
bool is_user_killer(std::string_view program);

// One machine's log.
class UserKillers {
 public:
  // A line of `program`, as the log's prefix names it, without that prefix. Who logged it matters:
  // anyone can write these words. "kernel" is for what stands in the kernel's log, where oomd
  // writes through /dev/kmsg. `stamp` is when and where; a report begins as its copy.
  void line(const LogReport& stamp, std::string_view program, std::string_view text);

  // A line of somebody else's: time goes on.
  void pass(const LogReport& stamp);

  // The kills that are complete, oldest first; their `killer` is never "kernel".
  std::vector<LogReport> take();
  bool has_complete() const { return !done_.empty(); }

  // No kill is open that a further line could belong to.
  bool idle() const { return open_.empty(); }

  // The end of the log.
  void flush();

 private:
  void on(const LogReport& stamp, std::string_view killer, KillerEvent event);
  bool merge(const LogReport& stamp, std::string_view killer, const KillerEvent& event);
  LogReport* open_of(std::string_view killer);
  void close(LogReport* report);

  EarlyoomLines earlyoom_;
  NohangLines nohang_;
  std::vector<LogReport> open_;  // at most one of a killer
  std::size_t passed_ = 0;       // lines since the last of an open one
  std::vector<LogReport> done_;
};

}  // namespace oomwitness
