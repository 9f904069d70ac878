// SPDX-License-Identifier: BSD-2-Clause
// Which kills of this boot are already known, to tell those that the kernel's log still speaks of
// from those that nobody saw. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

#include "assemble/observation.h"
#include "incident/incident.h"

namespace oomwitness {

class KillLedger {
 public:
  // `log_minus_monotonic_ns`: how far the log's clock was from CLOCK_MONOTONIC, where that is known
  // from before. The two start together; one is steered by NTP and the other is not, so after days
  // they are seconds apart.
  explicit KillLedger(std::optional<std::int64_t> log_minus_monotonic_ns)
      : log_minus_monotonic_ns_(log_minus_monotonic_ns) {}

  // Every victim of an incident that is stored, or is going to be. The youngest 16384 are kept:
  // more than any kernel's log still tells of.
  void add(const Incident& incident);
  // A victim of the report is known, by its pid and the time. A report of a kill that was seen live
  // also tells how far the clocks are apart.
  bool knows(const LogReport& report);
  // The same for an incident made of nothing but the log.
  bool knows(const Incident& incident) const;

  std::optional<std::int64_t> log_minus_monotonic_ns() const { return log_minus_monotonic_ns_; }
  std::size_t size() const { return order_.size(); }

  // Made of the kernel's log and nothing else.
  static bool is_from_log(const Incident& incident);

 private:
  struct Kill {
    std::uint64_t number = 0;
    std::uint64_t at_ns = 0;
    bool from_log = false;  // at_ns is by the log's clock
    std::string comm;
  };
  struct Told {
    std::uint64_t at_ns = 0;
    const Opt<std::string>& comm;
  };

  void add(std::uint32_t pid, const std::string& comm, const Incident& incident);
  const Kill* find(std::uint32_t pid, const Told& told) const;
  bool fits(const Kill& kill, const Told& told) const;

  std::optional<std::int64_t> log_minus_monotonic_ns_;
  std::unordered_multimap<std::uint32_t, Kill> by_pid_;
  std::deque<std::pair<std::uint32_t, std::uint64_t>> order_;  // pid, number; oldest first
  std::uint64_t next_number_ = 1;
};

}  // namespace oomwitness
