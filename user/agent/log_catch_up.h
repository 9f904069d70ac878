// SPDX-License-Identifier: BSD-2-Clause
// The kernel's log as the second witness: kills that nobody watched (before the agent started,
// while it was down), and kills that the hooks have missed. Every kill that the log tells of and
// that does not turn up otherwise is handed on once.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "agent/kill_ledger.h"
#include "assemble/observation.h"
#include "pipeline/kernel_log.h"
#include "support/result.h"

namespace oomwitness {

class LogCatchUp {
 public:
  // Reads what stands in the log from the message with number `next` on. To be called before the
  // hooks are in place: of the kills that are told by then none will be seen live.
  static Result<LogCatchUp> open(const std::string& path, std::uint64_t next);
  // The same with a log that stands at its oldest message.
  static Result<LogCatchUp> make(KernelLog log, std::uint64_t next);

  // The stamp of the oldest kill found so far and not settled, log's clock, ns; absent: there is
  // none. Which known kills the ledger must have is told by it.
  std::optional<std::uint64_t> oldest_ns() const;

  // Reads on. Errors: the log cannot be read any more.
  Status read(std::uint64_t now_ns);
  // What nobody else has told of. Those from before the hooks at once, others when they had their
  // time to come live; each is marked as from the backlog, so that it is joined to nobody's kill.
  std::vector<Observation> take_missed(KillLedger& ledger, std::uint64_t now_ns);
  // Forgets the kills that are known, and hands nothing on.
  void settle(KillLedger& ledger);
  // When take_missed() has more to say although nothing came, CLOCK_MONOTONIC ns; absent: never.
  std::optional<std::uint64_t> next_deadline() const;

  // Every kill told of before the message with this number is known to the ledger.
  std::uint64_t next() const;
  // Every kill told of so far is known, and none is being told of.
  bool is_settled() const { return pending_.empty() && log_.idle(); }
  // Messages that were overwritten before they were read.
  std::uint64_t lost() const { return log_.lost(); }
  // Kills that are told of and not settled.
  std::size_t open_kills() const { return pending_.size(); }
  std::uint64_t missed() const { return missed_; }  // handed on so far

 private:
  struct Pending {
    LogReport report;
    std::uint64_t floor = 0;   // number of a message before the report's first
    std::uint64_t due_ns = 0;  // nobody else will tell of it after that
    bool handed_on = false;
  };

  explicit LogCatchUp(KernelLog log, std::uint64_t next) : log_(std::move(log)), floor_(next) {}
  void keep(std::vector<Observation>&& reports, std::uint64_t due_ns);

  KernelLog log_;
  std::uint64_t floor_ = 0;  // all before it has been told, or is in pending_
  std::deque<Pending> pending_;
  std::uint64_t missed_ = 0;
};

}  // namespace oomwitness
