// SPDX-License-Identifier: BSD-2-Clause
// The incidents of a report out of any number of sources: each id once, the newest kept, all
// counted. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_set>
#include <vector>

#include "incident/incident.h"
#include "sink/tally.h"

namespace oomwitness {

class Gathered {
 public:
  // `most`: so many incidents are kept, those with the latest times.
  explicit Gathered(std::size_t most) : most_(most) {}

  // A higher revision replaces the incident of the same id where that is still kept; the same or a
  // lower one is left out.
  void add(const Incident& incident);

  const Tally& tally() const { return tally_; }
  // Oldest first and diagnosed in that order; those without a wall clock before the others, in the
  // order they came.
  std::vector<Incident> take() &&;

 private:
  void keep_newest();

  std::size_t most_;
  Tally tally_;
  std::vector<Incident> kept_;
  std::unordered_set<std::string> ids_;
};

}  // namespace oomwitness
