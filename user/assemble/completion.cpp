// SPDX-License-Identifier: BSD-2-Clause
#include "assemble/completion.h"

#include <algorithm>

namespace oomwitness {

namespace {

std::uint64_t later(std::uint64_t at, std::uint64_t wait) {
  return at > UINT64_MAX - wait ? UINT64_MAX : at + wait;
}

bool awaits_log(const CaseFile& file, const AssemblerConfig& config) {
  if (!config.expect_log) return false;
  // Neither a sharer of the mm nor a task that was dying already gets a line in the log.
  return std::any_of(file.victims.begin(), file.victims.end(), [&](const CaseVictim& victim) {
    return !victim.log && !victim.is_sharer() &&
           !file.was_already_exiting(victim, sees_decisions(config));
  });
}

// Things without which an incident is told badly; only settle_ns ends the wait for them.
bool is_whole(const CaseFile& file, const AssemblerConfig& config) {
  if (!file.everybody_gone()) return false;
  if (file.written) return true;
  return !file.victims.empty() && !file.awaits_sharer() && !awaits_log(file, config);
}

// Things that usually come; each has a wait of its own.
std::uint64_t last_wait(const CaseFile& file, const AssemblerConfig& config) {
  std::uint64_t until = file.opened_ns;
  const auto wait = [&until](std::uint64_t at, std::uint64_t time) {
    until = std::max(until, later(at, time));
  };
  for (const CaseVictim& victim : file.victims) {
    if (!victim.from_kernel()) continue;
    if (config.expect_proc_facts && !victim.facts) wait(victim.arrived_ns, config.facts_wait_ns);
    // SIGKILL goes out before mark_victim: on another CPU the victim may be gone by then.
    if (!victim.mark && !victim.is_sharer()) wait(victim.gone_ns, config.group_quiet_ns);
  }
  // Read along with the facts; without the wait, an update would follow with nothing else in it.
  if (config.expect_system && file.from_kernel() && !file.system)
    wait(file.opened_ns, config.facts_wait_ns);
  if (config.expect_memcg_stat && file.decision && file.decision->memcg && !file.stat)
    wait(file.opened_ns, config.facts_wait_ns);
  if (file.from_kernel() && file.is_group()) wait(file.last_victim_ns, config.group_quiet_ns);
  return until;
}

// When it is written with what is known.
std::uint64_t settles_at(const CaseFile& file, const AssemblerConfig& config) {
  if (file.written) return later(*file.news_since, config.settle_ns);
  if (!file.victims.empty()) {
    return later(std::max(file.opened_ns, file.victims.front().arrived_ns), config.settle_ns);
  }
  if (!file.decision) return later(file.opened_ns, config.settle_ns);
  return later(file.opened_ns, std::max(config.settle_ns, config.victim_wait_ns));
}

}  // namespace

bool sees_decisions(const AssemblerConfig& config) {
  const auto hook = config.hooks.find("oom_kill_process");
  return hook != config.hooks.end() && !hook->second.empty() && hook->second != "none";
}

bool is_over(const CaseFile& file) {
  return file.everybody_gone();
}

std::uint64_t gives_up_at(const CaseFile& file, const AssemblerConfig& config) {
  return later(file.opened_ns, config.give_up_ns);
}

std::optional<std::uint64_t> due(const CaseFile& file, const AssemblerConfig& config) {
  if (file.written && !file.news_since) {
    if (is_over(file)) return std::nullopt;
    return gives_up_at(file, config);
  }
  const std::uint64_t settled = settles_at(file, config);
  const std::uint64_t at =
      is_whole(file, config) ? std::min(settled, last_wait(file, config)) : settled;
  return file.written ? std::min(at, gives_up_at(file, config)) : at;
}

}  // namespace oomwitness
