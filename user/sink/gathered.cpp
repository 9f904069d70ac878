// SPDX-License-Identifier: BSD-2-Clause
#include "sink/gathered.h"

#include <algorithm>
#include <utility>

#include "diagnose/diagnose.h"

namespace oomwitness {
namespace {

bool earlier(const Incident& a, const Incident& b) {
  return a.time_unix_ns < b.time_unix_ns;
}

}  // namespace

void Gathered::add(const Incident& incident) {
  if (!ids_.insert(incident.id).second) {
    const auto known = std::find_if(kept_.begin(), kept_.end(),
                                    [&](const Incident& i) { return i.id == incident.id; });
    if (known != kept_.end() && known->revision < incident.revision) *known = incident;
    return;
  }
  tally_.add(incident);
  kept_.push_back(incident);
  if (kept_.size() >= 2 * most_ + 64) keep_newest();
}

void Gathered::keep_newest() {
  std::stable_sort(kept_.begin(), kept_.end(), earlier);
  if (kept_.size() > most_)
    kept_.erase(kept_.begin(), kept_.end() - static_cast<std::ptrdiff_t>(most_));
}

std::vector<Incident> Gathered::take() && {
  keep_newest();
  // Once more in the order of their times: what repeats depends on it.
  Diagnostician diagnose;
  for (Incident& incident : kept_) diagnose(incident);
  return std::move(kept_);
}

}  // namespace oomwitness
