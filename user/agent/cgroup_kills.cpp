// SPDX-License-Identifier: BSD-2-Clause
#include "agent/cgroup_kills.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "enrich/memory_files.h"

namespace oomwitness {
namespace {

constexpr std::size_t kMostCgroups = 64;
constexpr std::size_t kMostTold = 256;
// A kill that happens while the counters are read is described by then.
constexpr std::uint64_t kBetweenNs = 5'000'000'000;

// Absent: the cgroup is gone (ENODEV), or the kernel does not count.
std::optional<std::int64_t> read_kills(const OwnedFd& counter) {
  std::array<char, 1024> text{};
  const ssize_t got = ::pread(counter.get(), text.data(), text.size(), 0);
  if (got <= 0) return std::nullopt;
  const auto kills = keyed_number({text.data(), static_cast<std::size_t>(got)}, "oom_kill");
  return kills ? std::optional(static_cast<std::int64_t>(*kills)) : std::nullopt;
}

OwnedFd open_counter(const Roots& roots, const std::string& path) {
  const auto folder = find_memcg_folder(roots, path);
  if (!folder) return OwnedFd();
  const std::string file =
      folder->path + (folder->v1 ? "/memory.oom_control" : "/memory.events.local");
  return OwnedFd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
}

// Of each cgroup, the victims that __oom_kill_process (mm/oom_kill.c) counts one by one.
std::map<std::string, std::int64_t> kills_by_cgroup(const Incident& incident) {
  std::map<std::string, std::int64_t> kills;
  for (const Victim& victim : incident.victims) {
    if (!victim.cgroup) continue;
    if (victim.role == Role::kSharedMm || victim.role == Role::kAlreadyExiting) continue;
    ++kills[*victim.cgroup];
  }
  return kills;
}

}  // namespace

void CgroupKills::add(const Incident& incident) {
  if (incident.killer != "kernel") return;
  const Counts now = kills_by_cgroup(incident);
  const auto told = std::find_if(told_.begin(), told_.end(),
                                 [&](const auto& one) { return one.first == incident.id; });
  if (told == told_.end() && incident.revision > 0) return;
  Counts more = now;
  if (told != told_.end())
    for (const auto& [path, kills] : told->second) more[path] -= kills;
  for (const auto& [path, kills] : more) describe(path, kills);
  if (told != told_.end()) {
    told->second = now;
    return;
  }
  told_.emplace_back(incident.id, now);
  if (told_.size() > kMostTold) told_.pop_front();
}

std::list<CgroupKills::Followed>::iterator CgroupKills::find(const std::string& path) {
  return std::find_if(followed_.begin(), followed_.end(),
                      [&](const Followed& one) { return one.path == path; });
}

void CgroupKills::describe(const std::string& path, std::int64_t kills) {
  if (kills == 0) return;
  const auto one = find(path);
  if (one == followed_.end()) {
    if (kills > 0) follow(path, kills);
    return;
  }
  const auto counted = read_kills(one->counter);
  if (!counted) {
    // Another one may be there by the same name.
    leave(one);
    if (kills > 0) follow(path, kills);
    return;
  }
  one->described += kills;
  one->before = std::min(one->before, *counted - one->described);
  followed_.splice(followed_.begin(), followed_, one);
}

void CgroupKills::follow(const std::string& path, std::int64_t kills) {
  OwnedFd counter = open_counter(roots_, path);
  if (counter.get() < 0) return;
  const auto counted = read_kills(counter);
  if (!counted) return;
  followed_.push_front({.path = path,
                        .counter = std::move(counter),
                        .described = kills,
                        .before = *counted - kills});
  if (followed_.size() > kMostCgroups) leave(std::prev(followed_.end()));
}

std::list<CgroupKills::Followed>::iterator CgroupKills::leave(std::list<Followed>::iterator one) {
  left_undescribed_ += one->undescribed;
  return followed_.erase(one);
}

void CgroupKills::reconcile(std::uint64_t now_ns) {
  if (reconciled_ns_ != 0 && now_ns - reconciled_ns_ < kBetweenNs) return;
  reconciled_ns_ = now_ns;
  for (auto one = followed_.begin(); one != followed_.end();) {
    const auto counted = read_kills(one->counter);
    if (!counted) {
      one = leave(one);
      continue;
    }
    const std::int64_t beyond = *counted - one->described - one->before;
    const auto excess = static_cast<std::uint64_t>(std::max<std::int64_t>(beyond, 0));
    one->undescribed = std::min(excess, one->excess);
    one->excess = excess;
    ++one;
  }
}

std::uint64_t CgroupKills::undescribed() const {
  std::uint64_t total = left_undescribed_;
  for (const Followed& one : followed_) total += one.undescribed;
  return total;
}

}  // namespace oomwitness
