// SPDX-License-Identifier: BSD-2-Clause
// A storm of kills as one message with a count. Pure; time comes in.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>

#include "sink/exporter.h"

namespace oomwitness {

// What one message tells of: one incident, or several with the same cause.
struct Digest {
  std::string cause;
  std::uint64_t count = 0;
  std::int64_t first_seq = 0;
  std::int64_t first_unix_ns = 0;
  std::int64_t last_unix_ns = 0;
  ExportItem latest;
};

// The first incident of a cause is told at once; what follows within `interval` is held and told
// together at its end, and so on until an interval brings nothing. Updates of an incident that was
// told already are passed over.
class Storm {
 public:
  using Nanos = std::chrono::nanoseconds;

  explicit Storm(Nanos interval) : interval_(interval) {}

  // True: to be told now, and then confirmed by told(). False: it is held, or not news.
  bool is_to_be_told(const ExportItem& item, Nanos now) const;
  void told(const ExportItem& item, Nanos now);
  // For an item that is not to be told.
  void hold(const ExportItem& item);

  // A cause whose interval has ended with incidents held; null: none. Stays until confirmed.
  const Digest* due(Nanos now) const;
  void told_due(const Digest& digest, Nanos now);

  // How long until something is due; absent: nothing is held.
  Opt<Nanos> next_due(Nanos now) const;
  // The first seq that is held; absent: none is.
  Opt<std::int64_t> first_held() const;

 private:
  struct Cause {
    Nanos quiet_until{0};
    Digest held;
  };

  // Few, whatever a record says: the diagnosis has some thirty.
  static constexpr std::size_t kMostCauses = 64;
  static constexpr std::size_t kMostIds = 1024;

  std::string key_of(const ExportItem& item) const;
  void remember(const std::string& id);

  Nanos interval_;
  std::map<std::string, Cause> causes_;
  std::set<std::string> ids_;
  std::deque<std::string> order_;  // of ids_, oldest first
};

}  // namespace oomwitness
