// SPDX-License-Identifier: BSD-2-Clause
#include "sink/prometheus/prometheus_exporter.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <utility>

#include "support/owned_fd.h"

namespace oomwitness {

PrometheusExporter::PrometheusExporter(std::string name, std::filesystem::path state_file,
                                       std::function<MetricsFigures()> figures)
    : name_(std::move(name)), state_file_(std::move(state_file)), figures_(std::move(figures)) {}

Result<std::unique_ptr<PrometheusExporter>> PrometheusExporter::start(
    std::string name, const PrometheusOptions& options, std::function<MetricsFigures()> figures) {
  std::unique_ptr<PrometheusExporter> out(
      new PrometheusExporter(std::move(name), options.state_file, std::move(figures)));
  out->load();
  TRY(MetricsServer server,
      MetricsServer::start(options.server, [self = out.get()] { return self->page(); }));
  out->server_ = std::make_unique<MetricsServer>(std::move(server));
  return out;
}

void PrometheusExporter::load() {
  std::ifstream in(state_file_, std::ios::binary);
  if (!in) return;
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  Result<KillCounts> counts = KillCounts::from_state(text);
  if (counts) {
    counts_ = *std::move(counts);
  } else {
    complaint_ = state_file_.string() + ": " + counts.error().message() +
                 "; the counters are made anew from the store";
  }
}

std::int64_t PrometheusExporter::begin_after(std::int64_t) {
  const std::lock_guard lock(mutex_);
  return counts_.place();
}

ExportOutcome PrometheusExporter::send(std::span<const ExportItem> batch, const std::stop_token&) {
  std::string state;
  {
    const std::lock_guard lock(mutex_);
    for (const ExportItem& item : batch) counts_.count(item.incident, item.seq);
    state = counts_.to_state();
  }
  ExportOutcome outcome = all_sent(batch);
  // Not kept: after a restart they are counted again from the place that was kept with the figures.
  if (const Status saved = save(state); !saved) outcome.reason = saved.error().message();
  return outcome;
}

Status PrometheusExporter::save(const std::string& state) const {
  const std::string next = state_file_.string() + ".new";
  const OwnedFd file(
      ::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (file.get() < 0) return fail(errno, "open " + next);
  const ssize_t written = ::write(file.get(), state.data(), state.size());
  if (written < 0 || static_cast<std::size_t>(written) != state.size())
    return fail(written < 0 ? errno : ENOSPC, "write " + next);
  // Not synced: what the disk has after a crash of the machine is one or the other, each with its
  // own place.
  if (::rename(next.c_str(), state_file_.c_str()) != 0) return fail(errno, "rename " + next);
  return {};
}

std::string PrometheusExporter::page() {
  const MetricsFigures figures = figures_();
  const std::lock_guard lock(mutex_);
  return metrics_page(counts_, figures);
}

}  // namespace oomwitness
