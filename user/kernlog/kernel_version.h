// SPDX-License-Identifier: BSD-2-Clause
// Which kernels a log can be of: by the version it shows, or by the forms that its report has.
#pragma once

#include <compare>
#include <span>
#include <string>
#include <string_view>

#include "incident/incident.h"

namespace oomwitness {

struct KernelVersion {
  unsigned major = 0;
  unsigned minor = 0;
  unsigned patch = 0;
  // NOLINTNEXTLINE(modernize-use-nullptr): it takes the <=> for a comparison with 0
  auto operator<=>(const KernelVersion&) const = default;
};

// Both ends belong to it. `last` is meant with all that its release line can hold: {4, 5} covers
// 4.5.7.
struct VersionRange {
  KernelVersion first{2, 6, 0};
  KernelVersion last{99, 0, 0};
  bool operator==(const VersionRange&) const = default;
};

// "2.6.32", "3.10", "7.2": without the patch of a release line from 3.0 on, where it says nothing.
std::string to_string(const KernelVersion& version);

// The release whose development followed: 2.6.39 -> 3.0, 3.19 -> 4.0, 4.20 -> 5.0.
KernelVersion next_release(const KernelVersion& version);

// The number at the beginning of a kernel's release, as `uname -r` and the log's "CPU:" line have
// it: "3.10.0-957.el7.x86_64". Absent: the text begins with no version of 2.6 or later.
Opt<KernelVersion> parse_kernel_version(std::string_view release);

// The releases whose source that kernel can have: mostly one. Wider for kernels that are ahead of
// their number: linux-next and -mm, and distributions that renew the memory management under an
// old number.
Opt<VersionRange> versions_of_release(std::string_view release);

// Forms of a report's lines that only some kernels print.
enum class LogForm {
  kHeaderWithoutComm,     // "oom-killer: gfp_mask=0xd0"
  kHeaderOomkilladj,      // "..., order=0, oomkilladj=0"
  kHeaderOomAdj,          // "..., order=0, oom_adj=0"
  kHeaderBothAdj,         // "..., order=0, oom_adj=0, oom_score_adj=0"
  kHeaderOomScoreAdj,     // "..., order=0, oom_score_adj=0"
  kHeaderAnyOomScoreAdj,  // one of the last two
  kHeaderNodemask,        // "..., nodemask=(null), order=0, ..."
  kHeaderGfpNames,        // "gfp_mask=0xcc0(GFP_KERNEL)"
  kKillAndChildren,       // "Kill process 1 (init) score 0 and children."
  kKillOrChild,           // "kill process 1 (init) score 0 or a child"
  kKillOrSacrificeChild,  // "Kill process 1 (init) score 0 or sacrifice child"
  kKilledVsz,             // "Killed process 1 (init) vsz:1kB, anon-rss:..."
  kKilledTotalVm,         // "Killed process 1 (init) total-vm:1kB, anon-rss:..."
  kKilledShmemRss,        // "..., shmem-rss:0kB"
  kKilledPgtables,        // "... UID:0 pgtables:64kB oom_score_adj:0"
  kSummary,               // "oom-kill:constraint=..."
  kTaskIn,                // "Task in /a killed as a result of limit of /b"
  kTableCpu,              // columns "rss cpu oom_adj"
  kTableNrPtes,           // column "nr_ptes"
  kTableNrPmds,           // column "nr_pmds"
  kTablePgtablesBytes,    // column "pgtables_bytes"
  kTableRssKinds,         // columns "rss_anon rss_file rss_shmem"
};

// The kernels that print all of these forms, back-ports of distributions included. Everything from
// 2.6.0 on when there are none, or when no kernel prints them all.
VersionRange versions_of_forms(std::span<const LogForm> forms);

}  // namespace oomwitness
