// SPDX-License-Identifier: BSD-2-Clause
// What user space can still find out about a victim: ProcFacts, with a reason for every field
// that is not there.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "assemble/observation.h"
#include "enrich/procfs.h"
#include "enrich/roots.h"

namespace oomwitness {

// CLOCK_MONOTONIC, ns.
using NowNs = std::function<std::uint64_t()>;

struct VictimQuery {
  std::uint32_t pid = 0;  // thread group, initial pid namespace
  std::vector<NsPid> ns_pids;
  std::uint64_t start_boottime_ns = 0;  // 0: the kernel did not give it
  Opt<std::uint32_t> uid;               // the kernel's
  Opt<std::string> cgroup;              // the kernel's, memory controller
  // The kernel gave them: /proc adds nothing.
  bool exe_known = false;
  bool ancestry_known = false;
  // A hook reads the victim's argv in its own context. A reader of /proc/PID/cmdline takes a page
  // while it holds the victim's memory (fs/proc/base.c, get_mm_cmdline): where there is none left,
  // both wait, and the kernel kills others meanwhile.
  bool argv_in_kernel = false;
};

// An answer without facts: `why` is the reason for each field.
ProcFacts no_facts(const VictimQuery& query, std::uint64_t at_ns, const std::string& why);

class Enricher {
 public:
  // Called with what is known when only the reads that may block remain.
  using BeforeBlocking = std::function<void(const ProcFacts& so_far)>;

  Enricher(Roots roots, NowNs now);

  // Plain reads, in the calling thread. Only the last one, of /proc/PID/cmdline, waits for the
  // victim's mmap lock. Safe to call from several threads.
  ProcFacts collect(const VictimQuery& query, const BeforeBlocking& before_blocking = {}) const;

 private:
  void read_ancestors(const ProcStat& stat, ProcFacts& facts) const;
  static void read_exe(const ProcDir& dir, ProcFacts& facts);
  void read_user(Opt<std::uint32_t> uid, ProcFacts& facts) const;
  void read_identity(const VictimQuery& query, std::vector<std::string> cgroups,
                     ProcFacts& facts) const;

  Roots roots_;
  NowNs now_;
  Result<std::uint32_t> proc_ns_;
};

}  // namespace oomwitness
