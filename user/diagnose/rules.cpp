// SPDX-License-Identifier: BSD-2-Clause
#include "diagnose/rules.h"

#include <algorithm>
#include <array>

namespace oomwitness {
namespace {

constexpr bool kLeads = true;
constexpr bool kBeside = false;

// Among equal weights the earlier one leads: what was asked for or configured, then whose limit,
// then where memory could not be taken, then what held it.
constexpr std::array<Rule, 28> kRules{{
    {"user-space-killer", kLeads, user_space_killer},
    {"sysrq", kLeads, sysrq},
    {"panic-on-oom", kLeads, panic_on_oom},
    {"policy-kill", kLeads, policy_kill},
    {"no-killable-task", kLeads, no_killable_task},
    {"cpuset-or-mempolicy", kLeads, cpuset_or_mempolicy},
    {"zone-exhausted", kLeads, zone_exhausted},
    {"fragmentation", kLeads, fragmentation},
    {"own-limit-lowered", kLeads, own_limit_lowered},
    {"own-limit-below-working-set", kLeads, own_limit_below_working_set},
    {"ancestor-limit", kLeads, ancestor_limit},
    {"dirty-page-cache", kLeads, dirty_page_cache},
    {"shmem-tmpfs", kLeads, shmem_tmpfs},
    {"kernel-memory", kLeads, kernel_memory},
    {"unaccounted", kLeads, unaccounted},
    {"hugetlb", kLeads, hugetlb},
    {"ramfs", kLeads, ramfs},
    {"mlocked", kLeads, mlocked},
    {"own-limit-single-consumer", kLeads, own_limit_single_consumer},
    {"own-limit-many-consumers", kLeads, own_limit_many_consumers},
    {"host-hog-protected", kLeads, host_hog_protected},
    {"fork-storm", kLeads, fork_storm},
    {"host-single-hog", kLeads, host_single_hog},
    {"host-many", kLeads, host_many},
    {"stuck-victim", kBeside, stuck_victim},
    {"repeated-kills", kBeside, repeated_kills},
    {"swap-full", kBeside, swap_full},
    {"insufficient-evidence", kLeads, insufficient_evidence},
}};

}  // namespace

std::span<const Rule> rules() {
  return kRules;
}

// From 40, so that a cause with a weak share still stands before what is only beside it.
int weight_of(double share) {
  return 40 + static_cast<int>(50 * std::clamp(share, 0.0, 1.0));
}

}  // namespace oomwitness
