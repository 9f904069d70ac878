// SPDX-License-Identifier: BSD-2-Clause
#include "pipeline/kernel_log.h"

#include <string_view>
#include <utility>

namespace oomwitness {
Result<KernelLog> KernelLog::open(const std::string& path) {
  TRY(auto kmsg, Kmsg::open(path));
  return KernelLog(std::move(kmsg));
}

Result<std::vector<Observation>> KernelLog::read() {
  CHECK_OK(
      kmsg_.drain([&](std::uint64_t at_ns, std::string_view text) { parser_.line(at_ns, text); }));
  const bool gap = std::exchange(lost_, kmsg_.lost()) != kmsg_.lost();
  // The report has its outcome: waiting for more would only make the incident late.
  if (gap || parser_.settled()) parser_.flush();
  std::vector<Observation> reports;
  for (LogReport& report : parser_.take()) {
    if (!report.victims.empty()) reports.emplace_back(std::move(report));
  }
  return reports;
}

}  // namespace oomwitness
