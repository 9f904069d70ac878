// SPDX-License-Identifier: BSD-2-Clause
#include "agent/recorder/recorder_part.h"

#include <chrono>
#include <string>
#include <utility>

#include "pipeline/host.h"

namespace oomwitness {
namespace {

using std::chrono::milliseconds;

// A duration between two bounds; `field` keeps its default where the key is not there.
void take(ConfigSection& section, const char* key, milliseconds least, milliseconds most,
          milliseconds& field) {
  const auto value = section.duration(key);
  if (!value) return;
  if (*value < least || *value > most)
    return section.refuse(key, "is not between " + std::to_string(least.count()) + "ms and " +
                                   std::to_string(most.count()) + "ms");
  field = std::chrono::duration_cast<milliseconds>(*value);
}

}  // namespace

RecorderConfig read_recorder_config(ConfigFile& file) {
  RecorderConfig config;
  ConfigSection section = file.top().section("recorder");
  config.enabled = section.flag("enabled").value_or(config.enabled);
  take(section, "interval", milliseconds(1'000), milliseconds(60'000), config.options.slow);
  take(section, "pressure_interval", milliseconds(100), milliseconds(5'000), config.options.fast);
  constexpr std::int64_t kMostCgroups = 4096;
  constexpr std::int64_t kMostProcesses = 256;
  if (const auto cgroups = section.number("cgroups", 1, kMostCgroups))
    config.options.cgroups = static_cast<std::size_t>(*cgroups);
  if (const auto processes = section.number("processes", 1, kMostProcesses))
    config.options.processes = static_cast<std::size_t>(*processes);
  return config;
}

RecorderPart::RecorderPart(const RecorderConfig& config, const Roots& roots, const AgentLog& log) {
  if (!config.enabled) return;
  auto recorder = Recorder::open(roots, config.options, monotonic_now_ns());
  if (!recorder) {
    log.say(Severity::kWarning, recorder.error());
    log.say(Severity::kWarning, "incidents will have no history");
    return;
  }
  recorder_ = *std::move(recorder);
  if (!recorder_->notes().empty())
    log.say(Severity::kInfo, "flight recorder: " + recorder_->notes());
  if (recorder_->cgroups_left_out() > 0)
    log.say(Severity::kWarning,
            "flight recorder: " + std::to_string(recorder_->cgroups_left_out()) +
                " cgroups are more than it has room for: cgroups of [recorder]");
}

void RecorderPart::complete(Incident& incident) {
  if (recorder_ && incident.history.samples.empty())
    incident.history = recorder_->history_for(incident);
}

std::vector<int> RecorderPart::descriptors() const {
  return recorder_ ? std::vector<int>{recorder_->fd()} : std::vector<int>{};
}

std::optional<std::uint64_t> RecorderPart::next_deadline() const {
  return recorder_ ? std::optional<std::uint64_t>(recorder_->deadline_ns()) : std::nullopt;
}

void RecorderPart::turn(std::uint64_t now_ns) {
  if (!recorder_) return;
  recorder_->on_event(now_ns);
  recorder_->on_deadline(now_ns);
}

}  // namespace oomwitness
