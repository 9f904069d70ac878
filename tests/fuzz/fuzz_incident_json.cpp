// SPDX-License-Identifier: BSD-2-Clause
// Any bytes as an incident's JSON: what is read must be written the same again and again, and its
// report, its explanation, its plots and its page must not hold a control byte, whatever its
// numbers.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "diagnose/diagnose.h"
#include "incident/json.h"
#include "sink/explain.h"
#include "sink/html/report_html.h"
#include "sink/report.h"
#include "sink/text_overview.h"
#include "support/text.h"

namespace oomwitness {
namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

bool is_safe(char c) {
  const auto byte = static_cast<std::uint8_t>(c);
  return c == '\n' || (byte >= 0x20 && byte != 0x7f);
}

void fuzz_text(std::string_view bytes) {
  check(from_valid_utf8(to_valid_utf8(bytes)) == bytes);
  std::string raw(bytes);
  redact_argv_bytes(raw);
  check(raw.size() == bytes.size());
}

void fuzz_incident(std::string_view bytes) {
  const auto incident = incident_from_json(bytes);
  if (!incident) return;
  const std::string json = to_json(*incident);
  check(std::all_of(json.begin(), json.end(), is_safe));
  auto again = incident_from_json(json);
  check(again.has_value() && to_json(*again) == json);
  const std::string report = render_report(*again, {});
  check(std::all_of(report.begin(), report.end(), is_safe));
  const std::string told = render_explanation(*again, {});
  check(std::all_of(told.begin(), told.end(), is_safe));
  again->diagnosis = diagnose(*again);
  const std::string diagnosed = to_json(*again) + render_explanation(*again, {});
  check(std::all_of(diagnosed.begin(), diagnosed.end(), is_safe));
  const std::string plots = render_plots(*again, {.utf8 = false});
  check(std::all_of(plots.begin(), plots.end(), is_safe));
  HtmlReport page;
  page.tally.add(*again);
  page.incidents = {*again, *again};
  const std::string html = render_html(page);
  check(std::all_of(html.begin(), html.end(), is_safe));
  check(html.find("<script") == std::string::npos);
}

}  // namespace
}  // namespace oomwitness

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(input), size);
  oomwitness::fuzz_text(bytes);
  oomwitness::fuzz_incident(bytes);
  return 0;
}
