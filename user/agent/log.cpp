// SPDX-License-Identifier: BSD-2-Clause
#include "agent/log.h"

#include <unistd.h>

#include <string>

#include "support/text.h"

namespace oomwitness {
namespace {

std::string_view name_of(Severity severity) {
  switch (severity) {
    case Severity::kError: return "error: ";
    case Severity::kWarning: return "warning: ";
    case Severity::kNotice:
    case Severity::kInfo: break;
  }
  return "";
}

}  // namespace

void AgentLog::say(Severity severity, std::string_view text) const {
  std::string line = journal_ ? "<" + std::to_string(static_cast<int>(severity)) + ">"
                              : std::string(name_of(severity));
  std::string flat;
  for (const char byte : text) flat += byte == '\n' ? ',' : byte;
  line += escape_for_terminal(flat) + "\n";
  // Where stderr is gone there is nobody to tell. One write a line: lines of threads do not mix.
  [[maybe_unused]] const auto written = ::write(fd_, line.data(), line.size());
}

void AgentLog::say(Severity severity, const Error& error) const {
  say(severity,
      error.hint().empty() ? error.message() : error.message() + "; hint: " + error.hint());
}

}  // namespace oomwitness
