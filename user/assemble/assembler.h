// SPDX-License-Identifier: BSD-2-Clause
// Observations in, incidents out. Deterministic: the same observations with the same `now` values
// give the same incidents, ids included. No clock, no system call: time comes in as a parameter.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "assemble/observation.h"
#include "incident/incident.h"

namespace oomwitness {

struct AssemblerConfig {
  // All waits count from the arrival (`now`) of what they wait upon, so that a reader that was
  // kept from the CPU for a second still joins what it then reads in one go.
  std::uint64_t settle_ns = 500'000'000;  // write with what is known when a victim lingers
  // A decision is followed by its victim, but the kernel's dump comes between, and a slow console
  // holds it up: longer than settle_ns.
  std::uint64_t victim_wait_ns = 10'000'000'000;
  std::uint64_t group_quiet_ns = 50'000'000;   // no new victim for this long: the group is complete
  std::uint64_t facts_wait_ns = 250'000'000;   // how long to wait for ProcFacts of a victim
  std::uint64_t give_up_ns = 600'000'000'000;  // a lingering victim's end is no longer waited for
  std::size_t max_open = 4096;                 // the oldest is written early beyond that

  bool expect_proc_facts = true;
  bool expect_memcg_stat = true;
  bool expect_system = false;  // the system's memory is read, by the kernel side or from /proc
  bool expect_log = false;     // a kernel log is read too: wait for its report of each victim

  Host host;
  std::int64_t unix_minus_monotonic_ns = 0;
  std::int64_t unix_minus_boottime_ns = 0;
  std::uint64_t page_size = 4096;  // used where host.page_size_bytes is not set

  // What is attached, for provenance.hooks. "oom_kill_process" present, and not "none", means that
  // a mark without a decision is of a task that was dying already.
  std::map<std::string, std::string> hooks;
  std::vector<std::string> sources;  // the order of provenance.sources; only those that gave appear
  std::function<std::vector<std::string>(std::uint32_t)> decode_gfp;  // may be empty
  // What no hook gives on this host, and why. Names of fields as in provenance.missing: gfp, order,
  // constraint, memcg, total_pages, selected, candidates, kernel_stack, user_stack, system; of a
  // victim, without its index: cmdline, exe, memory, exited_ns...
  std::map<std::string, std::string> missing;
};

// What it says of itself in provenance. `missing` has the names above, of a victim as
// "victims[0].cmdline"; "incident" says why no more is waited for. `late` has the paths of the JSON
// ("invoker.gfp", "victims[0].cmdline"). `lost_events` counts the records lost between the last
// report before this incident began and its own: those that may have concerned it, so that one loss
// can count for two incidents that overlap.
class Assembler {
 public:
  Assembler(AssemblerConfig config, std::function<void(const Incident&)> emit);
  Assembler(const Assembler&) = delete;
  Assembler& operator=(const Assembler&) = delete;
  Assembler(Assembler&&) noexcept;
  Assembler& operator=(Assembler&&) noexcept;
  ~Assembler();

  // Advances to `now_ns` first. A `now_ns` that goes backwards counts as no time passing.
  void observe(const Observation& observation, std::uint64_t now_ns);
  // Fires the deadlines <= now_ns, each at its own time, in order.
  void advance(std::uint64_t now_ns);
  // CLOCK_MONOTONIC; absent when there is nothing to wait for.
  std::optional<std::uint64_t> next_deadline() const;
  // At the end: whatever is open and not written as it stands is written with what is known.
  void flush(std::uint64_t now_ns);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace oomwitness
