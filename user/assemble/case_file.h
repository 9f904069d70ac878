// SPDX-License-Identifier: BSD-2-Clause
// One kill under investigation: the decision, what came with it, and its victims.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "assemble/case_victim.h"
#include "assemble/observation.h"

namespace oomwitness {

struct CaseFile {
  std::uint64_t number = 0;  // in the order of opening
  DecisionId id = 0;
  std::uint64_t opened_ns = 0;       // `now` when opened
  std::uint64_t first_at_ns = 0;     // kernel time of what opened it
  std::uint64_t losses_before = 0;   // running total at the last report before it opened
  std::uint64_t last_victim_ns = 0;  // `now` when the last victim was added

  Opt<Decision> decision;
  Opt<MemcgChain> limit_chain;
  Opt<MemcgChain> victim_chain;  // of the first victim: where it lived, not whose limit was hit
  Opt<CandidateList> candidates;
  Opt<Stacks> stacks;
  Opt<SystemMemory> system;
  Opt<MemcgStat> stat;
  std::vector<LogReport> logs;  // without their victims: those are with the case's victims
  std::vector<CaseVictim> victims;

  // What was made of it so far.
  Opt<Incident> written;
  Opt<std::uint64_t> news_since;  // `now` of the first news after that
  Opt<std::uint64_t> closed_ns;   // everybody is gone and it is written: kept for stragglers
  Opt<std::uint64_t> due_ns;      // see completion.h
  std::string cut_short;          // why nothing more will be waited for; empty: waiting

  bool from_kernel() const;
  bool is_group() const;
  bool everybody_gone() const;
  // A process shares a victim's mm and has not turned up yet.
  bool awaits_sharer() const;
  std::uint64_t kernel_time_ns() const;  // the decision, else the first mark, else what there is
  bool is_chosen(const CaseVictim& victim) const;
  // Marked and not killed: it was dying before.
  bool was_already_exiting(const CaseVictim& victim, bool decisions_are_seen) const;

  CaseVictim* victim_of_task(std::uint32_t pid_or_tid);
  CaseVictim* victim_of_life(std::uint32_t pid, std::uint64_t start);
  CaseVictim& add_victim(std::uint64_t now_ns);
  // Makes the victim findable under every number it is known by.
  void reindex(const CaseVictim& victim);
  void reindex(std::uint32_t thread, const CaseVictim& victim);

 private:
  std::unordered_map<std::uint32_t, std::size_t> by_task_;
};

}  // namespace oomwitness
