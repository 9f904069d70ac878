// SPDX-License-Identifier: BSD-2-Clause
// The text of one kernel's log in, one LogReport for each OOM kill out. Pure.
//
// The kernel writes a report under oom_lock, so reports never mix with each other, only with
// lines that are none of theirs. The head of a report is rate-limited (10 in 5 s), its kill line
// never: a kill line without a head is a report too. Kernels 2.6.8 to 7.x.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "assemble/observation.h"
#include "kernlog/open_report.h"

namespace oomwitness {

class LogParser {
 public:
  // One message, without the log's prefixes and escapes; it may hold newlines. `at_ns`: since boot.
  void line(std::uint64_t at_ns, std::string_view text) { message({.at_ns = at_ns}, text, {}); }

  // The same with all that a log file may know of it. `caller`: "T123" or "C0", where the log shows
  // who printed (CONFIG_PRINTK_CALLER); empty: not shown.
  void message(const LineTime& at, std::string_view text, std::string_view caller);

  // The reports that are complete, oldest first. A report is complete when the next one begins,
  // with flush(), or when the log has long gone on to other things.
  std::vector<LogReport> take();
  bool has_complete() const { return !done_.empty(); }

  // The open report has its outcome, and only more victims of its group or the reaper could still
  // add to it: a live reader calls flush() when the log stays silent for some 20 ms.
  bool settled() const { return report_.settled(); }

  // No report is open.
  bool idle() const { return !report_.begun(); }

  // Nothing more belongs to the open report; to be called where messages were lost, too. What
  // comes of it nevertheless (a group told slowly) makes a report of its own, to join by its pids.
  void flush();

  const OpenReport& report() const { return report_; }

 private:
  void part(const LineTime& at, std::string_view text, std::string_view caller);
  template <typename Seen>
  bool on(const LineTime& at, const Seen& seen);
  bool is_of_another(std::string_view caller, const Line& line) const;
  void unrelated(const LineTime& at);

  OpenReport report_;
  std::string caller_;         // of the open report's first line
  std::size_t unrelated_ = 0;  // lines since its last
  LineTime last_;              // when that was
  std::vector<LogReport> done_;
};

}  // namespace oomwitness
