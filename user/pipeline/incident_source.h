// SPDX-License-Identifier: BSD-2-Clause
// Incidents out of files of any kind: JSON lines of incidents or runs, or kernel logs.
#pragma once

#include <functional>
#include <utility>

#include "capture/log/pieces.h"
#include "incident/incident.h"
#include "kernlog/log_reader.h"
#include "pipeline/log_analysis.h"
#include "run/run_record.h"
#include "support/result.h"

namespace oomwitness {

// Gives every incident of what is read, oldest first, with a diagnosis made here: what a file says
// of its own incidents is not taken over. Those of a run record, the way `oomwitness run --json`
// writes it, are given before it.
class IncidentSource {
 public:
  using Runs = std::function<Status(const RunRecord&)>;

  IncidentSource(LogReaderOptions log, LogAnalysis::Sink sink, Runs runs)
      : sink_(sink), runs_(std::move(runs)), analysis_(std::move(log), {}, {}, std::move(sink)) {}

  // Errors: those of reading, of a line that is no incident (with its number), of the sink. The
  // rest as LogAnalysis: a report may go on in the next file of a log.
  Status read(Pieces& pieces);
  void next_file() { analysis_.next_file(); }
  Status end_log() { return analysis_.end_log(); }
  bool done() const { return analysis_.done(); }

 private:
  LogAnalysis::Sink sink_;
  Runs runs_;
  LogAnalysis analysis_;
};

// All of one file.
Status read_incidents(Pieces& pieces, const LogReaderOptions& log, const LogAnalysis::Sink& sink);

}  // namespace oomwitness
