// SPDX-License-Identifier: BSD-2-Clause
// The agent's exporters: one worker for each, fed from the store.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/config_exporters.h"
#include "agent/export_worker.h"
#include "agent/figures.h"
#include "agent/log.h"
#include "agent/part.h"
#include "store/store.h"

namespace oomwitness {

class Exporters final : public AgentPart {
 public:
  struct Surroundings {
    Store& store;
    const AgentFigures& figures;
    const AgentLog& log;
    std::string version;
    std::string state_folder;
  };

  Exporters(std::vector<ExporterConfig> config, Surroundings around);
  ~Exporters() override;

  void start() override;
  void stored(std::int64_t newest) override;
  // Exporters whose configuration has changed begin anew, at their places; the others open their
  // files again.
  void reload(ConfigFile& file) override;
  std::optional<std::uint64_t> next_deadline() const override { return retry_at_ns_; }
  void turn(std::uint64_t now_ns) override;
  void stop() override;

 private:
  struct Running {
    ExporterConfig config;
    std::unique_ptr<ExportWorker> worker;
  };

  void start_missing();
  Result<std::unique_ptr<Exporter>> make(const ExporterConfig& config);
  Result<std::unique_ptr<Exporter>> make_prometheus(const ExporterConfig& config,
                                                    const PrometheusOptions& options);
  void stop_all_but(const std::vector<ExporterConfig>& kept);
  void forget_removed();
  MetricsFigures scrape_figures();

  std::vector<ExporterConfig> config_;
  Surroundings around_;
  std::unique_ptr<ExportSource> source_;
  double start_unix_s_;
  std::mutex mutex_;  // for the list, which the metrics' thread reads
  std::vector<Running> running_;
  std::optional<std::uint64_t> retry_at_ns_;  // some exporter could not be made
  std::set<std::string> failing_;             // that was said of these
};

}  // namespace oomwitness
