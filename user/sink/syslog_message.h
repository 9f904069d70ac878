// SPDX-License-Identifier: BSD-2-Clause
// An incident as a syslog message. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "incident/incident.h"

namespace oomwitness {

enum class SyslogFormat {
  kRfc5424,  // with structured data
  kLocal     // as syslog(3) writes to /dev/log: what journald and rsyslog expect there
};

struct SyslogStyle {
  SyslogFormat format = SyslogFormat::kRfc5424;
  unsigned facility = 3;  // RFC 5424, table 1: daemon
  std::string app_name = "oomwitness";
  std::uint32_t pid = 0;  // of the agent; 0: left out
  // Of the structured data's name. 32473 is set apart for examples (RFC 5612): none is registered.
  std::uint32_t enterprise = 32473;

  bool operator==(const SyslogStyle&) const = default;
};

// One line of printable ASCII without its end, at most 8 KiB, which every receiver has to take or
// to cut (RFC 5424, 6.1). Names are escaped as in reports, then as the format wants.
// `local_offset_s` is added to UTC for kLocal, whose times have no zone.
std::string syslog_message(const Incident& incident, const SyslogStyle& style,
                           std::int64_t local_offset_s = 0);

// "daemon" -> 3, "local0" -> 16 and so on; absent: there is none of that name.
Opt<unsigned> syslog_facility(const std::string& name);

}  // namespace oomwitness
