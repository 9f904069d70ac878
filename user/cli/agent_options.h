// SPDX-License-Identifier: BSD-2-Clause
// The command line of oomwitness-agent as validated values.
#pragma once

#include <span>
#include <string>
#include <variant>

#include "cli/early_exit.h"

namespace oomwitness {

struct AgentCommand {
  std::string config;
  bool check_config = false;
};

std::variant<AgentCommand, EarlyExit> parse_agent(std::span<const char* const> argv);

}  // namespace oomwitness
