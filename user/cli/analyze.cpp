// SPDX-License-Identifier: BSD-2-Clause
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <string>
#include <string_view>

#include "assemble/log_incident.h"
#include "cli/commands.h"
#include "cli/terminal.h"
#include "incident/json.h"
#include "kernlog/log_reader.h"
#include "sink/report.h"
#include "support/owned_fd.h"
#include "support/result.h"

namespace oomwitness {
namespace {

// A stamp without a zone is of the clock on the wall of this machine.
std::int64_t as_local_time(std::int64_t civil_s) {
  std::tm civil{};
  const std::time_t as_utc = civil_s;
  if (::gmtime_r(&as_utc, &civil) == nullptr) return civil_s;
  civil.tm_isdst = -1;
  return ::mktime(&civil);
}

LogReaderOptions reader_options() {
  constexpr std::int64_t kNsPerSecond = 1'000'000'000;
  constexpr std::int64_t kDay = 24 * 3600;  // clocks differ, and so do zones
  return {.newest_unix_ns = (static_cast<std::int64_t>(::time(nullptr)) + kDay) * kNsPerSecond,
          .to_utc = as_local_time};
}

Status write_incidents(LogReader& reader, bool json) {
  for (const LogReport& report : reader.take()) {
    const Incident incident = incident_from_report(report);
    const ReportOptions options{.color = wants_color(STDOUT_FILENO), .utf8 = wants_utf8()};
    CHECK_OK(write_all(STDOUT_FILENO,
                       json ? to_json(incident) + "\n" : render_report(incident, options) + "\n"));
  }
  return {};
}

Status analyze_fd(int fd, const std::string& name, bool json) {
  LogReader reader(reader_options());
  std::array<char, 1 << 16> chunk{};
  std::string rest;  // the line that is not whole yet
  for (;;) {
    const ssize_t got = ::read(fd, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(errno, "read " + name);
    if (got == 0) break;
    rest.append(chunk.data(), static_cast<std::size_t>(got));
    std::size_t begin = 0;
    for (std::size_t end = rest.find('\n'); end != std::string::npos;
         end = rest.find('\n', begin)) {
      reader.line(std::string_view(rest).substr(begin, end - begin));
      begin = end + 1;
    }
    rest.erase(0, begin);
    CHECK_OK(write_incidents(reader, json));
  }
  if (!rest.empty()) reader.line(rest);
  reader.flush();
  return write_incidents(reader, json);
}

Status analyze_file(const std::string& name, bool json) {
  if (name == "-") return analyze_fd(STDIN_FILENO, "stdin", json);
  const OwnedFd file(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return fail(errno, "open " + name);
  return analyze_fd(file.get(), name, json);
}

}  // namespace

int run_analyze(const AnalyzeCommand& command) {
  int code = 0;
  for (const std::string& file : command.files) {
    if (const Status status = analyze_file(file, command.json); !status) {
      print_error(status.error());
      code = 1;
    }
  }
  return code;
}

}  // namespace oomwitness
