// SPDX-License-Identifier: BSD-2-Clause
// Batches for exporters, of the sample incidents.
#pragma once

#include <string>
#include <vector>

#include "diagnose/diagnose.h"
#include "incident/json.h"
#include "sample_incidents.h"
#include "sink/exporter.h"

namespace oomwitness {

inline ExportItem item_of(const Incident& incident, std::int64_t seq) {
  return {.seq = seq, .json = to_json(incident), .incident = incident};
}

inline Incident sample(const std::string& name) {
  for (const auto& [known, incident] : sample_incidents())
    if (known == name) return incident;
  return {};
}

// Ten samples, diagnosed and numbered: the same ones whatever samples others add.
inline std::vector<ExportItem> sample_batch() {
  std::vector<ExportItem> out;
  for (const char* name : {"memcg", "global", "group", "tracepoint", "hostile", "update", "sysrq",
                           "allocating", "bare", "user_space"}) {
    Incident incident = sample(name);
    incident.diagnosis = diagnose(incident);
    out.push_back(item_of(incident, static_cast<std::int64_t>(out.size()) + 1));
  }
  return out;
}

}  // namespace oomwitness
