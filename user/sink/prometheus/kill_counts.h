// SPDX-License-Identifier: BSD-2-Clause
// What Prometheus is told of the kills: counters that outlive what they count and the agent. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "incident/incident.h"
#include "support/result.h"

namespace oomwitness {

// Counters by label values. Hostile or endless names cannot make it grow: beyond so many series,
// what is new counts for one whose labels all say "other". Values are printable ASCII, escaped, of
// at most 128 bytes.
class CountFamily {
 public:
  static constexpr std::size_t kMostSeries = 200;

  explicit CountFamily(std::vector<std::string_view> labels) : labels_(std::move(labels)) {}

  // As many values as there are labels.
  void add(const std::vector<std::string>& values, std::uint64_t amount);
  // As series() has them: false when that cannot be.
  bool restore(std::vector<std::string> values, std::uint64_t count);

  const std::vector<std::string_view>& labels() const { return labels_; }
  const std::map<std::vector<std::string>, std::uint64_t>& series() const { return series_; }

 private:
  void count(std::vector<std::string> safe, std::uint64_t amount);

  std::vector<std::string_view> labels_;
  std::map<std::vector<std::string>, std::uint64_t> series_;
};

// Everything that has to be the same after a restart.
class KillCounts {
 public:
  KillCounts();

  // The store's incidents in their order. One that was counted already (an update) is not counted
  // again, as far as the last thousand go.
  void count(const Incident& incident, std::int64_t seq);

  const CountFamily& kills() const { return kills_; }
  const CountFamily& victims() const { return victims_; }
  const CountFamily& workloads() const { return workloads_; }
  std::uint64_t lost_events() const { return lost_events_; }
  // Wall clock; absent: no kill with a time yet.
  Opt<std::int64_t> last_kill_unix_ns() const { return last_kill_unix_ns_; }
  std::int64_t place() const { return place_; }

  std::string to_state() const;
  // Of a state that cannot be read nothing is taken.
  static Result<KillCounts> from_state(std::string_view state);

 private:
  void remember(const std::string& id);

  CountFamily kills_;
  CountFamily victims_;
  CountFamily workloads_;
  std::uint64_t lost_events_ = 0;
  Opt<std::int64_t> last_kill_unix_ns_;
  std::int64_t place_ = 0;
  std::set<std::string> ids_;
  std::deque<std::string> order_;  // of ids_, oldest first
};

}  // namespace oomwitness
