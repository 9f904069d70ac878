// SPDX-License-Identifier: BSD-2-Clause
#include "pipeline/kernel_log.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "kernlog/anchors.h"

namespace oomwitness {

namespace {

bool looks_like_a_kill(std::string_view text) {
  return std::any_of(kAnchors.begin(), kAnchors.end(), [text](std::string_view anchor) {
    return text.find(anchor) != std::string_view::npos;
  });
}

}  // namespace

Result<KernelLog> KernelLog::open(const std::string& path, Kmsg::From from) {
  TRY(auto kmsg, Kmsg::open(path, from));
  return KernelLog(std::move(kmsg));
}

Status KernelLog::drain() {
  return kmsg_.drain(
      [this](std::uint64_t at_ns, std::string_view text) { parser_.line(at_ns, text); },
      [this](std::uint64_t, std::string_view text) {
        if (looks_like_a_kill(text)) ++forged_;
      });
}

std::vector<Observation> KernelLog::take(bool from_backlog) {
  const bool gap = std::exchange(lost_, kmsg_.lost()) != kmsg_.lost();
  // The report has its outcome: waiting for more would only make the incident late.
  if (gap || parser_.settled()) parser_.flush();
  std::vector<Observation> reports;
  for (LogReport& report : parser_.take()) {
    if (report.victims.empty()) continue;
    report.from_backlog = from_backlog;
    reports.emplace_back(std::move(report));
  }
  return reports;
}

Result<std::vector<Observation>> KernelLog::read() {
  CHECK_OK(drain());
  return take(false);
}

Result<std::vector<Observation>> KernelLog::read_backlog() {
  for (auto before = kmsg_.next();; before = kmsg_.next()) {
    CHECK_OK(drain());
    if (kmsg_.next() == before) break;
  }
  return take(true);
}

}  // namespace oomwitness
