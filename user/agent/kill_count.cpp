// SPDX-License-Identifier: BSD-2-Clause
#include "agent/kill_count.h"

#include <fstream>

namespace oomwitness {

std::optional<std::uint64_t> read_kill_count(const std::string& proc) {
  std::ifstream file(proc + "/vmstat");
  std::string name;
  std::uint64_t value = 0;
  while (file >> name >> value)
    if (name == "oom_kill") return value;
  return std::nullopt;
}

}  // namespace oomwitness
