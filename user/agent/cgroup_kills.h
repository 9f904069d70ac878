// SPDX-License-Identifier: BSD-2-Clause
// The kernel's count of kills in each cgroup against what was described of it. It has less to say
// than /proc/vmstat, which counts for the whole host, but it goes by the cgroup: kills that nobody
// described in a cgroup of which kills were.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "enrich/roots.h"
#include "incident/incident.h"
#include "support/owned_fd.h"

namespace oomwitness {

class CgroupKills {
 public:
  explicit CgroupKills(Roots roots) : roots_(std::move(roots)) {}

  // An incident of this boot that is going to be stored, or an update of one. The cgroups of its
  // victims are followed from then on, the last 64 of them, each for as long as it exists; of one
  // that is gone before it could be read, or that has no such file, nothing is known.
  void add(const Incident& incident);
  // To be called when nothing is left to describe.
  void reconcile(std::uint64_t now_ns);

  // Kills that those cgroups have counted since they were first looked at and that no incident
  // describes; those of cgroups that are gone included. What was there at two reconciles.
  std::uint64_t undescribed() const;
  std::size_t followed() const { return followed_.size(); }

 private:
  struct Followed {
    std::string path;
    // memory.events.local, where a kill counts in the victim's own cgroup alone (1e577f970f66,
    // 5.2), or memory.oom_control of version 1 (fe6bdfc8e1e1, 4.13), which does so too.
    OwnedFd counter;
    std::int64_t described = 0;
    // The least that the kernel counted beyond what was described: the kills from before, which
    // are nobody's debt. Described late, a kill that is in progress makes it less.
    std::int64_t before = 0;
    std::uint64_t excess = 0;       // at the last reconcile
    std::uint64_t undescribed = 0;  // and at the one before it too
  };
  using Counts = std::map<std::string, std::int64_t>;

  void describe(const std::string& path, std::int64_t kills);
  std::list<Followed>::iterator find(const std::string& path);
  void follow(const std::string& path, std::int64_t kills);
  std::list<Followed>::iterator leave(std::list<Followed>::iterator one);

  Roots roots_;
  std::list<Followed> followed_;                     // last used first
  std::deque<std::pair<std::string, Counts>> told_;  // the last incidents, by id, for updates
  std::uint64_t left_undescribed_ = 0;               // of cgroups that are followed no more
  std::uint64_t reconciled_ns_ = 0;
};

}  // namespace oomwitness
