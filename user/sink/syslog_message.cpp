// SPDX-License-Identifier: BSD-2-Clause
#include "sink/syslog_message.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <string_view>

#include <fmt/format.h>

#include "sink/export_fields.h"
#include "support/text.h"

namespace oomwitness {
namespace {

constexpr std::size_t kLongestMessage = 8192;
constexpr std::size_t kLongestData = 6144;
constexpr std::size_t kLongestValue = 512;
constexpr std::int64_t kNsPerSecond = 1'000'000'000;

constexpr std::array<std::string_view, 24> kFacilities{
    "kern",   "user",   "mail",     "daemon", "auth",   "syslog", "lpr",    "news",
    "uucp",   "cron",   "authpriv", "ftp",    "ntp",    "audit",  "alert",  "clock",
    "local0", "local1", "local2",   "local3", "local4", "local5", "local6", "local7"};

// RFC 5424, table 2.
unsigned syslog_severity(ExportSeverity severity) {
  switch (severity) {
    case ExportSeverity::kInfo: return 6;
    case ExportSeverity::kWarning: return 4;
    case ExportSeverity::kError: return 3;
    case ExportSeverity::kCritical: break;
  }
  return 2;
}

// PRINTUSASCII without blanks, at most so long; "-" when nothing is left (RFC 5424, 6.2).
std::string header_field(std::string_view text, std::size_t longest) {
  std::string out;
  for (const char c : text.substr(0, longest)) out += c > ' ' && c < '\x7f' ? c : '?';
  return out.empty() ? "-" : out;
}

// RFC 5424, 6.3.3: these three and no others.
std::string param_value(std::string_view bytes) {
  std::string out;
  for (const char c : escape_for_terminal(bytes, Charset::kAscii)) {
    if (c == '"' || c == '\\' || c == ']') out += '\\';
    out += c;
  }
  return out;
}

std::string structured_data(const Incident& incident, std::uint32_t enterprise) {
  std::string out = fmt::format("[oomwitness@{}", enterprise);
  for (const ExportField& field : export_fields(incident, kLongestValue)) {
    const std::string param = fmt::format(" {}=\"{}\"", field.name, param_value(field.value));
    // A message cut within its structured data could not be read at all.
    if (out.size() + param.size() < kLongestData) out += param;
  }
  return out + "]";
}

// With the blank after it.
std::string local_time(std::int64_t unix_ns, std::int64_t offset_s) {
  if (unix_ns == 0) return {};  // the receiver stamps it
  constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = unix_ns / kNsPerSecond + offset_s;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{} {:2} {:02}:{:02}:{:02} ",
                     kMonths.at(static_cast<std::size_t>(parts.tm_mon)), parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

}  // namespace

std::string syslog_message(const Incident& incident, const SyslogStyle& style,
                           std::int64_t local_offset_s) {
  const unsigned priority = style.facility * 8 + syslog_severity(severity_of(incident));
  const std::string text = export_headline(incident);
  std::string out;
  if (style.format == SyslogFormat::kLocal) {
    out = fmt::format("<{}>{}{}{}: {}", priority, local_time(incident.time_unix_ns, local_offset_s),
                      header_field(style.app_name, 48),
                      style.pid != 0 ? fmt::format("[{}]", style.pid) : "", text);
  } else {
    constexpr int kMicroseconds = 6;  // RFC 5424, 6.2.3: no more digits
    out = fmt::format(
        "<{}>1 {} {} {} {} OOMKILL {} {}", priority,
        incident.time_unix_ns != 0 ? rfc3339_utc(incident.time_unix_ns, kMicroseconds) : "-",
        header_field(incident.host.name, 255), header_field(style.app_name, 48),
        style.pid != 0 ? std::to_string(style.pid) : "-",
        structured_data(incident, style.enterprise), text);
  }
  out.resize(std::min(out.size(), kLongestMessage));
  return out;
}

Opt<unsigned> syslog_facility(const std::string& name) {
  const auto* const found = std::find(kFacilities.begin(), kFacilities.end(), name);
  if (found == kFacilities.end()) return std::nullopt;
  return static_cast<unsigned>(found - kFacilities.begin());
}

}  // namespace oomwitness
