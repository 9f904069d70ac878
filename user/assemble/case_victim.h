// SPDX-License-Identifier: BSD-2-Clause
// Everything seen of one victim so far, by source. build_victim.cpp makes a Victim of it: because
// the sources are kept apart until then, the order of arrival cannot change the outcome.
#pragma once

#include <array>
#include <cstdint>

#include "assemble/observation.h"

namespace oomwitness {

struct CaseVictim {
  std::array<Opt<VictimTask>, 3> seen;  // by SeenAt
  Opt<Marked> mark;
  Opt<Delivered> delivered;  // of the first thread that took the signal
  Opt<std::uint64_t> exited_ns;
  Opt<std::uint64_t> reap_started_ns;
  Opt<std::uint64_t> reaped_ns;
  Opt<bool> reap_skipped;
  Opt<ProcFacts> facts;
  Opt<Victim> log;

  Opt<std::uint32_t> pid;               // thread group
  std::uint64_t start_boottime_ns = 0;  // 0: unknown
  bool pid_reused = false;              // its end was missed: the pid has another life now

  std::uint64_t arrived_ns = 0;  // `now` when first heard of
  std::uint64_t gone_ns = 0;     // `now` when its end was heard of

  bool from_kernel() const;  // false: only the kernel log tells of it
  // Nothing more to wait for. The log alone never tells of an end.
  bool gone() const { return exited_ns || pid_reused || !from_kernel(); }
  bool shares_mm() const;
  bool in_oom_group() const;
  // A sharer of the mm dies unmarked (mm/oom_kill.c, __oom_kill_process).
  bool is_sharer() const;
  // Dying before anything was decided, as far as its own task says.
  bool was_dying() const;
  Opt<std::uint32_t> invoker_tid() const;
  std::uint64_t first_at_ns() const;  // CLOCK_MONOTONIC of the earliest observation
  // Same number, same life? `start` 0: unknown, any life.
  bool is_life(std::uint32_t of_pid, std::uint64_t start) const;
  bool has_tid(std::uint32_t tid) const;

  // Each returns whether it told anything new; the first of a kind wins.
  bool add(const VictimTask& task);
  bool add(const Marked& marked);
  bool add(const Delivered& taken);
  bool add(const Reaped& reaped);
  bool add(const Exited& exited);
  bool add(const ProcFacts& late);

 private:
  void learn_pid(std::uint32_t number);
};

}  // namespace oomwitness
