// SPDX-License-Identifier: BSD-2-Clause
// The table of causes: one function each, which looks at the facts and says whether they support
// it, in figures.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "diagnose/facts.h"

namespace oomwitness {

struct Finding {
  // How much of the kill it explains, 0 to 100: the heaviest that can lead is the cause.
  int weight = 0;
  Confidence confidence = Confidence::kMedium;
  std::string summary;  // one sentence
  std::vector<std::string> evidence;
  std::vector<std::string> advice;
};

struct Rule {
  std::string_view cause;
  bool leads;  // false: only beside another cause, or where there is no other
  Opt<Finding> (*judge)(const Facts& facts);
};

std::span<const Rule> rules();

// The weight of something that explains this share of the capacity.
int weight_of(double share);

// rules_limit.cpp
Opt<Finding> own_limit_single_consumer(const Facts& facts);
Opt<Finding> own_limit_many_consumers(const Facts& facts);
Opt<Finding> own_limit_below_working_set(const Facts& facts);
Opt<Finding> own_limit_lowered(const Facts& facts);
Opt<Finding> ancestor_limit(const Facts& facts);
// rules_host.cpp
Opt<Finding> host_single_hog(const Facts& facts);
Opt<Finding> host_many(const Facts& facts);
Opt<Finding> host_hog_protected(const Facts& facts);
Opt<Finding> fork_storm(const Facts& facts);
Opt<Finding> swap_full(const Facts& facts);
// rules_kind.cpp
Opt<Finding> shmem_tmpfs(const Facts& facts);
Opt<Finding> kernel_memory(const Facts& facts);
Opt<Finding> unaccounted(const Facts& facts);
Opt<Finding> mlocked(const Facts& facts);
Opt<Finding> ramfs(const Facts& facts);
Opt<Finding> hugetlb(const Facts& facts);
Opt<Finding> dirty_page_cache(const Facts& facts);
// rules_place.cpp
Opt<Finding> fragmentation(const Facts& facts);
Opt<Finding> zone_exhausted(const Facts& facts);
Opt<Finding> cpuset_or_mempolicy(const Facts& facts);
// rules_event.cpp
Opt<Finding> sysrq(const Facts& facts);
Opt<Finding> policy_kill(const Facts& facts);
Opt<Finding> stuck_victim(const Facts& facts);
Opt<Finding> repeated_kills(const Facts& facts);
Opt<Finding> no_killable_task(const Facts& facts);
Opt<Finding> panic_on_oom(const Facts& facts);
Opt<Finding> user_space_killer(const Facts& facts);
// rules_thin.cpp
Opt<Finding> insufficient_evidence(const Facts& facts);

// Where the shortage is the host's, and not a SysRq, a policy or a user-space killer.
bool is_host_shortage(const Facts& facts);
bool is_limit_hit(const Facts& facts);
// The one consumer that stands out, by the rule of thumb for "single".
const Holder* single_consumer(const Facts& facts);

}  // namespace oomwitness
