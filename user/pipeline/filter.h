// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "incident/incident.h"

namespace oomwitness {

// Which incidents to show: those with a victim that fits every kind of filter given. Several
// values of one kind are alternatives. No filter shows everything.
struct Filter {
  std::vector<std::string> comm;   // exact
  std::vector<std::uint32_t> pid;  // thread group
  std::vector<std::uint32_t> uid;
  std::vector<std::string> cgroup;     // a path: the cgroup itself or one below it
  std::vector<std::string> unit;       // with or without its ".service"
  std::vector<std::string> container;  // name, or the first 12 or more characters of the id

  bool matches(const Incident& incident) const;
};

}  // namespace oomwitness
