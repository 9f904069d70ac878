// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>
#include <utility>

#include "agent/export_worker.h"
#include "incident/json.h"
#include "support/text.h"

namespace oomwitness {
namespace {

// A receiver's wish beyond this is not taken literally.
constexpr std::chrono::nanoseconds kLongestWish = std::chrono::hours(1);

std::string duration_text(std::chrono::nanoseconds duration) {
  return human_duration(static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0)));
}

}  // namespace

ExportTask::ExportTask(ExportContext context, Exporter& exporter)
    : context_(std::move(context)),
      exporter_(exporter),
      backoff_(context_.backoff, context_.random) {}

Opt<ExportTask::Nanos> ExportTask::step(Nanos now, const std::stop_token& stop) {
  if (retry_at_ && now < *retry_at_) return *retry_at_ - now;
  retry_at_.reset();
  if (!begun_)
    if (const Status begun = begin(); !begun) return failed(begun.error().message(), now);
  const Result<Batch> batch = read_batch();
  if (!batch) return failed(batch.error().message(), now);
  if (batch->items.empty()) {
    if (batch->last > taken_) {  // none of them could be read
      took(batch->last);
      keep_place(taken_);
    }
    if (batch->full) return Nanos(0);
    if (!due_) return std::nullopt;
    if (now < *due_) return *due_ - now;
  }
  return settle(exporter_.send(batch->items, stop), *batch, now);
}

Status ExportTask::begin() {
  TRY(const Opt<std::int64_t> stored_place, context_.source.place_of(exporter_.name()));
  TRY(const std::int64_t newest, context_.source.newest());
  std::int64_t place = stored_place.value_or(context_.backfill ? 0 : newest);
  // A place beyond the store's end belongs to a store that is gone.
  if (place > newest) place = 0;
  // Kept even when it is the beginning: the exporter is no longer new.
  if (place != stored_place) CHECK_OK(context_.source.set_place(exporter_.name(), place));
  kept_ = place;
  stored(newest);
  took(std::min(exporter_.begin_after(place), newest));
  begun_ = true;
  return {};
}

Result<ExportTask::Batch> ExportTask::read_batch() {
  const std::size_t limit = taken_ < single_until_ ? 1 : exporter_.batch_limit();
  TRY(std::vector<ExportSource::Stored> stored, context_.source.after(taken_, limit));
  Batch batch;
  batch.full = stored.size() >= limit;
  for (ExportSource::Stored& one : stored) {
    batch.last = one.seq;
    Result<Incident> incident = incident_from_json(one.json);
    if (incident) {
      batch.items.push_back({one.seq, std::move(one.json), *std::move(incident)});
    } else {
      count_rejected(1, "the store's incident " + std::to_string(one.seq) +
                            " cannot be read: " + incident.error().message());
    }
  }
  return batch;
}

Opt<ExportTask::Nanos> ExportTask::settle(const ExportOutcome& outcome, const Batch& batch,
                                          Nanos now) {
  const std::int64_t end = batch.items.empty() ? taken_ : batch.items.back().seq;
  const bool all = outcome.taken >= end;
  took(std::max(taken_, all ? std::max(outcome.taken, batch.last) : outcome.taken));
  keep_place(all && outcome.settled >= end ? taken_ : outcome.settled);
  {
    const std::lock_guard lock(mutex_);
    stats_.sent += outcome.sent;
  }
  if (outcome.rejected > 0) count_rejected(outcome.rejected, outcome.reason);
  if (outcome.one_by_one) {
    single_until_ = end;
    return Nanos(0);
  }
  // An empty batch means that something held was due: only the reason tells whether it went.
  const bool failure =
      batch.items.empty() ? !outcome.reason.empty() && outcome.rejected == 0 : !all;
  if (failure) {
    const Nanos wait = failed(outcome.reason, now, outcome.again_in);
    due_ = outcome.settled < taken_ ? retry_at_ : std::nullopt;
    return wait;
  }
  recovered(now);
  due_ = outcome.again_in ? Opt<Nanos>(now + *outcome.again_in) : std::nullopt;
  return batch.full ? Nanos(0) : outcome.again_in;
}

ExportTask::Nanos ExportTask::failed(const std::string& reason, Nanos now,
                                     const Opt<Nanos>& at_least) {
  {
    const std::lock_guard lock(mutex_);
    ++stats_.failed;
    stats_.failing = true;
  }
  if (!failing_since_) {
    failing_since_ = now;
    context_.warn("exporter " + exporter_.name() + ": " + reason +
                  "; incidents stay in the store and are sent when it works again");
  }
  const Nanos wait =
      std::max(backoff_.after_failure(), std::min(at_least.value_or(Nanos(0)), kLongestWish));
  retry_at_ = now + wait;
  return wait;
}

void ExportTask::recovered(Nanos now) {
  backoff_.after_success();
  {
    const std::lock_guard lock(mutex_);
    stats_.failing = false;
  }
  if (!failing_since_) return;
  context_.warn("exporter " + exporter_.name() + ": works again after " +
                duration_text(now - *std::exchange(failing_since_, std::nullopt)));
}

void ExportTask::keep_place(std::int64_t seq) {
  if (seq <= kept_) return;
  const Status kept = context_.source.set_place(exporter_.name(), seq);
  if (kept) {
    kept_ = seq;
    unkept_ = false;
  } else if (!std::exchange(unkept_, true)) {
    context_.warn("exporter " + exporter_.name() + ": its place in the store is not kept: " +
                  kept.error().message() + "; after a restart incidents may be sent again");
  }
}

void ExportTask::count_rejected(std::uint64_t incidents, const std::string& reason) {
  {
    const std::lock_guard lock(mutex_);
    stats_.rejected += incidents;
  }
  if (std::exchange(rejects_, true)) return;
  context_.warn("exporter " + exporter_.name() + ": refused for good: " + reason +
                "; further ones are only counted");
}

void ExportTask::took(std::int64_t seq) {
  const std::lock_guard lock(mutex_);
  taken_ = seq;
  newest_ = std::max(newest_, seq);
  stats_.behind = newest_ - taken_;
}

void ExportTask::stored(std::int64_t newest) {
  const std::lock_guard lock(mutex_);
  newest_ = std::max(newest_, newest);
  stats_.behind = newest_ - taken_;
}

ExportStats ExportTask::stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

}  // namespace oomwitness
