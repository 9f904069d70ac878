// SPDX-License-Identifier: BSD-2-Clause
// One `oomwitness run`: its verdict, its memory over time, its figures.
#include <fmt/format.h>

#include "run/run_json.h"
#include "sink/html/sections.h"
#include "sink/run_chart.h"
#include "sink/run_text.h"

namespace oomwitness {

void write_run(Markup& page, const RunRecord& record, std::size_t n) {
  page.element("h2", "The run");
  const char* const look = record.verdict == RunVerdict::kSuccess ? "verdict low" : "verdict high";
  page.open("div", {{"class", look}});
  page.open("p");
  page.element("b", run_headline(record));
  page.close();
  page.element("p", command_line(record.command), {{"class", "mono"}});
  page.close();
  LineChart chart = run_chart(record);
  page.element("h3", "Memory over time");
  if (chart.curves.empty()) {
    page.element("p", "Nothing could be sampled: no memory cgroup of its own was to be had.",
                 {{"class", "dim"}});
  } else {
    chart.caption.id = fmt::format("run{}", n + 1);
    write_figure(page, chart);
  }
  page.open("dl");
  for (const auto& [label, text] : run_facts(record)) {
    page.element("dt", label);
    page.element("dd", text);
  }
  page.close();
  RunRecord alone = record;  // its incidents stand below, each with its own record
  alone.incidents.clear();
  write_fold(page, "The run's record (JSON)", indented_json(to_json(alone)));
}

}  // namespace oomwitness
