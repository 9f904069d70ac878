// SPDX-License-Identifier: BSD-2-Clause
// The files of one memory cgroup, version 1 or 2, kept open: a look at them costs a read each.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "run/own_cgroup.h"
#include "support/owned_fd.h"
#include "support/result.h"

namespace oomwitness {

// One look. Absent: this kernel has no such file, or not in this cgroup.
struct MemoryReading {
  std::optional<std::uint64_t> usage_bytes;
  std::optional<std::uint64_t> swap_bytes;
  std::optional<std::uint64_t> peak_bytes;  // since the cgroup was made
  std::optional<std::uint64_t> swap_peak_bytes;
  std::optional<std::uint64_t> oom_kills;  // of the cgroup and those below it
  std::optional<std::uint64_t> limit_hits;
  std::optional<std::uint64_t> stall_some_us;
  std::optional<std::uint64_t> stall_full_us;
};

// The total of "some" or "full" in a pressure file (Documentation/accounting/psi.rst), us.
std::optional<std::uint64_t> pressure_total_us(std::string_view text, std::string_view kind);
// What memory.max holds; absent for "max" and for version 1's largest number.
std::optional<std::uint64_t> limit_in(std::string_view text);

class MemoryCounters {
 public:
  // `folder`: of the cgroup. Errors: it cannot be opened.
  static Result<MemoryCounters> open(const std::string& folder, CgroupLayout layout);

  // Usage, swap and the kills: what changes from moment to moment.
  MemoryReading sample();
  // Everything.
  MemoryReading read();
  // A descriptor that has POLLPRI when the counters of version 2 change; -1 in version 1.
  int events_fd() const { return layout_.v1 ? -1 : events_.get(); }

 private:
  MemoryCounters() = default;
  std::optional<std::uint64_t> count_kills();
  void count_kills_below();
  void keep_kills(const std::string& place, const OwnedFd& folder);

  CgroupLayout layout_;
  OwnedFd dir_;
  OwnedFd usage_;
  OwnedFd swap_;    // version 1: memory and swap together
  OwnedFd events_;  // version 1: memory.oom_control
  // The last count of each cgroup below, kept when that is gone.
  std::map<std::string, std::uint64_t> kills_below_;
};

}  // namespace oomwitness
