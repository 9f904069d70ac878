// SPDX-License-Identifier: BSD-2-Clause
// This process's own oom_score_adj (proc(5)): how readily the kernel chooses it.
#pragma once

#include <string>

#include "support/result.h"

namespace oomwitness {

// -1000 to 1000. `proc`: where procfs is mounted.
Result<int> own_oom_score_adj(const std::string& proc);

// Lowering it needs CAP_SYS_RESOURCE.
Status set_own_oom_score_adj(const std::string& proc, int adj);

}  // namespace oomwitness
