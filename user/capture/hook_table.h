// SPDX-License-Identifier: BSD-2-Clause
// What can be observed, and the ways to observe it: plain tables. A program is named as in
// bpf/oomwitness.bpf.c; tests/object holds the two against each other.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace oomwitness {

enum class Hook : std::uint8_t {
  kScan,
  kCandidates,
  kDecision,
  kVictimKill,
  kMarkVictim,
  kSignalDeliver,
  kProcessExit,
  kReaper,
};

struct Way {
  std::string_view name;                       // "fentry", as users write it in --hook
  std::span<const std::string_view> programs;  // all of them, or the way does not work
};

struct HookRow {
  Hook hook;
  std::string_view name;      // "oom_kill_process", as users write it in --hook
  std::string_view gives;     // what its loss costs, for doctor
  std::span<const Way> ways;  // best first; after the last one: none
};

// Every hook, in the order they are attached.
std::span<const HookRow> hook_table();
const HookRow& hook_row(Hook hook);

}  // namespace oomwitness
