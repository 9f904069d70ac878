// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace oomwitness {

// Incidents with a victim that fits every kind of filter given; several values of one kind are
// alternatives. No filter: all.
struct HistoryQuery {
  std::vector<std::string> comm;              // exact
  std::vector<std::string> unit;              // with or without its ".service"
  std::vector<std::string> cgroup;            // a path: the cgroup itself or one below it
  std::vector<std::string> pod;               // "name" or "namespace/name"
  std::vector<std::string> container;         // name, or the first 12 or more characters of the id
  std::vector<std::string> cause;             // as in diagnosis.cause
  std::optional<std::int64_t> since_unix_ns;  // ends included
  std::optional<std::int64_t> until_unix_ns;
  std::size_t limit = 50;
};

}  // namespace oomwitness
