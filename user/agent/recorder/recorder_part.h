// SPDX-License-Identifier: BSD-2-Clause
// The flight recorder as a part of the agent: [recorder] in its configuration, samples from its
// event loop, the history of each incident before that is diagnosed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "agent/config_reader.h"
#include "agent/log.h"
#include "agent/part.h"
#include "agent/recorder/recorder.h"
#include "enrich/roots.h"

namespace oomwitness {

struct RecorderConfig {
  bool enabled = true;
  RecorderOptions options;
};

// Asks for the keys of [recorder].
RecorderConfig read_recorder_config(ConfigFile& file);

class RecorderPart final : public AgentPart {
 public:
  // Opens the recorder now, while there are still rights to arm triggers. Without it the agent goes
  // on, and says so.
  RecorderPart(const RecorderConfig& config, const Roots& roots, const AgentLog& log);

  void complete(Incident& incident) override;
  std::vector<int> descriptors() const override;
  std::optional<std::uint64_t> next_deadline() const override;
  void turn(std::uint64_t now_ns) override;

 private:
  std::unique_ptr<Recorder> recorder_;
};

}  // namespace oomwitness
