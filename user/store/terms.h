// SPDX-License-Identifier: BSD-2-Clause
// The names by which incidents are found. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "incident/incident.h"

namespace oomwitness {

// Part of the stored form: never renumber.
enum class TermKind : std::uint8_t {
  kComm = 1,
  kUnit = 2,
  kCgroup = 3,     // the victim's, and every one above it but the root
  kPod = 4,        // "name" and "namespace/name"
  kContainer = 5,  // name, and id
  kCause = 6,
};

struct Term {
  TermKind kind = TermKind::kComm;
  std::string text;
  bool operator==(const Term&) const = default;
};

// What victims are found by, each kind of victim once; the cause of the incident is among each's.
// One entry at least, and 256 at most: in a group of more, the last has the names of all the rest.
std::vector<std::vector<Term>> terms_of(const Incident& incident);

// Without the slashes at its end; empty: the root, in which everything is.
std::string_view cgroup_term(std::string_view path);

// How many of its victims the kernel has counted in oom_kill of /proc/vmstat: those that
// __oom_kill_process (mm/oom_kill.c) was called for, not those that were dying already or share the
// memory of one. Kills by user space count none.
std::uint64_t counted_kills(const Incident& incident);

}  // namespace oomwitness
