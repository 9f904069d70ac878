// SPDX-License-Identifier: BSD-2-Clause
// Any bytes as the agent's configuration: no crash; what is accepted is within its bounds, what is
// refused says where.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "agent/config.h"
#include "agent/config_exporters.h"
#include "agent/recorder/recorder_part.h"

namespace oomwitness {
namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

void fuzz(std::string_view text) {
  auto file = ConfigFile::parse(text, "config.toml");
  if (!file) {
    check(file.error().message().find("config.toml") != std::string::npos);
    return;
  }
  const AgentConfig config = read_agent_config(*file);
  const auto exporters = read_exporters(*file, "/var/lib/oomwitness");
  const RecorderConfig recorder = read_recorder_config(*file);
  static_cast<void>(recorder);
  if (const Status status = file->finish(); !status) {
    check(status.error().message().find("config.toml") != std::string::npos);
    return;
  }
  check(config.capture.settle.count() >= 0);
  check(config.capture.ring_bytes > 0);
  check(!config.service.oom_score_adj ||
        (*config.service.oom_score_adj >= -1000 && *config.service.oom_score_adj <= 1000));
  for (const ExporterConfig& exporter : exporters) check(!exporter.name.empty());
}

}  // namespace
}  // namespace oomwitness

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  oomwitness::fuzz({reinterpret_cast<const char*>(input), size});
  return 0;
}
