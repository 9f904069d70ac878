// SPDX-License-Identifier: BSD-2-Clause
// A run's memory as a chart, and as a small plot. Pure.
#pragma once

#include <string>

#include "run/run_record.h"
#include "sink/chart/chart.h"
#include "sink/report.h"

namespace oomwitness {

// Seconds since the command started and bytes, the limit over the run as a level, kills as marks;
// the caption without an id. No curves: there are no samples.
LineChart run_chart(const RunRecord& record);

// The headline and the plot, for a terminal.
std::string render_run_plot(const RunRecord& record, const ReportOptions& options);

}  // namespace oomwitness
