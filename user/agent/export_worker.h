// SPDX-License-Identifier: BSD-2-Clause
// Carries incidents from the store to one exporter. ExportTask is the work without a thread or a
// clock; ExportWorker gives it both. Each exporter has its own, so that one which is dead or hangs
// delays no other.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "agent/backoff.h"
#include "sink/exporter.h"
#include "support/result.h"

namespace oomwitness {

// The store as an exporter sees it. Called by the worker's thread.
class ExportSource {
 public:
  virtual ~ExportSource() = default;

  struct Stored {
    std::int64_t seq = 0;
    std::string json;
  };
  // The first `limit` incidents after `seq`, in order.
  virtual Result<std::vector<Stored>> after(std::int64_t seq, std::size_t limit) = 0;
  // The last seq there is; 0: none.
  virtual Result<std::int64_t> newest() = 0;
  // The place kept for an exporter; absent: it has never had one.
  virtual Result<Opt<std::int64_t>> place_of(const std::string& exporter) = 0;
  virtual Status set_place(const std::string& exporter, std::int64_t seq) = 0;
};

struct ExportStats {
  std::uint64_t sent = 0;    // incidents
  std::uint64_t failed = 0;  // attempts that did not take all of their batch
  std::uint64_t rejected =
      0;                    // incidents that the receiver, or the reader of JSON, refuses for good
  std::int64_t behind = 0;  // incidents of the store that it has not taken yet
  bool failing = false;     // the last attempt failed
};

struct ExportContext {
  ExportSource& source;
  BackoffLimits backoff;
  std::function<double()> random;                // uniform in [0, 1)
  std::function<void(const std::string&)> warn;  // a line for the agent's own log
  // What an exporter that is new gets: all the store has, or only what comes from now on.
  bool backfill = true;
};

class ExportTask {
 public:
  using Nanos = std::chrono::nanoseconds;

  ExportTask(ExportContext context, Exporter& exporter);

  // One batch at most; nothing while it waits after a failure. `now`: any clock that does not go
  // back. Returns when it wants to be called again; absent: when something new was stored.
  Opt<Nanos> step(Nanos now, const std::stop_token& stop);
  // Ends the wait after a failure.
  void try_now() { retry_at_.reset(); }
  // The store's last seq. Called by any thread, as the next one.
  void stored(std::int64_t newest);
  ExportStats stats() const;

 private:
  struct Batch {
    std::vector<ExportItem> items;
    std::int64_t last = 0;  // seq of the last one read, unreadable ones included
    bool full = false;
  };

  Status begin();
  Result<Batch> read_batch();
  Opt<Nanos> settle(const ExportOutcome& outcome, const Batch& batch, Nanos now);
  Nanos failed(const std::string& reason, Nanos now, const Opt<Nanos>& at_least = {});
  void recovered(Nanos now);
  void keep_place(std::int64_t seq);
  void count_rejected(std::uint64_t incidents, const std::string& reason);
  void took(std::int64_t seq);

  ExportContext context_;
  Exporter& exporter_;
  Backoff backoff_;
  bool begun_ = false;
  std::int64_t taken_ = 0;         // the next batch begins after this
  std::int64_t kept_ = 0;          // the place the store remembers
  std::int64_t single_until_ = 0;  // up to here, one at a time
  Opt<Nanos> due_;                 // something held is due
  Opt<Nanos> retry_at_;
  Opt<Nanos> failing_since_;
  bool rejects_ = false;      // it was said
  bool unkept_ = false;       // the same
  mutable std::mutex mutex_;  // for what follows
  ExportStats stats_;
  std::int64_t newest_ = 0;
};

class ExportWorker {
 public:
  ExportWorker(ExportContext context, std::unique_ptr<Exporter> exporter);
  ~ExportWorker();
  ExportWorker(const ExportWorker&) = delete;
  ExportWorker& operator=(const ExportWorker&) = delete;

  // Something was stored, up to this seq. Wakes an idle worker, never one that waits after a
  // failure.
  void wake(std::int64_t newest);
  // SIGHUP: also ends the wait after a failure.
  void reopen();
  // Waits for the call in progress, which ends soon.
  void stop();

  const std::string& name() const { return exporter_->name(); }
  ExportStats stats() const { return task_.stats(); }

 private:
  void run(const std::stop_token& stop);

  std::unique_ptr<Exporter> exporter_;
  ExportTask task_;
  std::mutex mutex_;
  std::condition_variable_any bell_;
  bool stored_ = false;
  bool reopened_ = false;
  std::uint64_t sent_ = 0;  // when it last came to rest; of the thread
  std::jthread thread_;     // last: it uses all of the above
};

}  // namespace oomwitness
