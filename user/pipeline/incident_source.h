// SPDX-License-Identifier: BSD-2-Clause
// Incidents out of a file of any kind: JSON lines of incidents or runs, or a kernel log.
#pragma once

#include <cstdint>
#include <functional>

#include "capture/log/pieces.h"
#include "incident/incident.h"
#include "kernlog/log_reader.h"
#include "run/run_record.h"
#include "support/result.h"

namespace oomwitness {

// Gives every incident of `pieces`, oldest first, with a diagnosis made here: what a file says of
// its own incidents is not taken over. Errors: those of reading, of a line that is no incident
// (with its number), of the sink.
// Those of a run record are given too.
Status read_incidents(Pieces& pieces, const LogReaderOptions& log,
                      const std::function<Status(const Incident&)>& sink);

// The same; run records, the way `oomwitness run --json` writes them, are given after their
// incidents.
Status read_records(Pieces& pieces, const LogReaderOptions& log,
                    const std::function<Status(const Incident&)>& sink,
                    const std::function<Status(const RunRecord&)>& runs);

}  // namespace oomwitness
