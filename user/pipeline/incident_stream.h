// SPDX-License-Identifier: BSD-2-Clause
// From records and observations to the incidents that a user asked for: the part that a live trace
// and a replay have in common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "assemble/assembler.h"
#include "assemble/observation.h"
#include "diagnose/diagnose.h"
#include "pipeline/filter.h"
#include "pipeline/recording.h"
#include "support/result.h"

namespace oomwitness {

struct Wanted {
  Filter filter;
  std::optional<std::uint64_t> count;  // stop after this many incidents; updates do not count
};

class IncidentStream {
 public:
  using Sink = std::function<Status(const Incident&)>;
  using Complete = std::function<void(Incident&)>;

  // `complete`: adds what the observations do not have, before the diagnosis; may be empty.
  IncidentStream(SessionFacts facts, Wanted wanted, Sink sink, Complete complete = {});
  IncidentStream(const IncidentStream&) = delete;
  IncidentStream& operator=(const IncidentStream&) = delete;
  IncidentStream(IncidentStream&&) = delete;
  IncidentStream& operator=(IncidentStream&&) = delete;
  ~IncidentStream() = default;

  // Decodes and takes one BPF record; what it said, for those who look further into it.
  Result<Observation> take_record(std::span<const std::byte> record, std::uint64_t now_ns);
  void take(const Observation& observation, std::uint64_t now_ns);
  // Kernels before 5.13 do not name stack frames. The addresses of the last stacks that have no
  // name yet; each non-empty answer is owed one add_symbols(), and incidents wait for it.
  std::vector<std::uint64_t> take_unnamed();
  void add_symbols(const SymbolNames& names);
  void advance(std::uint64_t now_ns) { assembler_.advance(now_ns); }
  std::optional<std::uint64_t> next_deadline() const { return assembler_.next_deadline(); }
  void flush(std::uint64_t now_ns);

  // Enough incidents were written, or the sink failed.
  bool done() const noexcept;
  // The sink's first failure.
  const Status& status() const noexcept { return status_; }

 private:
  void on_incident(const Incident& incident);
  void write(const Incident& incident);
  void write_waiting();

  std::uint64_t page_size_;
  Wanted wanted_;
  Sink sink_;
  Complete complete_;
  SymbolNames symbols_;
  std::vector<std::uint64_t> unnamed_;
  std::uint64_t names_owed_ = 0;
  std::vector<Incident> waiting_;  // for names, in order
  std::uint64_t written_ = 0;
  Status status_;
  Diagnostician diagnose_;
  Assembler assembler_;
};

}  // namespace oomwitness
