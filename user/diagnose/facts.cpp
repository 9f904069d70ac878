// SPDX-License-Identifier: BSD-2-Clause
#include "diagnose/facts.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "diagnose/thresholds.h"

namespace oomwitness {
namespace {

// What died: the chosen one, else the first that was really killed.
bool is_path(const std::string& path) {
  return path.starts_with('/');
}

// Own or an ancestor's, by the paths alone; damaged or missing ones say neither.
LimitOf whose_limit(const MemcgLevel& level, const Victim* victim) {
  if (victim == nullptr || !victim->cgroup || !is_path(level.path) || !is_path(*victim->cgroup))
    return LimitOf::kUnknown;
  if (*victim->cgroup == level.path) return LimitOf::kOwn;
  const std::string prefix = level.path == "/" ? "/" : level.path + "/";
  return victim->cgroup->starts_with(prefix) ? LimitOf::kAncestor : LimitOf::kUnknown;
}

// "Kill process ... score" lines begin with "Memory cgroup out of memory" for a limit's kill: a log
// that has the line and yet no limit tells of the host, or of a part of its nodes.
bool excludes_limit(const Incident& incident) {
  return !incident.scope.constraint && incident.selected && incident.selected->score;
}

Opt<std::uint64_t> real_limit(const Opt<std::uint64_t>& limit, bool unlimited) {
  if (unlimited || !limit || *limit >= thresholds::kUnlimited) return std::nullopt;
  return limit;
}

void find_limit(Facts& facts) {
  const MemcgLevel& level = facts.incident->scope.memcg->self;
  facts.limit = &level;
  facts.limit_of = whose_limit(level, facts.victim);
  facts.limit_bytes = real_limit(level.limit_bytes, level.unlimited);
  facts.limit_usage = level.usage_bytes;
  const auto both = real_limit(level.swap_limit_bytes, level.swap_unlimited);
  if (!level.swap_is_memsw || !both || !level.swap_usage_bytes) return;
  // v1 has a second limit, on memory and swap together: it was the one hit where it is nearer.
  const bool nearer =
      !facts.limit_bytes || !level.usage_bytes ||
      minus(*both, *level.swap_usage_bytes) < minus(*facts.limit_bytes, *level.usage_bytes);
  if (!nearer) return;
  facts.memsw = true;
  facts.limit_bytes = both;
  facts.limit_usage = level.swap_usage_bytes;
}

Opt<std::uint64_t> allowance(const Incident& incident) {
  const auto& pages = incident.candidates.total_pages;
  if (!pages || incident.host.page_size_bytes == 0) return std::nullopt;
  const std::uint64_t bytes = times(*pages, incident.host.page_size_bytes);
  if (*pages == 0 || bytes >= thresholds::kUnlimited) return std::nullopt;
  return bytes;
}

void find_capacity(Facts& facts) {
  const auto allowed = allowance(*facts.incident);
  switch (facts.shortage) {
    case Shortage::kCgroup:
      facts.capacity = facts.limit_bytes;
      facts.capacity_name = facts.memsw ? "the limit of memory and swap" : "the limit";
      if (!facts.capacity) facts.capacity = allowed;
      return;
    case Shortage::kNodes:
      facts.capacity = allowed;
      facts.capacity_name = "what the allowed nodes have";
      return;
    case Shortage::kHost:
    case Shortage::kUnknown: break;
  }
  facts.capacity = allowed;
  facts.capacity_name = facts.swap_total == 0U ? "RAM" : "RAM and swap";
  if (facts.capacity || !facts.host.total) return;
  facts.capacity = plus(*facts.host.total, facts.swap_total.value_or(0));
  if (!facts.swap_total) facts.capacity_name = "RAM (swap is not known)";
}

}  // namespace

std::uint64_t plus(std::uint64_t a, std::uint64_t b) {
  return a > std::numeric_limits<std::uint64_t>::max() - b
             ? std::numeric_limits<std::uint64_t>::max()
             : a + b;
}

Opt<std::uint64_t> plus(const Opt<std::uint64_t>& a, const Opt<std::uint64_t>& b) {
  if (!a) return b;
  return b ? plus(*a, *b) : *a;
}

std::uint64_t minus(std::uint64_t a, std::uint64_t b) {
  return a > b ? a - b : 0;
}

std::uint64_t times(std::uint64_t a, std::uint64_t b) {
  if (b != 0 && a > std::numeric_limits<std::uint64_t>::max() / b)
    return std::numeric_limits<std::uint64_t>::max();
  return a * b;
}

Opt<double> share(const Opt<std::uint64_t>& part, const Opt<std::uint64_t>& whole) {
  if (!part || !whole || *whole == 0) return std::nullopt;
  return static_cast<double>(*part) / static_cast<double>(*whole);
}

Opt<double> share_of_capacity(const Facts& facts, const Opt<std::uint64_t>& bytes) {
  return share(bytes, facts.capacity);
}

Opt<bool> kernel_at_least(const Incident& incident, unsigned major, unsigned minor) {
  const std::string& text = incident.host.kernel;
  const char* const end = text.data() + text.size();
  unsigned x = 0;
  unsigned y = 0;
  const auto first = std::from_chars(text.data(), end, x);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != '.') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, y);
  if (second.ec != std::errc{}) return std::nullopt;
  return x != major ? x > major : y >= minor;
}

const Victim* main_victim(const Incident& incident) {
  const auto& victims = incident.victims;
  const auto role = [&](auto wanted) {
    return std::find_if(victims.begin(), victims.end(), wanted);
  };
  auto found = role([](const Victim& v) { return v.role == Role::kChosen; });
  if (found == victims.end())
    found = role([](const Victim& v) { return v.role != Role::kAlreadyExiting; });
  if (found == victims.end()) found = victims.begin();
  return found == victims.end() ? nullptr : &*found;
}

void find_scope(Facts& facts) {
  const Scope& scope = facts.incident->scope;
  facts.victim = main_victim(*facts.incident);
  // A limit in the record is the kernel's own word for it; the constraint is not: kernels 5.0 to
  // 5.2 print CONSTRAINT_NONE for the kills of a limit too.
  if (scope.memcg || scope.constraint == "memcg") {
    facts.shortage = Shortage::kCgroup;
  } else if (scope.constraint == "none") {
    facts.shortage = Shortage::kHost;
  } else if (scope.constraint == "cpuset" || scope.constraint == "mempolicy") {
    facts.shortage = Shortage::kNodes;
  }
  if (facts.shortage == Shortage::kUnknown && excludes_limit(*facts.incident))
    facts.shortage = Shortage::kHost;
  if (scope.memcg) find_limit(facts);
}

Facts gather(const Incident& incident, std::span<const Earlier> earlier) {
  Facts facts;
  facts.incident = &incident;
  facts.earlier = earlier;
  find_scope(facts);
  find_uses(facts);
  find_capacity(facts);
  find_holders(facts);
  find_score(facts);
  return facts;
}

}  // namespace oomwitness
