// SPDX-License-Identifier: BSD-2-Clause
#include "sink/prometheus/kill_counts.h"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "sink/export_fields.h"
#include "support/text.h"

namespace oomwitness {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostIds = 1024;
constexpr std::size_t kLongestValue = 128;
constexpr int kStateVersion = 1;

std::string label_value(const std::string& bytes) {
  return escape_for_terminal(bytes, Charset::kAscii).substr(0, kLongestValue);
}

Json series_of(const CountFamily& family) {
  Json out = Json::array();
  for (const auto& [values, count] : family.series()) out.push_back({values, count});
  return out;
}

// Throws what the JSON library throws.
bool restore(CountFamily& family, const Json& series) {
  return std::all_of(series.begin(), series.end(), [&](const Json& one) {
    return family.restore(one.at(0).get<std::vector<std::string>>(),
                          one.at(1).get<std::uint64_t>());
  });
}

// Tasks that were told to die: those already exiting were marked and not killed.
std::uint64_t killed(const Incident& incident) {
  return static_cast<std::uint64_t>(
      std::count_if(incident.victims.begin(), incident.victims.end(),
                    [](const Victim& v) { return v.role != Role::kAlreadyExiting; }));
}

}  // namespace

void CountFamily::add(const std::vector<std::string>& values, std::uint64_t amount) {
  std::vector<std::string> safe;
  safe.reserve(values.size());
  for (const std::string& value : values) safe.push_back(label_value(value));
  count(std::move(safe), amount);
}

bool CountFamily::restore(std::vector<std::string> values, std::uint64_t count_then) {
  const bool safe = std::all_of(values.begin(), values.end(), [](const std::string& value) {
    return value.size() <= kLongestValue &&
           std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; });
  });
  if (!safe || values.size() != labels_.size()) return false;
  count(std::move(values), count_then);
  return true;
}

void CountFamily::count(std::vector<std::string> safe, std::uint64_t amount) {
  // One place is for the rest.
  if (!series_.contains(safe) && series_.size() + 1 >= kMostSeries)
    safe.assign(safe.size(), "other");
  series_[std::move(safe)] += amount;
}

KillCounts::KillCounts()
    : kills_({"constraint", "cause", "killer"}),
      victims_({"constraint", "cause"}),
      workloads_({"namespace", "container", "unit"}) {}

void KillCounts::count(const Incident& incident, std::int64_t seq) {
  place_ = seq;
  if (ids_.contains(incident.id)) return;
  remember(incident.id);
  const std::string constraint = incident.scope.constraint.value_or("unknown");
  kills_.add({constraint, cause_of(incident), incident.killer}, 1);
  victims_.add({constraint, cause_of(incident)}, killed(incident));
  for (const Victim& victim : incident.victims) {
    if (victim.role == Role::kAlreadyExiting) continue;
    // The name a person gave, not the pod's or the container's id: those never come back.
    const std::string container = victim.pod && !victim.pod->container.empty()
                                      ? victim.pod->container
                                  : victim.container ? victim.container->name
                                                     : "";
    workloads_.add({victim.pod ? victim.pod->ns : "", container, victim.unit.value_or("")}, 1);
  }
  lost_events_ += incident.provenance.lost_events;
  if (incident.time_unix_ns != 0)
    last_kill_unix_ns_ = std::max(last_kill_unix_ns_.value_or(0), incident.time_unix_ns);
}

void KillCounts::remember(const std::string& id) {
  ids_.insert(id);
  order_.push_back(id);
  if (order_.size() <= kMostIds) return;
  ids_.erase(order_.front());
  order_.pop_front();
}

std::string KillCounts::to_state() const {
  Json out{{"version", kStateVersion},           {"place", place_},
           {"kills", series_of(kills_)},         {"victims", series_of(victims_)},
           {"workloads", series_of(workloads_)}, {"lost_events", lost_events_}};
  if (last_kill_unix_ns_) out["last_kill_unix_ns"] = *last_kill_unix_ns_;
  out["counted"] = order_;
  return out.dump(-1, ' ', true, Json::error_handler_t::replace);
}

Result<KillCounts> KillCounts::from_state(std::string_view state) {
  try {
    const Json in = Json::parse(state);
    if (in.at("version").get<int>() != kStateVersion)
      return fail("it was written by another version");
    KillCounts out;
    in.at("place").get_to(out.place_);
    in.at("lost_events").get_to(out.lost_events_);
    if (!restore(out.kills_, in.at("kills")) || !restore(out.victims_, in.at("victims")) ||
        !restore(out.workloads_, in.at("workloads")))
      return fail("it has labels that nobody wrote");
    if (in.contains("last_kill_unix_ns"))
      out.last_kill_unix_ns_ = in.at("last_kill_unix_ns").get<std::int64_t>();
    for (const Json& id : in.at("counted")) out.remember(id.get<std::string>());
    return out;
  } catch (const std::exception& problem) {
    return fail("it cannot be read: " + escape_for_terminal(problem.what()));
  }
}

}  // namespace oomwitness
