// SPDX-License-Identifier: BSD-2-Clause
#include "run/fit.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace oomwitness {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;
constexpr std::uint64_t kGraceNs = 20'000'000;  // what a fast command may be late by
constexpr double kStalledShare = 0.02;          // of the time spent waiting for memory
constexpr int kBelieved = 2;                    // runs that a limit near the edge must pass

std::uint64_t scaled(std::uint64_t bytes, double factor) {
  const auto exact = static_cast<std::uint64_t>(std::llround(static_cast<double>(bytes) * factor));
  return std::max(kPage, exact / kPage * kPage);
}

double ratio(std::uint64_t high, std::uint64_t low) {
  return static_cast<double>(high) / static_cast<double>(low);
}

// The middle of the gap as a ratio: half the steps for each of its ends.
std::uint64_t between(std::uint64_t low, std::uint64_t high) {
  const double middle = std::sqrt(static_cast<double>(low) * static_cast<double>(high));
  return std::max(low + kPage, static_cast<std::uint64_t>(middle) / kPage * kPage);
}

class Search {
 public:
  Search(const FitOptions& options, const Trial& trial,
         const std::function<void(const FitRun&)>& on_run)
      : options_(options), trial_(trial), on_run_(on_run) {}

  FitResult run() {
    if (!start()) return std::move(result_);
    if (find_edge() && confirm_edge()) find_unslowed();
    finish();
    return std::move(result_);
  }

 private:
  // What is known of one limit.
  struct Known {
    int successes = 0;
    int failures = 0;
    int unslowed = 0;
  };

  bool runs_left() const { return result_.runs.size() < options_.max_runs; }

  const TrialResult& try_at(std::optional<std::uint64_t> limit) {
    FitRun run{.limit_bytes = limit, .result = trial_(limit)};
    const bool success = run.result.end == TrialEnd::kSuccess;
    if (success && (!limit || run.result.limit_hits == 0U))
      fastest_ns_ = std::min(fastest_ns_, run.result.wall_ns);
    run.slow = success && is_slow(run.result);
    if (limit) {
      Known& known = known_[*limit];
      ++(success ? known.successes : known.failures);
      if (success && !run.slow) ++known.unslowed;
    }
    result_.runs.push_back(std::move(run));
    if (on_run_) on_run_(result_.runs.back());
    return result_.runs.back().result;
  }

  bool is_slow(const TrialResult& run) const {
    if (run.stall_ns &&
        static_cast<double>(*run.stall_ns) > static_cast<double>(run.wall_ns) * kStalledShare + 1e6)
      return true;
    // A limit that was never met held nothing up.
    if (run.limit_hits == 0U || fastest_ns_ == UINT64_MAX) return false;
    return static_cast<double>(run.wall_ns) >
           static_cast<double>(fastest_ns_) * options_.slow_factor + static_cast<double>(kGraceNs);
  }

  bool succeeds_at(std::uint64_t limit) { return try_at(limit).end == TrialEnd::kSuccess; }

  bool start() {
    const TrialResult& first = try_at(std::nullopt);
    if (first.end != TrialEnd::kSuccess || !first.peak_bytes) {
      // Once more: it may fail now and then.
      const bool again = runs_left() && try_at(std::nullopt).end == TrialEnd::kSuccess;
      result_.end = again ? FitEnd::kNotDeterministic : FitEnd::kFailsWithoutLimit;
      return false;
    }
    result_.peak_bytes = first.peak_bytes;
    return true;
  }

  // Sets low_ (it fails there, or 0) and high_ (it succeeds there), apart by no more than asked.
  bool find_edge() {
    high_ = std::max(scaled(*result_.peak_bytes, 1.0) + kPage, options_.floor_bytes);
    if (!climb(high_)) return false;
    // Most of what a program uses it cannot give back: the edge is near the peak.
    for (const double factor : {0.99, 0.97, 0.9, 0.7, 0.4, 0.15, 0.0}) {
      if (low_ != 0) break;
      if (!runs_left()) return false;
      const std::uint64_t limit =
          std::max(scaled(*result_.peak_bytes, factor), options_.floor_bytes);
      if (limit >= high_) continue;
      (succeeds_at(limit) ? high_ : low_) = limit;
      if (high_ == options_.floor_bytes) {
        result_.end = FitEnd::kNoOom;
        return false;
      }
    }
    if (low_ == 0) {
      result_.end = FitEnd::kNoOom;
      return false;
    }
    return narrow();
  }

  bool narrow() {
    while (ratio(high_, low_) > 1 + options_.precision) {
      if (!runs_left()) return false;
      const std::uint64_t limit = between(low_, high_);
      (succeeds_at(limit) ? high_ : low_) = limit;
    }
    return true;
  }

  // From `limit` upwards until it succeeds.
  bool climb(std::uint64_t limit) {
    for (const double factor : {1.0, 1.01, 1.03, 1.1, 1.3, 2.0}) {
      if (!runs_left()) return false;
      high_ = scaled(limit, factor);
      if (succeeds_at(high_)) return true;
      low_ = high_;
    }
    // With twice its peak: not the limit's doing.
    const bool alone = runs_left() && try_at(std::nullopt).end == TrialEnd::kSuccess;
    result_.end = alone ? FitEnd::kNoFit : FitEnd::kNotDeterministic;
    return false;
  }

  // A limit that it passes only now and then is no answer: the next one up is.
  bool confirm_edge() {
    while (known_[high_].successes < kBelieved) {
      if (!runs_left()) return false;
      if (succeeds_at(high_)) continue;
      result_.noisy = true;
      low_ = high_;
      high_ = next_success_above(low_);
      if (high_ == 0 && !climb(scaled(low_, 1 + options_.precision))) return false;
      if (!narrow()) return false;
    }
    return true;
  }

  std::uint64_t next_success_above(std::uint64_t limit) const {
    for (auto at = known_.upper_bound(limit); at != known_.end(); ++at)
      if (at->second.successes > 0 && at->second.failures == 0) return at->first;
    return 0;
  }

  // The least limit from high_ up that does not slow it down.
  void find_unslowed() {
    std::uint64_t slow = 0;
    std::uint64_t good = 0;
    for (const auto& [limit, known] : known_) {
      if (limit < high_ || known.failures > 0) continue;
      if (known.unslowed > 0) {
        good = limit;
        break;
      }
      slow = limit;
    }
    while (good == 0 && runs_left() && slow < *result_.peak_bytes * 4) {
      const std::uint64_t limit = scaled(std::max(slow, *result_.peak_bytes), 1.05);
      succeeds_at(limit);
      (known_[limit].unslowed > 0 ? good : slow) = limit;
    }
    while (slow != 0 && good != 0 && ratio(good, slow) > 1 + 2 * options_.precision &&
           runs_left()) {
      const std::uint64_t limit = between(slow, good);
      succeeds_at(limit);
      // A busy machine makes slow, never fast.
      if (known_[limit].unslowed == 0 && runs_left()) succeeds_at(limit);
      (known_[limit].unslowed > 0 ? good : slow) = limit;
    }
    if (good != 0) result_.unslowed_bytes = good;
    result_.end = FitEnd::kFound;
  }

  void finish() {
    if (high_ != 0 && known_[high_].successes > 0) result_.need_bytes = high_;
    if (low_ != 0) result_.fails_bytes = low_;
    for (const auto& [limit, known] : known_)
      result_.noisy = result_.noisy || (known.successes > 0 && known.failures > 0);
  }

  const FitOptions& options_;
  const Trial& trial_;
  const std::function<void(const FitRun&)>& on_run_;
  FitResult result_;
  std::map<std::uint64_t, Known> known_;
  std::uint64_t fastest_ns_ = UINT64_MAX;
  std::uint64_t low_ = 0;
  std::uint64_t high_ = 0;
};

}  // namespace

FitResult find_fit(const FitOptions& options, const Trial& trial,
                   const std::function<void(const FitRun&)>& on_run) {
  return Search(options, trial, on_run).run();
}

std::uint64_t with_margin(std::uint64_t bytes, double margin) {
  const double wanted = static_cast<double>(bytes) * (1 + margin);
  return static_cast<std::uint64_t>(std::ceil(wanted / static_cast<double>(kMiB))) * kMiB;
}

}  // namespace oomwitness
