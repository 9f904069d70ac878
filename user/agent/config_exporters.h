// SPDX-License-Identifier: BSD-2-Clause
// The [exporter.*] tables of the agent's configuration, as validated values.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "agent/backoff.h"
#include "agent/config_reader.h"
#include "sink/json_file.h"
#include "sink/otlp/otlp_exporter.h"
#include "sink/prometheus/prometheus_exporter.h"
#include "sink/syslog_exporter.h"
#include "sink/webhook/webhook_exporter.h"

namespace oomwitness {

struct JournalOptions {
  bool operator==(const JournalOptions&) const = default;
};

struct SyslogOptions {
  SyslogTarget target;
  SyslogStyle style;
  bool operator==(const SyslogOptions&) const = default;
};

struct ExporterConfig {
  std::string name;  // what the store keeps its place by
  bool backfill = true;
  BackoffLimits backoff;
  std::variant<JournalOptions, JsonFileOptions, SyslogOptions, OtlpOptions, PrometheusOptions,
               WebhookOptions>
      options;
  bool operator==(const ExporterConfig&) const = default;
};

// Those whose table is there and not `enabled = false`. `state_folder`: where the store is.
std::vector<ExporterConfig> read_exporters(ConfigFile& file, const std::string& state_folder);

}  // namespace oomwitness
