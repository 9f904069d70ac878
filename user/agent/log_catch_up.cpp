// SPDX-License-Identifier: BSD-2-Clause
#include "agent/log_catch_up.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace oomwitness {
namespace {

// An incident seen live is written when its victims are gone or its settling time is over; a
// decision without a victim waits the longest, 10 s (AssemblerConfig::victim_wait_ns).
constexpr std::uint64_t kGraceNs = 15'000'000'000;

}  // namespace

Result<LogCatchUp> LogCatchUp::open(const std::string& path, std::uint64_t next) {
  TRY(auto log, KernelLog::open(path, Kmsg::From::kOldest));
  return make(std::move(log), next);
}

Result<LogCatchUp> LogCatchUp::make(KernelLog log, std::uint64_t next) {
  log.begin_at(next);
  LogCatchUp catch_up(std::move(log), next);
  TRY(auto reports, catch_up.log_.read_backlog());
  catch_up.keep(std::move(reports), 0);
  return catch_up;
}

void LogCatchUp::keep(std::vector<Observation>&& reports, std::uint64_t due_ns) {
  for (Observation& report : reports) {
    pending_.push_back(
        {.report = std::get<LogReport>(std::move(report)), .floor = floor_, .due_ns = due_ns});
    pending_.back().report.from_backlog = true;
  }
  if (log_.idle()) floor_ = std::max(floor_, log_.next().value_or(0));
}

std::optional<std::uint64_t> LogCatchUp::oldest_ns() const {
  std::optional<std::uint64_t> oldest;
  for (const Pending& one : pending_) {
    const std::uint64_t at = one.report.began_ns != 0 ? one.report.began_ns : one.report.at_ns;
    oldest = std::min(oldest.value_or(at), at);
  }
  return oldest;
}

Status LogCatchUp::read(std::uint64_t now_ns) {
  TRY(auto reports, log_.read());
  keep(std::move(reports), now_ns + kGraceNs);
  return {};
}

void LogCatchUp::settle(KillLedger& ledger) {
  // What was handed on has been written down since, whether or not it has a pid to know it by.
  std::erase_if(pending_,
                [&](const Pending& one) { return ledger.knows(one.report) || one.handed_on; });
}

std::vector<Observation> LogCatchUp::take_missed(KillLedger& ledger, std::uint64_t now_ns) {
  settle(ledger);
  std::vector<Observation> missed;
  for (Pending& one : pending_) {
    if (one.handed_on || one.due_ns > now_ns) continue;
    one.handed_on = true;
    ++missed_;
    missed.emplace_back(one.report);
  }
  return missed;
}

std::optional<std::uint64_t> LogCatchUp::next_deadline() const {
  std::optional<std::uint64_t> next;
  for (const Pending& one : pending_)
    if (!one.handed_on) next = std::min(next.value_or(one.due_ns), one.due_ns);
  return next;
}

std::uint64_t LogCatchUp::next() const {
  std::uint64_t next = floor_;
  for (const Pending& one : pending_) next = std::min(next, one.floor);
  return next;
}

}  // namespace oomwitness
