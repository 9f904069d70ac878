// SPDX-License-Identifier: BSD-2-Clause
// [recorder] of the agent's configuration.
#include "agent/recorder/recorder_part.h"

#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace oomwitness {
namespace {

using testing::HasSubstr;

Result<RecorderConfig> read(const std::string& text) {
  TRY(auto file, ConfigFile::parse(text, "agent.toml"));
  const RecorderConfig config = read_recorder_config(file);
  CHECK_OK(file.finish());
  return config;
}

TEST(RecorderConfig, EveryKeyIsTaken) {
  const auto config = read(R"([recorder]
enabled = false
interval = "10s"
pressure_interval = "250ms"
cgroups = 100
processes = 7
)");
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_FALSE(config->enabled);
  EXPECT_EQ(config->options.slow, std::chrono::seconds(10));
  EXPECT_EQ(config->options.fast, std::chrono::milliseconds(250));
  EXPECT_EQ(config->options.cgroups, 100U);
  EXPECT_EQ(config->options.processes, 7U);
  EXPECT_TRUE(read("")->enabled);
}

TEST(RecorderConfig, WhatWouldWakeTheHostTooOftenIsAnErrorWithItsLine) {
  for (const char* line : {"interval = \"10ms\"", "pressure_interval = \"1ms\"", "cgroups = 0"}) {
    const auto config = read(std::string("[recorder]\n") + line + "\n");
    ASSERT_FALSE(config) << line;
    EXPECT_THAT(config.error().message(), HasSubstr("agent.toml:2")) << line;
  }
}

TEST(RecorderPart, ThatIsOffAsksForNothing) {
  const AgentLog log(-1, false);
  RecorderPart part({.enabled = false, .options = {}}, {}, log);
  EXPECT_TRUE(part.descriptors().empty());
  EXPECT_FALSE(part.next_deadline());
  part.turn(1);
  Incident incident;
  part.complete(incident);
  EXPECT_EQ(incident.history, History{});
}

}  // namespace
}  // namespace oomwitness
