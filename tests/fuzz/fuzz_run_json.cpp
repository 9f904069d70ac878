// SPDX-License-Identifier: BSD-2-Clause
// Any bytes as the record of a run: what is read must be written the same again and again; what a
// terminal, a CI system and a browser get of it holds no control byte.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "run/run_json.h"
#include "sink/github.h"
#include "sink/html/report_html.h"
#include "sink/junit.h"
#include "sink/run_chart.h"
#include "sink/run_text.h"

namespace oomwitness {
namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

void check_safe(const std::string& text) {
  check(std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<std::uint8_t>(c);
    return c == '\n' || (byte >= 0x20 && byte != 0x7f);
  }));
}

void fuzz(std::string_view bytes) {
  static_cast<void>(is_run_json(bytes));
  const auto run = run_from_json(bytes);
  if (!run) return;
  const std::string json = to_json(*run);
  check(is_run_json(json));
  check_safe(json);
  const auto again = run_from_json(json);
  check(again.has_value() && to_json(*again) == json);
  check_safe(render_run(*run, {.utf8 = false}));
  check_safe(render_run_plot(*run, {.utf8 = false}));
  check_safe(render_junit({*run, *again}));
  check_safe(render_github_annotations(*run));
  check_safe(render_github_summary(*run));
  HtmlReport page;
  page.runs = {*run, *again};
  const std::string html = render_html(page);
  check_safe(html);
  check(html.find("<script") == std::string::npos);
}

}  // namespace
}  // namespace oomwitness

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  oomwitness::fuzz({reinterpret_cast<const char*>(input), size});
  return 0;
}
