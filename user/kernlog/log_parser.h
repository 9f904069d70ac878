// SPDX-License-Identifier: BSD-2-Clause
// The text of the kernel's log in, one LogReport for each OOM kill out. Pure.
//
// The kernel writes a report under oom_lock, so reports never mix with each other, only with
// lines that are none of theirs. The head of a report is rate-limited (10 in 5 s), its kill line
// never: a kill line without a head is a report too. Kernels 5.0 to 7.x.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "assemble/observation.h"

namespace oomwitness {

class OpenReport;

class LogParser {
 public:
  LogParser();
  LogParser(const LogParser&) = delete;
  LogParser& operator=(const LogParser&) = delete;
  LogParser(LogParser&&) noexcept;
  LogParser& operator=(LogParser&&) noexcept;
  ~LogParser();

  // One message, without the log's prefixes and escapes; it may hold newlines.
  void line(std::uint64_t at_ns, std::string_view text);

  // The reports that are complete, oldest first. A report is complete when the next one begins,
  // or with flush().
  std::vector<LogReport> take();

  // The open report has its outcome, and only more victims of its group or the reaper could still
  // add to it: a live reader calls flush() when the log stays silent for some 20 ms.
  bool settled() const;

  // Nothing more belongs to the open report; to be called where messages were lost, too. What
  // comes of it nevertheless (a group told slowly) makes a report of its own, to join by its pids.
  void flush();

 private:
  template <typename Seen>
  void on(std::uint64_t at_ns, const Seen& seen);

  std::unique_ptr<OpenReport> open_;  // null: none
  std::vector<LogReport> done_;
};

}  // namespace oomwitness
