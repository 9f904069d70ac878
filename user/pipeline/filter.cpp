// SPDX-License-Identifier: BSD-2-Clause
#include "pipeline/filter.h"

#include <algorithm>
#include <string_view>

namespace oomwitness {
namespace {

constexpr std::size_t kShortestContainerId = 12;

template <typename Wanted, typename Fits>
bool any_or_none(const std::vector<Wanted>& wanted, Fits fits) {
  return wanted.empty() || std::any_of(wanted.begin(), wanted.end(), fits);
}

bool inside(std::string_view path, std::string_view wanted) {
  while (wanted.ends_with('/')) wanted.remove_suffix(1);
  return path.starts_with(wanted) && (path.size() == wanted.size() || path[wanted.size()] == '/');
}

bool is_container(const Container& container, const std::string& wanted) {
  if (container.name == wanted || container.id == wanted) return true;
  return wanted.size() >= kShortestContainerId && container.id.starts_with(wanted);
}

bool fits(const Victim& victim, const Filter& filter) {
  return any_or_none(filter.comm, [&](const auto& comm) { return victim.comm == comm; }) &&
         any_or_none(filter.pid, [&](auto pid) { return victim.pid == pid; }) &&
         any_or_none(filter.uid, [&](auto uid) { return victim.uid == uid; }) &&
         any_or_none(
             filter.cgroup,
             [&](const auto& path) { return victim.cgroup && inside(*victim.cgroup, path); }) &&
         any_or_none(filter.unit,
                     [&](const auto& unit) {
                       return victim.unit == unit || victim.unit == unit + ".service";
                     }) &&
         any_or_none(filter.container, [&](const auto& wanted) {
           return victim.container && is_container(*victim.container, wanted);
         });
}

}  // namespace

bool Filter::matches(const Incident& incident) const {
  const bool everything = comm.empty() && pid.empty() && uid.empty() && cgroup.empty() &&
                          unit.empty() && container.empty();
  return everything || std::any_of(incident.victims.begin(), incident.victims.end(),
                                   [&](const Victim& victim) { return fits(victim, *this); });
}

}  // namespace oomwitness
