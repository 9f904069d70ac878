// SPDX-License-Identifier: BSD-2-Clause
// An incident's verdict: which cause the figures of the record support, how well, and what to do.
// Pure: the record and the kills before it are all it knows.
//
// The strings of a Diagnosis are printable ASCII sentences, safe in any output as they are: each
// name in them has gone through name_in_sentence() (support/text.h), in words.cpp and nowhere else.
// A sink that has markup of its own (HTML) still escapes that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "incident/incident.h"

namespace oomwitness {

// A kill before the one in question. Empty strings and zeros: not known.
struct Earlier {
  std::int64_t time_unix_ns = 0;
  std::uint64_t monotonic_ns = 0;
  std::uint32_t pid = 0;
  std::string comm;
  std::string cgroup;
  std::string unit;
  std::string id;
};

// Works with whatever fields are there; an absent one is never taken for zero. `earlier`: oldest
// first, of the same host; those with the incident's own id are left out.
Diagnosis diagnose(const Incident& incident, std::span<const Earlier> earlier = {});

// Diagnoses incidents in their order and remembers the last kills, for those that repeat.
class Diagnostician {
 public:
  void operator()(Incident& incident);

 private:
  void remember(const Incident& incident);

  static constexpr std::size_t kMostKills = 256;  // a storm's worth; the oldest go first
  std::vector<Earlier> earlier_;
};

}  // namespace oomwitness
