// SPDX-License-Identifier: BSD-2-Clause
#include "pipeline/kernel_log.h"

#include <string_view>
#include <utility>

namespace oomwitness {
namespace {

// Silence after which a report that has its outcome gets nothing more.
constexpr std::uint64_t kQuietNs = 20'000'000;

}  // namespace

Result<KernelLog> KernelLog::open(const std::string& path) {
  TRY(auto kmsg, Kmsg::open(path));
  return KernelLog(std::move(kmsg));
}

Result<std::vector<Observation>> KernelLog::read(std::uint64_t now_ns) {
  bool news = false;
  CHECK_OK(kmsg_.drain([&](std::uint64_t at_ns, std::string_view text) {
    parser_.line(at_ns, text);
    news = true;
  }));
  const bool gap = std::exchange(lost_, kmsg_.lost()) != kmsg_.lost();
  const bool silent = flush_at_ns_ && now_ns >= *flush_at_ns_;
  if (gap || (silent && !news)) parser_.flush();
  flush_at_ns_.reset();
  if (parser_.settled()) flush_at_ns_ = now_ns + kQuietNs;
  std::vector<Observation> reports;
  for (LogReport& report : parser_.take()) {
    if (!report.victims.empty()) reports.emplace_back(std::move(report));
  }
  return reports;
}

}  // namespace oomwitness
