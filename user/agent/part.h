// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "agent/config_reader.h"
#include "incident/incident.h"

namespace oomwitness {

// Something of the agent beside capture and store: the exporters, the flight recorder. All of it is
// called by the event loop's thread and must return at once.
class AgentPart {
 public:
  AgentPart() = default;
  AgentPart(const AgentPart&) = delete;
  AgentPart& operator=(const AgentPart&) = delete;
  AgentPart(AgentPart&&) = delete;
  AgentPart& operator=(AgentPart&&) = delete;
  virtual ~AgentPart() = default;

  // The hooks are in place and rights have been given up: threads made from now on have none
  // either.
  virtual void start() {}
  // Before it is diagnosed and stored.
  virtual void complete(Incident&) {}
  // Something has been stored, up to this number (StoredIncident::seq).
  virtual void stored(std::int64_t /*newest*/) {}
  // SIGHUP, and the file was right.
  virtual void reload(ConfigFile&) {}
  // As LivePartner has them.
  virtual std::vector<int> descriptors() const { return {}; }
  virtual std::optional<std::uint64_t> next_deadline() const { return std::nullopt; }
  virtual void turn(std::uint64_t /*now_ns*/) {}
  // The end: sends what can be sent soon.
  virtual void stop() {}
};

}  // namespace oomwitness
