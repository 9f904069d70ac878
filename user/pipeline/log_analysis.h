// SPDX-License-Identifier: BSD-2-Clause
// Logs to the incidents that a user asked for.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>

#include "capture/log/pieces.h"
#include "diagnose/diagnose.h"
#include "kernlog/log_feed.h"
#include "kernlog/log_reader.h"
#include "pipeline/incident_stream.h"
#include "support/result.h"

namespace oomwitness {

// Ends included; ns since 1970.
struct TimeRange {
  std::optional<std::int64_t> since;
  std::optional<std::int64_t> until;
};

// The last incidents by their ids, which come from a report's text, its stamps and its host:
// kern.log and syslog give the same one. What one log tells again did happen again: the kernel may
// choose a task several times within a second.
class ToldIncidents {
 public:
  // `log`: counts the logs. False: another log has told it.
  bool first_told_by(std::uint64_t log, const std::string& id);

 private:
  static constexpr std::size_t kMost = 16'384;
  std::unordered_map<std::string, std::uint64_t> log_of_id_;
  std::deque<std::string> oldest_first_;
};

// A report of a log alone: what incident_from_report() makes of it, with what the names of its
// cgroups tell of units and containers.
Incident incident_of_log(LogReport report);

class LogAnalysis {
 public:
  using Sink = std::function<Status(const Incident&)>;

  LogAnalysis(LogReaderOptions reader, Wanted wanted, TimeRange range, Sink sink);
  LogAnalysis(const LogAnalysis&) = delete;
  LogAnalysis& operator=(const LogAnalysis&) = delete;
  LogAnalysis(LogAnalysis&&) = delete;
  LogAnalysis& operator=(LogAnalysis&&) = delete;
  ~LogAnalysis() = default;

  // Everything in `pieces`, up to the last line; a report may go on in the next call's.
  // `on_piece`: called now and then, to show how far it got.
  Status read(Pieces& pieces, const std::function<void()>& on_piece);
  // The same, then what is added, until the stream is told to stop. A report is complete when the
  // log stays silent for a second.
  Status follow(Pieces& pieces);

  // The next log goes on where the last ended, as the files of a rotated log do.
  void next_file() { feed_.next_file(); }
  // The log ends here: what is open is complete, and what comes is another log or lost its
  // beginning.
  Status end_log();

  // Enough incidents were found, or the sink failed.
  bool done() const { return failed_ || (wanted_.count && found_ >= *wanted_.count); }
  std::uint64_t found() const { return found_; }
  // Left out by a range of time because their log gives no date.
  std::uint64_t undated() const { return undated_; }
  // Told again by another log, and left out.
  std::uint64_t told_again() const { return told_again_; }
  std::uint64_t lines_cut() const { return feed_.lines_cut(); }
  std::uint64_t forged() const { return reader_.forged(); }

 private:
  // A report that stays silent for long enough is complete.
  Result<Wake> wait_for_more(Pieces& pieces);
  Status emit();
  bool in_range(const Incident& incident);

  LogReader reader_;
  LogFeed feed_;
  Wanted wanted_;
  TimeRange range_;
  Sink sink_;
  Diagnostician diagnose_;
  std::uint64_t found_ = 0;
  std::uint64_t undated_ = 0;
  ToldIncidents told_;
  std::uint64_t log_ = 0;
  std::uint64_t told_again_ = 0;
  bool failed_ = false;
};

}  // namespace oomwitness
