// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>

#include "incident/incident.h"
#include "support/result.h"

namespace oomwitness {

// Incidents on their way to the store: none waits while it can be written, and a full disk costs
// nothing until this is full too. Pure.
class IncidentQueue {
 public:
  using Put = std::function<Result<bool>(const Incident&)>;

  explicit IncidentQueue(std::size_t most) : most_(most) {}

  // Takes the place of an earlier revision that still waits. Beyond `most`, the oldest is given up.
  void push(Incident incident);
  // Writes what waits, oldest first, up to the first failure. How many have been written.
  Result<std::size_t> flush(const Put& put);

  bool empty() const { return waiting_.empty(); }
  std::size_t size() const { return waiting_.size(); }
  std::uint64_t given_up() const { return given_up_; }

 private:
  std::size_t most_;
  std::deque<Incident> waiting_;
  std::uint64_t given_up_ = 0;
};

}  // namespace oomwitness
