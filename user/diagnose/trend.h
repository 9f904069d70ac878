// SPDX-License-Identifier: BSD-2-Clause
// How memory grew before the kill, read off the record's history. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "diagnose/facts.h"
#include "incident/incident.h"

namespace oomwitness {

// One quantity of a history: bytes over time, oldest first.
struct Reading {
  std::uint64_t monotonic_ns = 0;
  std::uint64_t bytes = 0;
};
using Series = std::vector<Reading>;

// The samples that have this value. Up to the kill only, where its time is known.
Series series_of(const Incident& incident, std::string_view value);
// RAM that was in use: what is available, taken from RAM, or from the most that ever was available
// where RAM's size is not known.
Series host_used(const Incident& incident);

// The shape of what ran out: of the limit that was hit, else of the host, else of the victim.
// Absent: too few samples, too short, or no shape (memory that went up and down).
Opt<Trend> trend_of(const Facts& facts);

// "Memory of /a grew like a leak: ..."; empty without a trend.
std::string trend_sentence(const Facts& facts);
// Whether it was the victim that grew; empty where the history does not show that.
std::string grower_sentence(const Facts& facts);

}  // namespace oomwitness
