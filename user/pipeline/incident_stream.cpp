// SPDX-License-Identifier: BSD-2-Clause
#include "pipeline/incident_stream.h"

#include <algorithm>
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

// On top of a stack whose frames have names, those without are the tracer's own programs.
void drop_tracer_frames(std::vector<KernelFrame>& stack) {
  const auto named = std::find_if(stack.begin(), stack.end(),
                                  [](const KernelFrame& frame) { return !frame.symbol.empty(); });
  if (named != stack.end()) stack.erase(stack.begin(), named);
}

}  // namespace

IncidentStream::IncidentStream(SessionFacts facts, Wanted wanted, Sink sink, Complete complete)
    : page_size_(facts.assembler.host.page_size_bytes),
      wanted_(std::move(wanted)),
      sink_(std::move(sink)),
      complete_(std::move(complete)),
      assembler_(with_gfp(std::move(facts)),
                 [this](const Incident& incident) { on_incident(incident); }) {}

Result<Observation> IncidentStream::take_record(std::span<const std::byte> record,
                                                std::uint64_t now_ns) {
  TRY(auto observation, decode(record, page_size_));
  take(observation, now_ns);
  return observation;
}

void IncidentStream::take(const Observation& observation, std::uint64_t now_ns) {
  if (const auto* stacks = std::get_if<Stacks>(&observation)) {
    const std::size_t before = unnamed_.size();
    for (const KernelFrame& frame : stacks->kernel) {
      if (frame.symbol.empty() && !symbols_.contains(frame.address)) {
        unnamed_.push_back(frame.address);
      }
    }
    if (unnamed_.size() > before) ++names_owed_;
  }
  assembler_.observe(observation, now_ns);
}

std::vector<std::uint64_t> IncidentStream::take_unnamed() {
  return std::exchange(unnamed_, {});
}

void IncidentStream::add_symbols(const SymbolNames& names) {
  symbols_.insert(names.begin(), names.end());
  if (names_owed_ > 0) --names_owed_;
  if (names_owed_ == 0) write_waiting();
}

void IncidentStream::flush(std::uint64_t now_ns) {
  assembler_.flush(now_ns);
  write_waiting();
}

bool IncidentStream::done() const noexcept {
  return !status_ || (wanted_.count && written_ >= *wanted_.count);
}

void IncidentStream::on_incident(const Incident& incident) {
  if (names_owed_ == 0) return write(incident);
  waiting_.push_back(incident);
}

void IncidentStream::write_waiting() {
  for (const Incident& incident : std::exchange(waiting_, {})) write(incident);
}

void IncidentStream::write(const Incident& incident) {
  if (done()) return;
  Incident named = incident;
  for (KernelFrame& frame : named.invoker.kernel_stack) {
    const auto known = frame.symbol.empty() ? symbols_.find(frame.address) : symbols_.end();
    if (known != symbols_.end()) frame.symbol = known->second;
  }
  drop_tracer_frames(named.invoker.kernel_stack);
  if (complete_) complete_(named);
  // Before the filter: a kill that nobody wanted to see is an earlier kill all the same.
  diagnose_(named);
  if (!wanted_.filter.matches(named)) return;
  if (incident.revision == 0) ++written_;
  status_ = sink_(named);
}

}  // namespace oomwitness
