// SPDX-License-Identifier: BSD-2-Clause
// Many incidents as a table: a line each as they come, totals at the end. Pure. The memory it
// needs does not grow with their number.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "incident/incident.h"

namespace oomwitness {

class Summary {
 public:
  // `utf8`: as ReportOptions.
  explicit Summary(bool utf8) : utf8_(utf8) {}

  // The incident's line, the first time with the table's head before it.
  std::string add(const Incident& incident);
  // By name and by cgroup, most kills first. Empty: there was no incident.
  std::string totals() const;

 private:
  using Counts = std::map<std::string, std::uint64_t>;

  std::string text(const Opt<std::string>& bytes) const;
  void count(Counts& counts, const Opt<std::string>& name);

  bool utf8_;
  std::uint64_t incidents_ = 0;
  std::uint64_t victims_ = 0;
  std::int64_t first_unix_ns_ = 0;
  std::int64_t last_unix_ns_ = 0;
  Counts by_comm_;
  Counts by_cgroup_;
  std::uint64_t uncounted_ = 0;  // names beyond those kept
};

}  // namespace oomwitness
