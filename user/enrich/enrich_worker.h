// SPDX-License-Identifier: BSD-2-Clause
// Runs late reads away from the thread that reads the ring: one that blocks (/proc/PID/cmdline
// waits for a dying process's mmap lock) costs a thread of a small pool, not the next event.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "assemble/observation.h"
#include "enrich/enricher.h"
#include "support/result.h"

namespace oomwitness {

struct EnrichJob {
  // Runs in a worker thread. Owns what it needs: after its deadline the job may outlive everybody.
  std::function<Observation()> read;
  // Runs in the owner's thread, in place of an answer that did not come.
  std::function<Observation(std::uint64_t now_ns, const std::string& why)> give_up;
};

EnrichJob victim_job(std::shared_ptr<const Enricher> enricher, VictimQuery query);

class EnrichWorker {
 public:
  struct Options {
    // Made at once: there may be no memory for a thread when it is needed. One that is stuck in
    // the kernel is left behind; with all of them stuck, jobs are refused.
    std::size_t threads = 4;
    std::size_t max_queued = 4096;
    std::uint64_t timeout_ns = 200'000'000;  // of a running job
  };
  struct Counters {
    std::uint64_t answered = 0;
    std::uint64_t timed_out = 0;  // given up while running
    std::uint64_t refused = 0;    // never ran: the queue was full or every thread stuck
    std::uint64_t too_late = 0;   // answers that came after they were given up, dropped
    std::size_t stuck = 0;        // threads in a job that was given up, now
  };

  static Result<std::unique_ptr<EnrichWorker>> start(Options options, NowNs now);
  // Waits for jobs within their time; leaves stuck threads behind.
  ~EnrichWorker();
  EnrichWorker(const EnrichWorker&) = delete;
  EnrichWorker(EnrichWorker&&) = delete;
  EnrichWorker& operator=(const EnrichWorker&) = delete;
  EnrichWorker& operator=(EnrichWorker&&) = delete;

  // Every job submitted gives exactly one result. All of these are the owner's: one thread calls.
  void submit(EnrichJob job);
  // Readable when take_results() has something.
  int result_fd() const noexcept;
  std::vector<Observation> take_results();
  // When to call expire(); absent when nothing is running or queued.
  Opt<std::uint64_t> next_deadline() const;
  // Gives up on the jobs whose time has passed; their replacements are results.
  void expire(std::uint64_t now_ns);
  Counters counters() const;

 private:
  struct State;
  explicit EnrichWorker(std::shared_ptr<State> state) : state_(std::move(state)) {}
  Status start_threads(std::size_t count);

  // Shared with the threads, for a stuck one outlives its worker.
  std::shared_ptr<State> state_;
};

}  // namespace oomwitness
