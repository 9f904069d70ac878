// SPDX-License-Identifier: BSD-2-Clause
// What a rule asks of an incident, worked out once: whose shortage it was, of how much, who held
// what of it, and what the memory was. Everything saturates: records may hold any numbers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "diagnose/diagnose.h"
#include "incident/incident.h"

namespace oomwitness {

enum class Shortage { kUnknown, kHost, kCgroup, kNodes };
enum class LimitOf { kUnknown, kOwn, kAncestor };

// A task, or all tasks of one name.
struct Holder {
  std::string comm;
  Opt<std::uint32_t> pid;  // absent: all tasks of that name
  std::uint64_t tasks = 1;
  // Of the capacity. On a host: resident + swap + page tables. Under a limit: without page tables,
  // without file pages where they are told apart (they may be charged to another cgroup), and
  // without swap unless that counts.
  std::uint64_t bytes = 0;
  std::uint64_t weighed_bytes = 0;  // as oom_badness counts: resident + swap + page tables
  std::uint64_t shmem_bytes = 0;
  Opt<std::int32_t> adj;
  bool unkillable = false;
};

// Memory by what it is used for, of the host or of the cgroup whose limit was hit. Bytes.
struct Uses {
  Opt<std::uint64_t> total;
  Opt<std::uint64_t> free;
  Opt<std::uint64_t> anon;
  Opt<std::uint64_t> file;  // page cache without shared memory
  Opt<std::uint64_t> shmem;
  Opt<std::uint64_t> unevictable;
  Opt<std::uint64_t> mlocked;
  Opt<std::uint64_t> slab;  // reclaimable too
  Opt<std::uint64_t> page_tables;
  Opt<std::uint64_t> kernel_stacks;
  Opt<std::uint64_t> kernel;  // all that the kernel holds for itself
  Opt<std::uint64_t> hugetlb;
  Opt<std::uint64_t> hugetlb_free;
  Opt<std::uint64_t> dirty;
  Opt<std::uint64_t> writeback;
  // Total less everything above; only where all of it is told.
  Opt<std::uint64_t> unaccounted;
};

// What a kill line's score says of the chosen task's share of the capacity.
struct ScoreShare {
  std::int64_t score = 0;
  double least = 0;
  Opt<double> most;           // absent: a positive oom_score_adj is in it, and is not known
  bool era_assumed = false;   // the kernel's version is not known
  bool adj_assumed = false;   // its oom_score_adj is not known, and taken as 0
  bool root_allowed = false;  // `most` allows for the discount that root's tasks had
};

struct Facts {
  const Incident* incident = nullptr;
  std::span<const Earlier> earlier;

  Shortage shortage = Shortage::kUnknown;
  LimitOf limit_of = LimitOf::kUnknown;
  const MemcgLevel* limit = nullptr;  // the level whose limit was hit
  Opt<std::uint64_t> limit_bytes;     // of memory, or of memory+swap if that was hit
  Opt<std::uint64_t> limit_usage;
  bool memsw = false;

  Opt<std::uint64_t> capacity;
  std::string capacity_name;      // "the limit", "RAM and swap"
  bool capacity_guessed = false;  // only what the listed tasks held together

  const Victim* victim = nullptr;
  Opt<std::uint64_t> victim_bytes;
  Opt<ScoreShare> score;

  std::vector<Holder> tasks;       // most memory first
  std::vector<Holder> names;       // most memory first; only with more than one task
  bool tasks_whole = false;        // `tasks` is all there were
  Opt<std::uint64_t> tasks_bytes;  // of all tasks that the source knew

  Uses host;
  Uses cgroup;
  Opt<std::uint64_t> swap_total;
  Opt<std::uint64_t> swap_free;
};

// Whom the kill was about: the chosen one, or the first that was not dying already. nullptr:
// nobody.
const Victim* main_victim(const Incident& incident);

// Pointers and spans in it are into the arguments.
Facts gather(const Incident& incident, std::span<const Earlier> earlier);

// The parts of gather().
void find_scope(Facts& facts);
void find_uses(Facts& facts);
void find_holders(Facts& facts);
void find_score(Facts& facts);

// Whom the choice would have fallen on with every oom_score_adj at 0, of the tasks the record
// lists; nullptr: nothing to compare.
const Holder* choice_without_adj(const Facts& facts);
// The row of the chosen task (which the victim is a child of in old kernels); nullptr: none.
const Holder* chosen_holder(const Facts& facts);
bool is_victim(const Facts& facts, const Holder& holder);
Opt<std::uint32_t> chosen_pid(const Incident& incident);

Opt<double> share_of_capacity(const Facts& facts, const Opt<std::uint64_t>& bytes);
Opt<double> share(const Opt<std::uint64_t>& part, const Opt<std::uint64_t>& whole);

std::uint64_t plus(std::uint64_t a, std::uint64_t b);  // saturates
Opt<std::uint64_t> plus(const Opt<std::uint64_t>& a,
                        const Opt<std::uint64_t>& b);   // of what is known
std::uint64_t minus(std::uint64_t a, std::uint64_t b);  // 0 where b is more
std::uint64_t times(std::uint64_t a, std::uint64_t b);  // saturates

// "6.1.0-50-amd64" is at least 5.1; absent when the version is not known.
Opt<bool> kernel_at_least(const Incident& incident, unsigned major, unsigned minor);

}  // namespace oomwitness
