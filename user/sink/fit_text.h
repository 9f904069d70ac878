// SPDX-License-Identifier: BSD-2-Clause
// What `fit` has found, for people, for programs and to be pasted. Pure.
#pragma once

#include <string>
#include <vector>

#include "run/fit.h"
#include "support/text.h"

namespace oomwitness {

struct FitReport {
  std::vector<std::string> command;  // secrets masked
  FitResult result;
  double margin = 0.2;
};

// "limit 297 MiB: OOM kill after 0.41 s"
std::string fit_run_line(const FitRun& run, Charset charset = Charset::kUtf8);

// The limit to set: what it needs without being slowed, and the margin. Absent: no answer.
std::optional<std::uint64_t> suggested_bytes(const FitReport& report);

// The answer, how it was found, and what to set in Kubernetes, Compose and systemd.
std::string render_fit(const FitReport& report, Charset charset = Charset::kUtf8);

// One object, "oomwitness/fit/v1" (docs/fit.schema.json), and a newline.
std::string fit_json(const FitReport& report);

}  // namespace oomwitness
