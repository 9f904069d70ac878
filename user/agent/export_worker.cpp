// SPDX-License-Identifier: BSD-2-Clause
#include "agent/export_worker.h"

#include <malloc.h>

#include <utility>

namespace oomwitness {

ExportWorker::ExportWorker(ExportContext context, std::unique_ptr<Exporter> exporter)
    : exporter_(std::move(exporter)),
      task_(std::move(context), *exporter_),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

ExportWorker::~ExportWorker() = default;

void ExportWorker::wake(std::int64_t newest) {
  task_.stored(newest);
  {
    const std::lock_guard lock(mutex_);
    stored_ = true;
  }
  bell_.notify_one();
}

void ExportWorker::reopen() {
  exporter_->reopen();
  {
    const std::lock_guard lock(mutex_);
    reopened_ = true;
  }
  bell_.notify_one();
}

void ExportWorker::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void ExportWorker::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const Opt<ExportTask::Nanos> wait =
        task_.step(std::chrono::steady_clock::now().time_since_epoch(), stop);
    // After a storm what its batches took goes back.
    if (const std::uint64_t sent = task_.stats().sent; !wait && sent != std::exchange(sent_, sent))
      ::malloc_trim(0);
    std::unique_lock lock(mutex_);
    // Something new does not end the wait after a failure.
    const bool failing = task_.stats().failing;
    const auto called = [this, failing] { return reopened_ || (stored_ && !failing); };
    if (wait) {
      bell_.wait_for(lock, stop, *wait, called);
    } else {
      bell_.wait(lock, stop, called);
    }
    stored_ = false;
    if (std::exchange(reopened_, false)) task_.try_now();
  }
}

}  // namespace oomwitness
