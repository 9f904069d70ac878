// SPDX-License-Identifier: BSD-2-Clause
#include "sink/github.h"

#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "sink/run_text.h"
#include "support/text.h"

namespace oomwitness {
namespace {

constexpr std::size_t kAnnotations = 10;  // GitHub shows no more of a step
constexpr std::size_t kReports = 10;

std::string escaped(std::string_view text, std::string_view special) {
  std::string out;
  for (const char byte : text) {
    if (special.find(byte) == std::string_view::npos)
      out += byte;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(byte));
  }
  return out;
}

// What a workflow command's text, and a property's value, cannot hold (actions/toolkit,
// command.ts).
std::string command_text(std::string_view text) {
  return escaped(text, "%\r\n");
}
std::string property(std::string_view text) {
  return escaped(text, "%\r\n:,");
}

std::string annotation(std::string_view level, std::string_view title, std::string_view text) {
  return fmt::format("::{} title={}::{}\n", level, property(title), command_text(text));
}

std::string_view title_of(RunVerdict verdict) {
  switch (verdict) {
    case RunVerdict::kOom: return "OOM kill";
    case RunVerdict::kTimeout: return "Timeout";
    case RunVerdict::kSignal: return "Killed by a signal";
    case RunVerdict::kFailure: return "Command failed";
    case RunVerdict::kNotRun: return "Could not be run";
    case RunVerdict::kSuccess: break;
  }
  return "Success";
}

// Nothing in it is Markdown or HTML any more: every ASCII character that is neither a letter, a
// digit nor a blank becomes a reference.
std::string inert(std::string_view text) {
  constexpr std::string_view kPlain = " .,;()/-";
  std::string out;
  for (const char byte : text) {
    const auto code = static_cast<unsigned char>(byte);
    const bool letter = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                        (byte >= 'a' && byte <= 'z') || code >= 0x80;
    if (letter || kPlain.find(byte) != std::string_view::npos)
      out += byte;
    else
      out += fmt::format("&#{};", code);
  }
  return out;
}

std::string html_text(std::string_view text) {
  std::string out;
  for (const char byte : text) {
    if (byte == '&')
      out += "&amp;";
    else if (byte == '<')
      out += "&lt;";
    else if (byte == '>')
      out += "&gt;";
    else
      out += byte;
  }
  return out;
}

}  // namespace

std::string render_github_annotations(const RunRecord& record) {
  if (record.verdict == RunVerdict::kSuccess) return "";
  const std::string_view level = record.exit_code == 0 ? "warning" : "error";
  std::string out = annotation(level, title_of(record.verdict), run_headline(record));
  std::size_t written = 1;
  for (const Incident& incident : record.incidents) {
    if (!incident.diagnosis || written++ >= kAnnotations) break;
    std::string text = safe_sentence(incident.diagnosis->summary);
    for (const std::string& advice : incident.diagnosis->advice)
      text += "\n- " + safe_sentence(advice);
    out += annotation("notice", "OOM kill: why, and what to do", text);
  }
  return out;
}

std::string render_github_summary(const RunRecord& record) {
  std::string out = fmt::format("### {}\n\n{}\n\n| | |\n|---|---|\n", title_of(record.verdict),
                                inert(run_headline(record)));
  out += fmt::format("| command | {} |\n", inert(command_line(record.command)));
  out += fmt::format("| exit code | {} |\n", record.exit_code);
  for (const auto& [label, fact] : run_facts(record))
    out += fmt::format("| {} | {} |\n", label, inert(fact));
  for (std::size_t at = 0; at < record.incidents.size() && at < kReports; ++at) {
    // A report has no line that could end the block: "<" is never written as itself.
    out +=
        fmt::format("\n<details><summary>Incident {}</summary>\n\n<pre>\n{}</pre>\n\n</details>\n",
                    at + 1, html_text(render_report(record.incidents[at], {})));
  }
  return out + "\n";
}

}  // namespace oomwitness
