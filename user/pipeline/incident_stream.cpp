// SPDX-License-Identifier: BSD-2-Clause
#include "pipeline/incident_stream.h"

#include <utility>

#include "capture/decode.h"

namespace oomwitness {
namespace {

AssemblerConfig with_gfp(SessionFacts&& facts) {
  AssemblerConfig config = std::move(facts.assembler);
  if (!facts.gfp.empty()) {
    config.decode_gfp = [table = GfpTable(std::move(facts.gfp))](std::uint32_t mask) {
      return table.decode(mask);
    };
  }
  return config;
}

}  // namespace

IncidentStream::IncidentStream(SessionFacts facts, Wanted wanted, Sink sink)
    : page_size_(facts.assembler.host.page_size_bytes),
      wanted_(std::move(wanted)),
      sink_(std::move(sink)),
      assembler_(with_gfp(std::move(facts)), [this](const Incident& incident) { emit(incident); }) {
}

Result<Observation> IncidentStream::take_record(std::span<const std::byte> record,
                                                std::uint64_t now_ns) {
  TRY(auto observation, decode(record, page_size_));
  take(observation, now_ns);
  return observation;
}

void IncidentStream::take(const Observation& observation, std::uint64_t now_ns) {
  assembler_.observe(observation, now_ns);
}

void IncidentStream::add_symbols(const SymbolNames& names) {
  symbols_.insert(names.begin(), names.end());
}

bool IncidentStream::done() const noexcept {
  return !status_ || (wanted_.count && written_ >= *wanted_.count);
}

void IncidentStream::emit(const Incident& incident) {
  if (done() || !wanted_.filter.matches(incident)) return;
  Incident named = incident;
  for (KernelFrame& frame : named.invoker.kernel_stack) {
    const auto known = frame.symbol.empty() ? symbols_.find(frame.address) : symbols_.end();
    if (known != symbols_.end()) frame.symbol = known->second;
  }
  if (incident.revision == 0) ++written_;
  status_ = sink_(named);
}

}  // namespace oomwitness
