// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <atomic>
#include <cstdint>

namespace oomwitness {

// What the agent counts about itself, since it was started unless said otherwise. Written by the
// event loop, read by whoever shows it.
struct AgentFigures {
  std::atomic<std::uint64_t> stored{0};           // writes of incidents, updates included
  std::atomic<std::uint64_t> write_failures{0};   // attempts that the disk or the file refused
  std::atomic<std::uint64_t> waiting{0};          // incidents in memory, to be written
  std::atomic<std::uint64_t> given_up{0};         // of them, those there was no room for any more
  std::atomic<std::uint64_t> missed{0};           // kills found in the kernel's log alone
  std::atomic<std::uint64_t> earlier_boots{0};    // kills of earlier boots found in the journal
  std::atomic<std::uint64_t> log_lost{0};         // messages of the log overwritten unread
  std::atomic<std::uint64_t> lost_events{0};      // records lost between the kernel and us
  std::atomic<std::uint64_t> kills_counted{0};    // oom_kill of /proc/vmstat, since boot
  std::atomic<std::uint64_t> kills_described{0};  // of this boot, in the store
  // The difference: kills that the kernel has counted and nobody has described. 0 too while it is
  // not known (kernels before 4.13 do not count).
  std::atomic<std::int64_t> kills_undescribed{0};
  std::atomic<std::uint64_t> cgroup_kills_undescribed{0};  // CgroupKills::undescribed()
  std::atomic<std::uint64_t> removed{0};                   // incidents, by age or size
  std::atomic<std::uint64_t> removed_unsent{0};  // of them, those that an exporter had not had
  std::atomic<std::uint64_t> store_bytes{0};
};

}  // namespace oomwitness
