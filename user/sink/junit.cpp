// SPDX-License-Identifier: BSD-2-Clause
#include "sink/junit.h"

#include <fmt/format.h>

#include "sink/run_text.h"
#include "support/text.h"

namespace oomwitness {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::size_t kReports = 10;

std::string seconds(const RunRecord& run) {
  return fmt::format("{:.3f}", static_cast<double>(run.usage.wall_ns.value_or(0)) / 1e9);
}

std::string_view failure_type(RunVerdict verdict) {
  switch (verdict) {
    case RunVerdict::kOom: return "oom";
    case RunVerdict::kTimeout: return "timeout";
    case RunVerdict::kSignal: return "signal";
    case RunVerdict::kFailure: return "failure";
    case RunVerdict::kNotRun: return "not-run";
    case RunVerdict::kSuccess: break;
  }
  return "success";
}

bool is_failure(const RunRecord& run) {
  // An OOM kill that is allowed leaves the command's own end.
  return run.verdict != RunVerdict::kSuccess && run.verdict != RunVerdict::kNotRun &&
         run.exit_code != 0;
}

std::string long_text(const RunRecord& run) {
  std::string text = run_headline(run) + "\n";
  for (const auto& [label, fact] : run_facts(run)) text += fmt::format("{:<9} {}\n", label, fact);
  for (std::size_t at = 0; at < run.incidents.size() && at < kReports; ++at)
    text += "\n" + render_report(run.incidents[at], {});
  return text;
}

std::string render_case(const RunRecord& run) {
  std::string xml =
      fmt::format("    <testcase classname=\"oomwitness.run\" name=\"{}\" time=\"{}\"",
                  xml_text(command_line(run.command)), seconds(run));
  const bool failed = is_failure(run);
  if (!failed && run.verdict != RunVerdict::kNotRun) {
    xml += fmt::format(">\n      <system-out>{}</system-out>\n", xml_text(long_text(run)));
    return xml + "    </testcase>\n";
  }
  const std::string_view element = failed ? "failure" : "error";
  xml += fmt::format(">\n      <{} type=\"{}\" message=\"{}\">{}</{}>\n", element,
                     failure_type(run.verdict), xml_text(run_headline(run)),
                     xml_text(long_text(run)), element);
  return xml + "    </testcase>\n";
}

}  // namespace

std::string xml_text(std::string_view bytes) {
  std::string xml;
  const std::string valid = to_valid_utf8(bytes);
  for (std::size_t at = 0; at < valid.size(); ++at) {
    const char byte = valid[at];
    const std::string_view rest = std::string_view(valid).substr(at);
    // U+FFFE and U+FFFF are valid UTF-8 and no XML (Char, XML 1.0 section 2.2).
    const bool no_character = rest.starts_with("\xEF\xBF\xBE") || rest.starts_with("\xEF\xBF\xBF");
    const bool control = static_cast<unsigned char>(byte) < 0x20 &&
                         std::string_view("\t\n\r").find(byte) == std::string_view::npos;
    if (no_character || control) {
      xml += kReplacement;
      at += no_character ? 2 : 0;
      continue;
    }
    switch (byte) {
      case '&': xml += "&amp;"; break;
      case '<': xml += "&lt;"; break;
      case '>': xml += "&gt;"; break;
      case '"': xml += "&quot;"; break;
      case '\r': xml += "&#13;"; break;
      default: xml += byte;
    }
  }
  return xml;
}

std::string render_junit(const std::vector<RunRecord>& runs) {
  std::size_t failures = 0;
  std::size_t errors = 0;
  double time = 0;
  std::string cases;
  for (const RunRecord& run : runs) {
    failures += is_failure(run) ? 1U : 0U;
    errors += run.verdict == RunVerdict::kNotRun ? 1U : 0U;
    time += static_cast<double>(run.usage.wall_ns.value_or(0)) / 1e9;
    cases += render_case(run);
  }
  const std::string counts =
      fmt::format("tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{:.3f}\"", runs.size(),
                  failures, errors, time);
  std::string xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  xml += fmt::format("<testsuites {}>\n  <testsuite name=\"oomwitness run\" {} skipped=\"0\"",
                     counts, counts);
  if (!runs.empty() && runs.front().started_unix_ns != 0)
    // The schema's dateTime, without a zone as JUnit has it: UTC.
    xml += fmt::format(" timestamp=\"{}\"",
                       rfc3339_utc(runs.front().started_unix_ns, 0).substr(0, 19));
  if (!runs.empty() && !runs.front().host.name.empty())
    xml += fmt::format(" hostname=\"{}\"", xml_text(runs.front().host.name));
  return xml + ">\n" + cases + "  </testsuite>\n</testsuites>\n";
}

}  // namespace oomwitness
