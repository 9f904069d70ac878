// SPDX-License-Identifier: BSD-2-Clause
#include "sink/exporter.h"

#include <utility>

namespace oomwitness {

ExportOutcome all_sent(std::span<const ExportItem> batch) {
  if (batch.empty()) return {};
  const std::int64_t last = batch.back().seq;
  return {.taken = last, .settled = last, .sent = batch.size()};
}

ExportOutcome try_later(std::span<const ExportItem> batch, std::size_t sent, std::string reason) {
  ExportOutcome outcome = all_sent(batch.first(sent));
  // Nothing taken is told by a seq before the batch.
  if (sent == 0 && !batch.empty()) outcome.taken = outcome.settled = batch.front().seq - 1;
  outcome.reason = std::move(reason);
  return outcome;
}

ExportOutcome refused(std::span<const ExportItem> batch, std::string reason) {
  if (batch.size() > 1) {
    ExportOutcome outcome = try_later(batch, 0, std::move(reason));
    outcome.one_by_one = true;
    return outcome;
  }
  ExportOutcome outcome = all_sent(batch);
  outcome.rejected = std::exchange(outcome.sent, 0);
  outcome.reason = std::move(reason);
  return outcome;
}

}  // namespace oomwitness
