// SPDX-License-Identifier: BSD-2-Clause
// What to do, in the commands of whatever the record shows: systemd, Kubernetes, Docker, cgroup
// files, sysctl.
#pragma once

#include <string>
#include <string_view>

#include "diagnose/facts.h"

namespace oomwitness {

// How to set the limit that was hit to another value: "Raise MemoryMax= of db.service: ...".
std::string raise_limit(const Facts& facts);
// How to bound the memory of this task, so that it cannot take the host with it.
std::string bound_task(const Facts& facts, const Holder& holder);
std::string lower_protection(const Holder& holder);
std::string find_growth(const std::string& who);
std::string look_at_cgroup_stat(const Facts& facts);

}  // namespace oomwitness
