// SPDX-License-Identifier: BSD-2-Clause
#include "sink/webhook/storm.h"

#include <algorithm>
#include <utility>

#include "sink/export_fields.h"

namespace oomwitness {

std::string Storm::key_of(const ExportItem& item) const {
  std::string cause = cause_of(item.incident);
  return causes_.size() < kMostCauses || causes_.contains(cause) ? cause : "other";
}

bool Storm::is_to_be_told(const ExportItem& item, Nanos now) const {
  if (ids_.contains(item.incident.id)) return false;
  const auto found = causes_.find(key_of(item));
  // What is held goes first, so that a count is never behind its successor.
  return found == causes_.end() ||
         (now >= found->second.quiet_until && found->second.held.count == 0);
}

void Storm::told(const ExportItem& item, Nanos now) {
  causes_[key_of(item)].quiet_until = now + interval_;
  remember(item.incident.id);
}

void Storm::hold(const ExportItem& item) {
  if (ids_.contains(item.incident.id)) return;
  remember(item.incident.id);
  const std::string key = key_of(item);
  Digest& held = causes_[key].held;
  if (held.count == 0)
    held = {.cause = key, .first_seq = item.seq, .first_unix_ns = item.incident.time_unix_ns};
  ++held.count;
  held.first_unix_ns = std::min(held.first_unix_ns, item.incident.time_unix_ns);
  held.last_unix_ns = std::max(held.last_unix_ns, item.incident.time_unix_ns);
  held.latest = item;
}

const Digest* Storm::due(Nanos now) const {
  const auto found = std::find_if(causes_.begin(), causes_.end(), [now](const auto& entry) {
    return entry.second.held.count > 0 && now >= entry.second.quiet_until;
  });
  return found == causes_.end() ? nullptr : &found->second.held;
}

void Storm::told_due(const Digest& digest, Nanos now) {
  Cause& cause = causes_[digest.cause];
  cause.quiet_until = now + interval_;
  cause.held = {};
}

Opt<Storm::Nanos> Storm::next_due(Nanos now) const {
  Opt<Nanos> next;
  for (const auto& [name, cause] : causes_)
    if (cause.held.count > 0) {
      const Nanos wait = std::max(cause.quiet_until - now, Nanos(0));
      next = std::min(next.value_or(wait), wait);
    }
  return next;
}

Opt<std::int64_t> Storm::first_held() const {
  Opt<std::int64_t> first;
  for (const auto& [name, cause] : causes_)
    if (cause.held.count > 0)
      first = std::min(first.value_or(cause.held.first_seq), cause.held.first_seq);
  return first;
}

void Storm::remember(const std::string& id) {
  if (!ids_.insert(id).second) return;
  order_.push_back(id);
  if (order_.size() <= kMostIds) return;
  ids_.erase(order_.front());
  order_.pop_front();
}

}  // namespace oomwitness
