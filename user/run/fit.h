// SPDX-License-Identifier: BSD-2-Clause
// The search for the smallest memory limit a command can live with. Pure: it knows the command only
// through trials.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace oomwitness {

enum class TrialEnd { kSuccess, kOom, kFailure, kTimeout };

// One run of the command.
struct TrialResult {
  TrialEnd end = TrialEnd::kFailure;
  std::string what;  // in words: "exit code 3"
  std::uint64_t wall_ns = 0;
  std::optional<std::uint64_t> peak_bytes;
  std::optional<std::uint64_t> stall_ns;    // memory.pressure, some; absent: not known here
  std::optional<std::uint64_t> limit_hits;  // absent: not known here
};

// `limit_bytes`: absent for a run without.
using Trial = std::function<TrialResult(std::optional<std::uint64_t> limit_bytes)>;

struct FitOptions {
  unsigned max_runs = 20;
  double precision = 0.01;    // the least limit is known to this part of itself
  double slow_factor = 1.10;  // a run that takes longer than that many times the fastest is slow
  std::uint64_t floor_bytes = std::uint64_t{1} << 20U;  // limits below are not tried
};

struct FitRun {
  std::optional<std::uint64_t> limit_bytes;
  TrialResult result;
  bool slow = false;  // it succeeded, but memory reclaim held it up
};

enum class FitEnd {
  kFound,
  kFailsWithoutLimit,  // nothing to search for
  kNotDeterministic,   // it fails now and then, whatever the limit
  kNoOom,              // it succeeds with the smallest limit tried
  kNoFit,              // it fails with any limit that was tried
  kOutOfRuns,          // the answer is known less precisely than asked for
};

struct FitResult {
  FitEnd end = FitEnd::kOutOfRuns;
  std::vector<FitRun> runs;
  std::optional<std::uint64_t> peak_bytes;      // without limit
  std::optional<std::uint64_t> need_bytes;      // the least limit that it succeeded with
  std::optional<std::uint64_t> fails_bytes;     // the largest that it failed with
  std::optional<std::uint64_t> unslowed_bytes;  // the least at which it was not slowed
  bool noisy = false;                           // one limit was met with both ends
};

// Starts from the peak without limit, goes down from there until it fails, and halves the gap.
// What is near the edge is run again before it is believed. `on_run` hears of each run.
FitResult find_fit(const FitOptions& options, const Trial& trial,
                   const std::function<void(const FitRun&)>& on_run);

// `bytes` and `margin` more of it (0.2: a fifth), rounded up to whole MiB.
std::uint64_t with_margin(std::uint64_t bytes, double margin);

}  // namespace oomwitness
