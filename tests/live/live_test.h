// SPDX-License-Identifier: BSD-2-Clause
// What every live test stands on: a memory controller, and what an incident must say.
#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cgroup.h"
#include "process.h"
#include "tracer.h"

namespace oomwitness::live {

// Kills can be provoked here.
class ProvokingTest : public ::testing::Test {
 protected:
  void SetUp() override;
  const Hierarchy& memory() const { return *memory_; }

 private:
  std::optional<Hierarchy> memory_;
};

// And there is a tracer to see them.
class LiveTest : public ProvokingTest {
 protected:
  void SetUp() override;
};

// For what could hurt a host: global OOM, SysRq, sysctls, cpusets.
class GuestTest : public LiveTest {
 protected:
  void SetUp() override;
};

// Root here may use BPF, and the kernel has its own BTF: the tracer must start.
bool has_bpf();

// Skips the test, with the tracer's own words, when it cannot start here.
#define SKIP_UNLESS_READY(tracer)                                            \
  ASSERT_TRUE(((tracer).ready() && !(tracer).log_alone()) || !has_bpf())     \
      << "the tracer does not start with hooks: " << (tracer).stderr_text(); \
  if (!(tracer).ready() || (tracer).log_alone())                             \
  GTEST_SKIP() << "no BPF here: " << (tracer).stderr_text()

struct ExpectedVictim {
  pid_t pid = 0;
  std::string comm = "provoke";
  std::vector<std::string> cmdline = {"provoke"};
  std::string exe = provoker_path();
  unsigned uid = 0;
  std::string cgroup;
  int adj = 1000;
  std::string role = "chosen";
  std::uint64_t lost_at_most = 0;
};

// Incidents are sent as text; bytes that are not UTF-8 are spelt \xNN (schema: "strings").
std::string bytes_of(const json& text);
std::vector<std::string> all_bytes_of(const json& texts);

// The victim with that pid; a test failure and null when there is none.
json victim_with(const json& incident, pid_t pid);

// Everything that identifies the victim, its memory and its timeline.
void expect_victim(const json& incident, const ExpectedVictim& expected);
// It is marked, takes the signal and is gone.
void expect_timeline(const json& victim);
void expect_between(const json& number, std::uint64_t low, std::uint64_t high, const char* name);

struct ExpectedDecision {
  const Cgroup* limited = nullptr;  // whose limit was hit
  std::uint64_t limit_bytes = 0;
  std::vector<std::string> ancestors;  // paths above it, parent first, without the root
  pid_t invoker = 0;
  pid_t invoker_tid = 0;
  std::string invoker_cgroup;
  std::vector<pid_t> candidates;  // every process the kernel weighed
  pid_t selected = 0;
};

// What only the function hooks see; does nothing for the parts that this tracer's hooks cannot
// give.
void expect_decision(const Tracer& tracer, const json& incident, const ExpectedDecision& expected);

}  // namespace oomwitness::live
