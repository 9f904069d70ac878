// SPDX-License-Identifier: BSD-2-Clause
// Counts the store's incidents for Prometheus and serves the figures.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "sink/exporter.h"
#include "sink/prometheus/metrics.h"
#include "sink/prometheus/metrics_server.h"

namespace oomwitness {

struct PrometheusOptions {
  MetricsServerOptions server;
  // Where the counters are kept over restarts, together with their place in the store. A file that
  // is missing or damaged is made anew from all that the store still has.
  std::filesystem::path state_file;

  bool operator==(const PrometheusOptions&) const = default;
};

// Counters are exact: place and figures are written together, so an incident counts once whenever
// the agent dies.
class PrometheusExporter : public Exporter {
 public:
  // `figures` is called by the server's thread.
  static Result<std::unique_ptr<PrometheusExporter>> start(std::string name,
                                                           const PrometheusOptions& options,
                                                           std::function<MetricsFigures()> figures);

  const std::string& name() const override { return name_; }
  std::size_t batch_limit() const override { return 64; }
  std::int64_t begin_after(std::int64_t stored_place) override;
  ExportOutcome send(std::span<const ExportItem> batch, const std::stop_token& stop) override;

  const MetricsServer& server() const { return *server_; }
  // What was wrong with the state file, and that the counters begin anew; empty: nothing.
  const std::string& complaint() const { return complaint_; }

 private:
  PrometheusExporter(std::string name, std::filesystem::path state_file,
                     std::function<MetricsFigures()> figures);

  void load();
  Status save(const std::string& state) const;
  std::string page();

  std::string name_;
  std::filesystem::path state_file_;
  std::function<MetricsFigures()> figures_;
  std::string complaint_;
  std::mutex mutex_;  // for the counts
  KillCounts counts_;
  std::unique_ptr<MetricsServer> server_;  // last: its thread uses the rest
};

}  // namespace oomwitness
