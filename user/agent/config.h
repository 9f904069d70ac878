// SPDX-License-Identifier: BSD-2-Clause
// What /etc/oomwitness/config.toml says, as validated values; oomwitness-agent.toml(5) has every
// key.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config_reader.h"
#include "enrich/roots.h"
#include "store/default_path.h"
#include "store/store.h"
#include "support/result.h"

namespace oomwitness {

inline constexpr std::string_view kDefaultConfig = "/etc/oomwitness/config.toml";

struct CaptureConfig {
  std::vector<std::string> hooks;
  std::optional<std::string> btf;
  std::uint32_t ring_bytes = 512U << 10U;
  std::chrono::nanoseconds settle = std::chrono::milliseconds(500);
  Roots roots;
  std::string kernel_log = "/dev/kmsg";
  bool earlier_boots = true;  // look for their kills in systemd's journal
};

// What becomes of arguments before anything keeps or sends them.
struct RedactConfig {
  bool secrets = true;             // mask what looks like a secret (redact_argv)
  std::vector<std::string> names;  // and the values of these options and variables
  bool all = false;                // keep nothing but the first argument, the program's name
};

struct ServiceConfig {
  bool lock_memory = true;
  std::optional<std::int64_t> oom_score_adj = -900;
  bool drop_capabilities = true;
  bool seccomp = true;
};

struct AgentConfig {
  std::string store_path{kDefaultStore};
  StoreOptions store;
  CaptureConfig capture;
  RedactConfig redact;
  ServiceConfig service;
};

// Asks for the keys above; those of the exporters and the recorder are asked for by themselves,
// before ConfigFile::finish().
AgentConfig read_agent_config(ConfigFile& file);

}  // namespace oomwitness
