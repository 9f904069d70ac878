// SPDX-License-Identifier: BSD-2-Clause
// What an exporter is to the agent: it takes stored incidents in the order of the store and says
// how far it came. Delivery is at least once: after a crash, or when a receiver took a batch whose
// answer was lost, incidents come again. The incident's id and revision tell a receiver which.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "incident/incident.h"

namespace oomwitness {

// One incident of the store; secrets have been masked before it came there.
struct ExportItem {
  std::int64_t seq = 0;  // its place in the store, rising
  std::string json;      // by docs/incident.schema.json, one line without the newline
  Incident incident;     // the same as values
};

struct ExportOutcome {
  std::int64_t taken = 0;    // the last seq this call took: the next batch begins after it
  std::int64_t settled = 0;  // the last seq that need not come again after a restart; <= taken
  std::uint64_t sent = 0;
  std::uint64_t rejected = 0;  // the receiver will never take them
  // One of them was refused, and not said which: the worker sends them again one by one.
  bool one_by_one = false;
  std::string
      reason;  // why some were rejected, or the rest was not taken; empty when all were sent
  // When to call again though nothing new came: the receiver's wish after a failure (a lower
  // bound), or the time at which something held is due.
  Opt<std::chrono::nanoseconds> again_in;
};

// Everything of the batch arrived.
ExportOutcome all_sent(std::span<const ExportItem> batch);
// The first `sent` arrived, the rest is to be tried later.
ExportOutcome try_later(std::span<const ExportItem> batch, std::size_t sent, std::string reason);
// The receiver will never take this batch. More than one incident: they are tried one by one.
ExportOutcome refused(std::span<const ExportItem> batch, std::string reason);

class Exporter {
 public:
  Exporter(const Exporter&) = delete;
  Exporter& operator=(const Exporter&) = delete;
  virtual ~Exporter() = default;

  // As in the configuration's [exporter.NAME].
  virtual const std::string& name() const = 0;
  // The most incidents of one call.
  virtual std::size_t batch_limit() const { return 32; }
  // Where to begin, given the place that the store remembers: an exporter with a memory of its own
  // may know better.
  virtual std::int64_t begin_after(std::int64_t stored_place) { return stored_place; }
  // `batch` is never empty, unless the last outcome had again_in without a reason. Waits no longer
  // than its own deadlines, and returns soon when `stop` is requested. Called by one thread only.
  virtual ExportOutcome send(std::span<const ExportItem> batch, const std::stop_token& stop) = 0;
  // SIGHUP: files are to be opened anew. Called by any thread.
  virtual void reopen() {}

 protected:
  Exporter() = default;
};

}  // namespace oomwitness
