// SPDX-License-Identifier: BSD-2-Clause
// Incidents as OTLP log records, in protobuf. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "sink/exporter.h"
#include "support/result.h"

namespace oomwitness {

// An ExportLogsServiceRequest: for each incident one resource, the victim that was chosen (process,
// container, pod, host by OpenTelemetry's semantic conventions), and one record about it. Strings
// are valid UTF-8 with hostile bytes escaped. `observed_unix_ns`: now.
std::string otlp_request(std::span<const ExportItem> batch, std::int64_t observed_unix_ns);

struct OtlpPartialSuccess {
  std::int64_t rejected = 0;
  std::string message;
};

// From an ExportLogsServiceResponse; an empty one is a full success.
Result<OtlpPartialSuccess> parse_otlp_response(const std::string& body);

}  // namespace oomwitness
