// SPDX-License-Identifier: BSD-2-Clause
// Incidents to diagnose, as small as a cause allows.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "incident/incident.h"

namespace oomwitness {

inline constexpr std::uint64_t kKib = 1024;
inline constexpr std::uint64_t kMib = 1024 * kKib;
inline constexpr std::uint64_t kGib = 1024 * kMib;

inline Memory anon(std::uint64_t bytes) {
  Memory memory;
  memory.anon_rss_bytes = bytes;
  return memory;
}

inline Candidate task(std::uint32_t pid, const char* comm, std::uint64_t bytes,
                      std::int32_t adj = 0) {
  Candidate candidate;
  candidate.pid = pid;
  candidate.comm = comm;
  candidate.oom_score_adj = adj;
  candidate.memory = anon(bytes);
  return candidate;
}

inline void kill(Incident& incident, const Candidate& row) {
  Victim victim;
  victim.pid = row.pid;
  victim.comm = row.comm;
  victim.oom_score_adj = row.oom_score_adj;
  victim.memory = row.memory;
  victim.role = Role::kChosen;
  incident.victims = {victim};
  incident.selected = Selected{.pid = row.pid, .comm = row.comm, .points = {}, .score = {}};
}

// 16 GiB of RAM, no swap; `rows` are all there were, the first died.
inline Incident on_host(const std::vector<Candidate>& rows) {
  Incident incident;
  incident.id = "host";
  incident.host.page_size_bytes = 4096;
  incident.scope.constraint = "none";
  incident.candidates.top = rows;
  incident.candidates.considered = rows.size();
  incident.system.meminfo_bytes = {{"MemTotal", 16 * kGib}};
  incident.system.swap_bytes = {{"total", 0}, {"free", 0}};
  kill(incident, rows.at(0));
  return incident;
}

// A limit of 512 MiB on /a, met exactly; the victim lived in `cgroup`.
inline Incident under_limit(const std::vector<Candidate>& rows, const char* cgroup = "/a") {
  Incident incident = on_host(rows);
  incident.id = "limit";
  incident.scope.constraint = "memcg";
  Memcg memcg;
  memcg.self.path = "/a";
  memcg.self.usage_bytes = 512 * kMib;
  memcg.self.limit_bytes = 512 * kMib;
  incident.scope.memcg = memcg;
  incident.victims[0].cgroup = cgroup;
  return incident;
}

inline Zone zone(std::uint32_t node, const char* name, std::uint64_t free, std::uint64_t min,
                 std::vector<std::uint64_t> blocks = {}) {
  Zone made;
  made.node = node;
  made.zone = name;
  made.free_bytes = free;
  made.min_bytes = min;
  made.free_blocks = std::move(blocks);
  return made;
}

inline Incident with(Incident incident, const std::function<void(Incident&)>& change) {
  change(incident);
  return incident;
}

}  // namespace oomwitness
