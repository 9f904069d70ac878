// SPDX-License-Identifier: BSD-2-Clause
// The agent's own words, on stderr: for the journal with sd-daemon(3)'s prefixes, else for people.
#pragma once

#include <string_view>

#include "support/result.h"

namespace oomwitness {

enum class Severity { kError = 3, kWarning = 4, kNotice = 5, kInfo = 6 };  // syslog's numbers

class AgentLog {
 public:
  // `journal`: stderr is read by systemd.
  AgentLog(int fd, bool journal) : fd_(fd), journal_(journal) {}

  // One line, with names escaped and newlines made commas.
  void say(Severity severity, std::string_view text) const;
  // With its hint.
  void say(Severity severity, const Error& error) const;

 private:
  int fd_;
  bool journal_;
};

}  // namespace oomwitness
