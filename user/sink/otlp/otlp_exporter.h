// SPDX-License-Identifier: BSD-2-Clause
// Incidents to an OpenTelemetry collector: OTLP/HTTP, logs, binary protobuf.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sink/exporter.h"
#include "sink/http/http_client.h"

namespace oomwitness {

struct OtlpOptions {
  std::string endpoint = "http://127.0.0.1:4318";  // "/v1/logs" is added to a bare host and port
  bool gzip = true;
  std::vector<std::string> headers;  // "Name: value"
  // A file with a token, read before each request so that it can be changed: sent as
  // "Authorization: Bearer TOKEN". Empty: none.
  std::string bearer_file;
  HttpOptions http;
  std::size_t batch = 32;

  bool operator==(const OtlpOptions&) const = default;
};

class OtlpExporter : public Exporter {
 public:
  // `now_unix_ns`: the wall clock.
  OtlpExporter(std::string name, OtlpOptions options, std::function<std::int64_t()> now_unix_ns);

  const std::string& name() const override { return name_; }
  std::size_t batch_limit() const override { return options_.batch; }
  ExportOutcome send(std::span<const ExportItem> batch, const std::stop_token& stop) override;

 private:
  Result<HttpReply> post(std::span<const ExportItem> batch, const std::stop_token& stop) const;

  std::string name_;
  OtlpOptions options_;
  std::string url_;
  HttpClient client_;
  std::function<std::int64_t()> now_unix_ns_;
};

// Where logs go: an endpoint without a path gets the standard's own.
std::string otlp_logs_url(const std::string& endpoint);

// What a collector's reply means for the batch. Pure.
ExportOutcome otlp_outcome(std::span<const ExportItem> batch, const HttpReply& reply);

}  // namespace oomwitness
