// SPDX-License-Identifier: BSD-2-Clause
// Which cgroup a run gets: the first way that works here, or the one that is asked for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "enrich/roots.h"
#include "run/box.h"
#include "support/result.h"

namespace oomwitness {

enum class CgroupWay { kAuto, kNew, kSystemd, kOwn };

struct BoxRequest {
  Roots roots;
  CgroupWay way = CgroupWay::kAuto;
  BoxLimits limits;
  // This process's own command line, for starting it again inside a scope; empty: it is in one
  // already, or shall not be.
  std::vector<std::string> again;
};

struct ChosenBox {
  std::optional<Box> box;  // absent: no memory cgroup is to be seen
  std::string refusal;     // why it is not one of the run's own; empty: it is
};

// Makes it and sets its limits. May not return: where only systemd can make one, the program is
// started again inside a scope. Errors: limits that cannot be set, or a way that does not work.
Result<ChosenBox> choose_box(const BoxRequest& request);

// What choose_box() would find here, without making anything, in words. An error: no cgroup of a
// run's own, and why.
Result<std::string> box_outlook(const Roots& roots);

}  // namespace oomwitness
