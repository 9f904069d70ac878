// SPDX-License-Identifier: BSD-2-Clause
// What user space reads about a kill as soon as it hears of it, away from the event loop.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "assemble/observation.h"
#include "enrich/enrich_worker.h"
#include "enrich/roots.h"
#include "pipeline/recording.h"
#include "support/result.h"

namespace oomwitness {

class LateReads {
 public:
  // `argv_in_kernel`: victims' arguments come from a hook, and are not to be read from /proc.
  static Result<LateReads> start(const Roots& roots, bool argv_in_kernel);

  // Starts the reads that this observation calls for.
  void follow(const Observation& observation);
  // Looks kernel addresses up in /proc/kallsyms. The answer is a Stacks without frames among the
  // results, and the names are then in take_symbols().
  void name(std::vector<std::uint64_t> addresses);
  // The names found since the last call, by answers that came too late too; empty for an address
  // that has none.
  SymbolNames take_symbols();
  int result_fd() const noexcept { return worker_->result_fd(); }
  std::vector<Observation> take_results() { return worker_->take_results(); }
  Opt<std::uint64_t> next_deadline() const { return worker_->next_deadline(); }
  void expire(std::uint64_t now_ns) { worker_->expire(now_ns); }

 private:
  struct Symbols;
  LateReads(Roots roots, bool argv_in_kernel, std::unique_ptr<EnrichWorker> worker);
  void follow(const VictimTask& task);
  void follow(const MemcgChain& chain);
  void read_system(DecisionId id, std::uint32_t victim_pid);

  Roots roots_;
  bool argv_in_kernel_;
  std::shared_ptr<const Enricher> enricher_;
  std::unique_ptr<EnrichWorker> worker_;
  std::shared_ptr<Symbols> symbols_;
  // The last lives asked about: a victim is described once, but may be described twice.
  std::set<std::pair<std::uint32_t, std::uint64_t>> asked_;
  bool read_meminfo_ = true;
};

}  // namespace oomwitness
