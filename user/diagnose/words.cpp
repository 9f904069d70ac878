// SPDX-License-Identifier: BSD-2-Clause
#include "diagnose/words.h"

#include <fmt/format.h>

#include "diagnose/thresholds.h"
#include "support/text.h"

namespace oomwitness {

std::string safe_name(std::string_view bytes) {
  return name_in_sentence(bytes, Charset::kAscii);
}

std::string task_text(const Opt<std::string>& comm, const Opt<std::uint32_t>& pid) {
  const std::string name = comm && !comm->empty() ? safe_name(*comm) : "a process";
  return pid ? fmt::format("{} (pid {})", name, *pid) : name;
}

std::string task_text(const Victim& victim) {
  return task_text(victim.comm, victim.pid);
}

std::string holder_text(const Holder& holder) {
  if (holder.pid) return task_text(holder.comm, holder.pid);
  return fmt::format("the {} tasks named {}", thousands(holder.tasks), safe_name(holder.comm));
}

std::string limit_name(const Facts& facts) {
  if (facts.limit == nullptr || facts.limit->path.empty()) return "a memory cgroup";
  return safe_name(facts.limit->path);
}

std::string percent(double share) {
  const double value = share * 100;
  if (value > 0 && value < 0.95) return fmt::format("{:.2g}%", value);
  if (value >= 1e6) return "more than 10,000 times";
  return fmt::format("{:.1f}%", value);
}

std::string held_text(const Facts& facts, const Opt<std::uint64_t>& bytes) {
  if (!bytes) return "an unknown amount";
  const auto part = share_of_capacity(facts, bytes);
  if (!part) return human_size(*bytes);
  return fmt::format("{}, {} of {}", human_size(*bytes), percent(*part), facts.capacity_name);
}

std::string of_ram_text(const Facts& facts, std::uint64_t bytes) {
  const auto part = share(bytes, facts.host.total);
  return part ? fmt::format("{}, {} of RAM", human_size(bytes), percent(*part)) : human_size(bytes);
}

std::string of_limit_text(const Facts& facts, std::uint64_t bytes) {
  const auto part = share(bytes, facts.limit_bytes);
  return part ? fmt::format("{}, {} of the limit", human_size(bytes), percent(*part))
              : human_size(bytes);
}

std::string who_died(const Facts& facts) {
  const Incident& incident = *facts.incident;
  if (facts.victim == nullptr) {
    if (incident.scope.no_killable.value_or(false)) return "Nobody died: no task could be killed.";
    return "The record does not show that anybody died.";
  }
  const Victim& victim = *facts.victim;
  std::string out = task_text(victim);
  if (incident.victims.size() > 1)
    out += fmt::format(" and {} more died; it", incident.victims.size() - 1);
  else
    out += victim.role == Role::kAlreadyExiting ? " was exiting already; it" : " died; it";
  if (!facts.victim_bytes) return out.substr(0, out.rfind(';')) + ".";
  out += " held " + held_text(facts, facts.victim_bytes) + ".";
  if (victim.role == Role::kChild && incident.selected)
    out += fmt::format(" The choice had fallen on {}; old kernels kill a child in its place.",
                       task_text(incident.selected->comm, incident.selected->pid));
  return out;
}

std::string who_held_most(const Facts& facts) {
  if (facts.tasks.size() < 2) return "";
  const Holder& top = facts.tasks.front();
  if (is_victim(facts, top)) {
    const Holder& next = facts.tasks[1];
    return fmt::format("{} held the most of all listed tasks; next is {} with {}.",
                       holder_text(top), holder_text(next), held_text(facts, next.bytes));
  }
  return fmt::format("{} held the most: {}.", holder_text(top), held_text(facts, top.bytes));
}

namespace {

bool by_size(const Incident& incident) {
  return !incident.scope.sysrq.value_or(false) &&
         !incident.scope.kill_allocating_task.value_or(false) &&
         incident.scope.constraint != "mempolicy" && incident.scope.constraint != "cpuset";
}

}  // namespace

std::string why_not_the_largest(const Facts& facts) {
  if (facts.incident->scope.kill_allocating_task.value_or(false))
    return "vm.oom_kill_allocating_task is set: whoever asks is killed, whatever it holds.";
  const Holder* const chosen = chosen_holder(facts);
  if (chosen == nullptr || facts.tasks.size() < 2 || !by_size(*facts.incident)) return "";
  const Holder* const largest = choice_without_adj(facts);
  if (largest == nullptr || largest == chosen) return "";
  constexpr double kMargin = 1.05;  // the table and the choice are not made in the same instant
  if (static_cast<double>(largest->weighed_bytes) <
      kMargin * static_cast<double>(chosen->weighed_bytes))
    return "";
  if (largest->adj.value_or(0) < 0)
    return fmt::format("{} was spared by its oom_score_adj of {}.", holder_text(*largest),
                       *largest->adj);
  if (chosen->adj.value_or(0) > 0)
    return fmt::format("{} was preferred by its oom_score_adj of {}.", holder_text(*chosen),
                       *chosen->adj);
  if (largest->adj == 0 && chosen->adj == 0)
    return fmt::format(
        "Neither {} nor {} had an oom_score_adj: the larger one was passed over because it was "
        "dying already, or for a reason that the record does not show.",
        holder_text(*largest), holder_text(*chosen));
  return "";
}

std::string counterfactual(const Facts& facts) {
  const Incident& incident = *facts.incident;
  if (facts.tasks.size() < 2 || !by_size(incident)) return "";
  bool any_adj = false;
  for (const Holder& task : facts.tasks) any_adj = any_adj || task.adj.value_or(0) != 0;
  const Holder* const chosen = chosen_holder(facts);
  const Holder* const other = choice_without_adj(facts);
  if (!any_adj || chosen == nullptr || other == nullptr) return "";
  const char* const among = facts.tasks_whole ? "" : ", of the tasks that the record lists";
  if (other == chosen)
    return fmt::format("With every oom_score_adj at 0 the choice would still have been {}{}.",
                       holder_text(*chosen), among);
  return fmt::format(
      "With every oom_score_adj at 0 it would have been {} with {}, not {} with {}{}.",
      holder_text(*other), human_size(other->weighed_bytes), holder_text(*chosen),
      human_size(chosen->weighed_bytes), among);
}

std::string score_sentence(const Facts& facts) {
  if (!facts.score) return "";
  const ScoreShare& said = *facts.score;
  const Incident& incident = *facts.incident;
  const std::string who = incident.selected
                              ? task_text(incident.selected->comm, incident.selected->pid)
                          : facts.victim != nullptr ? task_text(*facts.victim)
                                                    : "The chosen task";
  if (!said.most)
    return fmt::format(
        "{} had a score of {}: a positive oom_score_adj is in it, and it held {} "
        "or more of RAM and swap.",
        who, said.score, percent(said.least));
  std::string out =
      said.least == 0
          ? fmt::format("{} had a score of {}: it held at most {} of what could be used", who,
                        said.score, percent(*said.most))
          : fmt::format("{} had a score of {}: it held between {} and {} of what could be used",
                        who, said.score, percent(said.least), percent(*said.most));
  out += ", swapped pages and page tables included";
  if (said.root_allowed)
    out += " (the upper figure allows for the discount that root's tasks have)";
  if (said.adj_assumed) out += ", if its oom_score_adj was 0";
  if (said.era_assumed) out += ", if the kernel is 2.6.36 or later";
  return out + ".";
}

namespace {

// A kill line leaves swap out; the victim's row of the table has it.
Opt<std::uint64_t> swap_of(const Incident& incident, const Victim& victim) {
  if (victim.memory.swap_bytes) return victim.memory.swap_bytes;
  for (const Candidate& row : incident.candidates.top)
    if (victim.pid && row.pid == *victim.pid) return row.memory.swap_bytes;
  return std::nullopt;
}

}  // namespace

std::string what_it_freed(const Facts& facts) {
  if (facts.victim == nullptr || facts.victim->role == Role::kAlreadyExiting) return "";
  Opt<std::uint64_t> freed;
  Opt<std::uint64_t> swap;
  std::uint64_t kept = 0;
  for (const Victim& victim : facts.incident->victims) {
    const Memory& m = victim.memory;
    if (!m.anon_rss_bytes || victim.role == Role::kSharedMm) continue;  // the same memory once more
    freed = plus(plus(freed, m.anon_rss_bytes), m.pgtables_bytes);
    swap = plus(swap, swap_of(*facts.incident, victim));
    kept = plus(kept, m.shmem_rss_bytes.value_or(0));
  }
  if (!freed) return "";
  std::string out = fmt::format("The kill freed about {}", human_size(*freed));
  const auto part = share_of_capacity(facts, freed);
  if (part && !facts.capacity_guessed)
    out += fmt::format(" ({} of {})", percent(*part), facts.capacity_name);
  out += " of its own resident memory";
  if (!swap)
    out += "; what it had in swap is not shown";
  else if (*swap > 0)
    out += fmt::format(" and {} of swap", human_size(*swap));
  if (kept >= thresholds::kMib)
    out += fmt::format("; {} of shared memory stays while somebody else, or a tmpfs, holds it",
                       human_size(kept));
  return out + ".";
}

std::string swap_sentence(const Facts& facts) {
  if (!facts.swap_total) return "";
  if (*facts.swap_total == 0) return "The host has no swap.";
  if (!facts.swap_free) return "";
  const double free = share(facts.swap_free, facts.swap_total).value_or(0);
  return fmt::format("{} of {} of swap were free ({}).", human_size(*facts.swap_free),
                     human_size(*facts.swap_total), percent(free));
}

std::string request_sentence(const Facts& facts) {
  const auto& gfp = facts.incident->invoker.gfp;
  if (!gfp || gfp->mask != 0) return "";
  return "The gfp mask is 0: the kill came from a page fault or a policy, and there is no request "
         "of "
         "the allocator to reason on.";
}

}  // namespace oomwitness
