// SPDX-License-Identifier: BSD-2-Clause
// The cases in hand, the agenda of when each is due, and the rules of what belongs to which.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "assemble/assembler.h"
#include "assemble/case_file.h"
#include "assemble/observation.h"

namespace oomwitness {

class Docket {
 public:
  explicit Docket(const AssemblerConfig& config) : config_(config) {}

  // Gives the observation its place, opening a case where it tells of a new kill. False: nobody it
  // belongs to is known, perhaps not yet (records of two CPUs cross).
  bool join(const Observation& observation, std::uint64_t now_ns);
  // A kill that only the kernel log tells of.
  CaseFile& open_from_log(const LogReport& report, std::uint64_t now_ns);

  // Whether a victim was added or got a pid since the last call: what had no place may have one.
  bool take_new_faces() { return std::exchange(new_faces_, false); }
  void set_losses_reported(std::uint64_t total) { losses_reported_ = total; }

  std::size_t size() const { return files_.size(); }
  CaseFile* oldest() { return files_.empty() ? nullptr : &files_.begin()->second; }
  CaseFile* oldest_closed();
  std::optional<std::uint64_t> first_due() const;
  CaseFile* first_on_agenda();

  void reschedule(CaseFile& file);
  void close(CaseFile& file, std::uint64_t now_ns);
  void drop(const CaseFile& file);
  // Drops the cases closed for `keep_ns`; what comes later has no place any more.
  void prune(std::uint64_t now_ns, std::uint64_t keep_ns);

 private:
  struct Found {
    CaseFile* file = nullptr;
    CaseVictim* victim = nullptr;
  };

  bool take(const Decision& decision);
  bool take(const MemcgChain& chain);
  bool take(const CandidateList& list);
  bool take(const Stacks& stacks);
  bool take(const SystemMemory& memory);
  bool take_system_of(std::uint32_t pid, const SystemMemory& memory);
  bool take(const VictimTask& task);
  bool take(const Marked& marked);
  bool take(const Delivered& taken);
  bool take(const Reaped& reaped);
  bool take(const Exited& exited);
  bool take(const ProcFacts& facts);
  bool take(const MemcgStat& stat);
  bool take(const LogReport& report);
  bool take(const Losses&) { return true; }
  bool take(const ClockSet&) { return true; }

  CaseFile& open(DecisionId id, std::uint64_t at_ns);
  CaseFile* find(DecisionId id);
  CaseFile* find_or_open(DecisionId id, std::uint64_t at_ns);
  template <typename Part>
  bool take_part(Opt<Part> CaseFile::*slot, const Part& part);
  void touch(CaseFile& file);

  Found find_undecided(const VictimTask& task);
  Found find_undecided(const Marked& marked);
  Found host_of_sharer();
  CaseVictim* find_marked(CaseFile& file, const Marked& marked) const;
  Found find_logged(const Victim& victim, const LogReport& report);
  void end_earlier_lives(const VictimTask& task);
  void fold_groups(CaseFile& file);
  void fold_into_group(CaseFile& file);
  bool close_in_time(std::uint64_t a, std::uint64_t b) const;
  template <typename Seen, typename Matching>
  bool tell_all(const Seen& seen, Matching matching);
  template <typename Seen>
  bool admits(const CaseFile& file, const CaseVictim& victim, const Seen& seen) const;

  const AssemblerConfig& config_;
  std::map<std::uint64_t, CaseFile> files_;  // by number
  std::unordered_map<DecisionId, std::uint64_t> by_id_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> agenda_;    // due, number
  std::deque<std::pair<std::uint64_t, std::uint64_t>> closed_;  // when, number
  std::unordered_set<DecisionId> dropped_;  // so that a straggler does not open a case again
  std::deque<DecisionId> dropped_order_;
  std::uint64_t next_number_ = 1;
  std::uint64_t now_ns_ = 0;
  std::uint64_t losses_reported_ = 0;
  bool new_faces_ = false;
};

}  // namespace oomwitness
