// SPDX-License-Identifier: BSD-2-Clause
#include "cli/agent_options.h"

#include <sstream>

#include <CLI/CLI.hpp>

#include "agent/config.h"
#include "cli/version.h"

namespace oomwitness {

std::variant<AgentCommand, EarlyExit> parse_agent(std::span<const char* const> argv) {
  CLI::App app{"Watches for OOM kills, keeps them and sends them on.", "oomwitness agent"};
  app.set_version_flag("-V,--version", std::string("oomwitness ") + kVersion);
  app.footer(
      "SIGHUP reads the configuration again. oomwitness-agent.toml(5) has its keys.\n"
      "Exit codes: 0 stopped by SIGTERM or SIGINT, or the configuration is right; 1 failed; 2 bad "
      "usage.");
  AgentCommand command{.config = std::string(kDefaultConfig)};
  app.add_option("--config", command.config, "The configuration")
      ->type_name("FILE")
      ->capture_default_str();
  app.add_flag("--check-config", command.check_config, "Say what is wrong with it, and end");
  try {
    app.parse(static_cast<int>(argv.size()), argv.data());
  } catch (const CLI::ParseError& error) {  // CLI11's only channel: it stops here
    std::ostringstream out;
    std::ostringstream err;
    const int code = app.exit(error, out, err);
    return EarlyExit{code == 0 ? 0 : 2, out.str(), err.str()};
  }
  return command;
}

}  // namespace oomwitness
