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
#include "support/result.h"

namespace oomwitness {

class LateReads {
 public:
  static Result<LateReads> start(const Roots& roots);

  // Starts the reads that this observation calls for.
  void follow(const Observation& observation);
  int result_fd() const noexcept { return worker_->result_fd(); }
  std::vector<Observation> take_results() { return worker_->take_results(); }
  Opt<std::uint64_t> next_deadline() const { return worker_->next_deadline(); }
  void expire(std::uint64_t now_ns) { worker_->expire(now_ns); }

 private:
  LateReads(Roots roots, std::unique_ptr<EnrichWorker> worker);
  void follow(const VictimTask& task);
  void follow(const MemcgChain& chain);
  void read_system(DecisionId id, std::uint32_t victim_pid);

  Roots roots_;
  std::shared_ptr<const Enricher> enricher_;
  std::unique_ptr<EnrichWorker> worker_;
  // The last lives asked about: a victim is described once, but may be described twice.
  std::set<std::pair<std::uint32_t, std::uint64_t>> asked_;
  bool read_meminfo_ = true;
};

}  // namespace oomwitness
