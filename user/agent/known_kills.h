// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>

#include "assemble/observation.h"
#include "store/store.h"
#include "support/result.h"

namespace oomwitness {

// Which kills of a boot that is over are in the store, to tell those that a log still speaks of
// from those that nobody saw. A stretch of time is in memory, however many there are. (For the boot
// at hand: KillLedger. How its two clocks drift apart can be followed; here all drift has
// happened.)
class KnownKills {
 public:
  // The store must outlive it.
  KnownKills(Store& store, std::string boot_id) : store_(store), boot_id_(std::move(boot_id)) {}

  // A victim of the report is known by its pid, its name and, roughly, the time. To be asked in the
  // order of the log. Errors: the store cannot be read.
  Result<bool> has(const LogReport& report);

 private:
  struct Kill {
    std::string comm;
    std::uint64_t monotonic_ns = 0;
    std::int64_t unix_ns = 0;
  };

  Status load_around(std::uint64_t at_ns);
  void add(const Incident& incident);
  bool has(const Victim& victim, const LogReport& report) const;

  Store& store_;
  std::string boot_id_;
  std::unordered_multimap<std::uint32_t, Kill> by_pid_;
  std::uint64_t next_ns_ = 0;  // all before it have been read
  bool all_read_ = false;
};

}  // namespace oomwitness
