// SPDX-License-Identifier: BSD-2-Clause
// The sections of an HTML report, each written to the page.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "incident/incident.h"
#include "run/run_record.h"
#include "sink/chart/chart.h"
#include "sink/chart/markup.h"
#include "sink/layout.h"
#include "sink/tally.h"

namespace oomwitness {

// Blocks of the text report as headings, lists and tables.
void write_blocks(Markup& page, const std::vector<Block>& blocks);

// A chart in a figure, with its legend.
struct LegendEntry {
  std::string name;
  std::size_t colour = 0;
};
void write_figure(Markup& page, const LineChart& chart);
void write_figure(Markup& page, const StackedBar& chart, const std::vector<LegendEntry>& legend);

// Counts, the timeline of kills.
void write_overview(Markup& page, const Tally& tally);
// A row for each, oldest first; the n-th leads to anchor_of(n).
void write_list(Markup& page, const std::vector<Incident>& incidents);

enum class Detail { kFull, kBrief };
// One incident, folded unless `open`. `n` numbers it in the page.
void write_incident(Markup& page, const Incident& incident, std::size_t n, Detail detail,
                    bool open);
std::string anchor_of(std::size_t n);

// One run of a command; `n` numbers it in the page.
void write_run(Markup& page, const RunRecord& record, std::size_t n);

// A folded part of plain text; nothing without any.
void write_fold(Markup& page, std::string_view title, const std::string& text);

// Memory over time, with the limit and the kill marked, or how to have it next time.
void write_history(Markup& page, const Incident& incident, const std::string& id);
// Where the memory was, as one bar.
void write_parts(Markup& page, const Incident& incident, const std::string& id);

// JSON as people read it: a line for each member, short lists and objects on one.
std::string indented_json(std::string_view json);

}  // namespace oomwitness
