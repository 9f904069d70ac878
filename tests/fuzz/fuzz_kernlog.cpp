// SPDX-License-Identifier: BSD-2-Clause
// Kernel log text, and /dev/kmsg's records: no crash; what comes out was in the text; every kill
// line gives a victim.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

#include "assemble/log_incident.h"
#include "capture/kmsg.h"
#include "incident/json.h"
#include "kernlog/log_parser.h"
#include "kernlog/log_reader.h"

namespace oomwitness {
namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

void check_report(const LogReport& report) {
  std::set<std::uint32_t> pids;
  for (const Victim& victim : report.victims) {
    check(victim.pid.has_value());
    if (!victim.tid) check(pids.insert(*victim.pid).second);
    check(!victim.cgroup || victim.cgroup->starts_with('/'));
  }
  check(report.victims.empty() || !report.no_killable);
  if (report.scope.memcg && !report.scope.memcg->self.path.empty()) {
    check(report.scope.memcg->self.path.starts_with('/'));
  }
  for (const auto* text : {&report.scope.nodemask, &report.scope.cpuset, &report.scope.mems_allowed,
                           &report.scope.constraint}) {
    check(!*text || !(*text)->empty() || text == &report.scope.constraint);
  }
  check(report.candidates.top.size() <= report.candidates.listed.value_or(0));
}

// The first byte chooses: 'f' a log file, 'k' records of /dev/kmsg, else plain messages; one a
// line.
void fuzz(std::string_view text, bool records) {
  LogParser parser;
  std::uint64_t at_ns = 0;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() < text.size() ? line.size() + 1 : line.size());
    if (!records) {
      parser.line(at_ns += 1000, line);
    } else if (const auto record = parse_kmsg_record(line)) {
      check(record->text.size() <= line.size());
      if (record->facility == 0) parser.line(record->at_ns, record->text);
    }
    for (const LogReport& report : parser.take()) check_report(report);
  }
  parser.flush();
  check(!parser.settled());
  for (const LogReport& report : parser.take()) check_report(report);
}

// A log file, prefixes and all.
void fuzz_file(std::string_view text) {
  LogReader reader({.newest_unix_ns = 1'800'000'000'000'000'000, .to_utc = {}});
  const auto check_all = [&] {
    for (const LogReport& report : reader.take()) {
      check_report(report);
      const Incident incident = incident_from_report(report);
      check(incident.id.size() == 26);
      const auto again = incident_from_json(to_json(incident));
      check(again.has_value());
    }
  };
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() < text.size() ? line.size() + 1 : line.size());
    reader.line(line);
    check_all();
    if (reader.idle() && line.ends_with('~')) reader.skipped();
  }
  reader.flush();
  check_all();
  check(reader.idle());
}

}  // namespace
}  // namespace oomwitness

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  if (bytes[0] == 'f') {
    oomwitness::fuzz_file(text);
  } else {
    oomwitness::fuzz(text, bytes[0] == 'k');
  }
  return 0;
}
