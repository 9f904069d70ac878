// SPDX-License-Identifier: BSD-2-Clause
#include "run/spared.h"

#include <utility>

#include "support/oom_score_adj.h"

namespace oomwitness {
namespace {

constexpr int kLow = -900;

}  // namespace

Spared::Spared(std::string proc) : proc_(std::move(proc)) {
  const auto before = own_oom_score_adj(proc_);
  if (before && *before > kLow && set_own_oom_score_adj(proc_, kLow)) before_ = *before;
}

Spared::~Spared() {
  // Raising it again is always allowed.
  if (before_) [[maybe_unused]]
    const Status restored = set_own_oom_score_adj(proc_, *before_);
}

}  // namespace oomwitness
