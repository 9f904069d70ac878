// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <chrono>

#include "capture/hook_plan.h"
#include "enrich/roots.h"
#include "pipeline/recording.h"

namespace oomwitness {

// What no hook of this plan gives, and why: AssemblerConfig::missing.
std::map<std::string, std::string> missing_fields(const HookPlan& plan);

// `log`: the kernel log is read along.
SessionFacts session_facts(const HookPlan& plan, const Roots& roots,
                           std::chrono::nanoseconds settle, bool log);

}  // namespace oomwitness
