// SPDX-License-Identifier: BSD-2-Clause
#include "assemble/assembler.h"

#include <algorithm>
#include <deque>
#include <utility>
#include <variant>

#include "assemble/build_incident.h"
#include "assemble/completion.h"
#include "assemble/docket.h"

namespace oomwitness {

namespace {

constexpr std::size_t kMaxWaiting = 1024;  // observations that have no place yet
constexpr std::uint64_t kKeepFactor = 4;   // a closed case waits so many settling times

}  // namespace

class Assembler::Impl {
 public:
  Impl(AssemblerConfig config, std::function<void(const Incident&)> emit)
      : config_(std::move(config)), emit_(std::move(emit)), docket_(config_) {}

  void observe(const Observation& observation, std::uint64_t now_ns);
  void advance(std::uint64_t now_ns);
  std::optional<std::uint64_t> next_deadline() const;
  void flush(std::uint64_t now_ns);

 private:
  // Seen before what it belongs to: records of two CPUs cross, the log may be read first.
  struct Waiting {
    Observation observation;
    std::uint64_t until_ns = 0;
  };

  void write_past(const LogReport& report);
  void place(const Observation& observation);
  void place_waiting();
  void wait_for_place(const Observation& observation);
  void fire(std::uint64_t until_ns);
  void write(CaseFile& file);
  void keep_within_bounds();
  void forget();

  AssemblerConfig config_;  // changes only when the clock is set
  std::function<void(const Incident&)> emit_;
  Docket docket_;
  std::deque<Waiting> waiting_;
  std::deque<std::pair<std::uint64_t, LogReport>> logs_;  // due, report
  std::uint64_t clock_ns_ = 0;
  std::uint64_t lost_ = 0;
};

void Assembler::Impl::observe(const Observation& observation, std::uint64_t now_ns) {
  advance(now_ns);
  if (const auto* losses = std::get_if<Losses>(&observation)) {
    lost_ = std::max(lost_, losses->total);
    return;
  }
  if (const auto* set = std::get_if<ClockSet>(&observation)) {
    config_.unix_minus_monotonic_ns = set->unix_minus_monotonic_ns;
    config_.unix_minus_boottime_ns = set->unix_minus_boottime_ns;
    return;
  }
  place(observation);
  fire(clock_ns_);
  keep_within_bounds();
}

// Whoever has its pid now is somebody else.
void Assembler::Impl::write_past(const LogReport& report) {
  CaseFile& file = docket_.open_from_log(report, clock_ns_);
  write(file);
  docket_.drop(file);
}

void Assembler::Impl::place(const Observation& observation) {
  const auto* report = std::get_if<LogReport>(&observation);
  if (report != nullptr && report->from_backlog) return write_past(*report);
  if (!docket_.join(observation, clock_ns_)) wait_for_place(observation);
  while (docket_.take_new_faces()) place_waiting();
}

void Assembler::Impl::place_waiting() {
  auto waiting = std::exchange(waiting_, {});
  for (Waiting& one : waiting)
    if (!docket_.join(one.observation, clock_ns_)) waiting_.push_back(std::move(one));
  auto logs = std::exchange(logs_, {});
  for (auto& [due, report] : logs)
    if (!docket_.join(report, clock_ns_)) logs_.emplace_back(due, std::move(report));
}

void Assembler::Impl::wait_for_place(const Observation& observation) {
  if (const auto* report = std::get_if<LogReport>(&observation)) {
    // With no hook at all the log is all there is: nothing to wait for.
    const std::uint64_t wait = config_.hooks.empty() ? 0 : config_.settle_ns;
    logs_.emplace_back(clock_ns_ + wait, *report);
    return;
  }
  waiting_.push_back({observation, clock_ns_ + config_.settle_ns});
  if (waiting_.size() > kMaxWaiting) waiting_.pop_front();
}

std::optional<std::uint64_t> Assembler::Impl::next_deadline() const {
  std::optional<std::uint64_t> first = docket_.first_due();
  if (!logs_.empty()) first = std::min(first.value_or(UINT64_MAX), logs_.front().first);
  return first;
}

void Assembler::Impl::advance(std::uint64_t now_ns) {
  fire(now_ns);
  clock_ns_ = std::max(clock_ns_, now_ns);
  forget();
}

// What is due is written at its own time: a late call of advance changes nothing.
void Assembler::Impl::fire(std::uint64_t until_ns) {
  for (auto next = next_deadline(); next && *next <= until_ns; next = next_deadline()) {
    clock_ns_ = std::max(clock_ns_, *next);
    if (!logs_.empty() && logs_.front().first <= *next) {
      const LogReport report = std::move(logs_.front().second);
      logs_.pop_front();
      docket_.open_from_log(report, clock_ns_);
    } else {
      write(*docket_.first_on_agenda());
    }
  }
}

void Assembler::Impl::write(CaseFile& file) {
  if (file.written && !is_over(file) && clock_ns_ >= gives_up_at(file, config_))
    file.cut_short = "a victim outlived the time that was given to it";
  Incident incident = build_incident(file, config_);
  incident.provenance.lost_events = lost_ - file.losses_before;
  const bool first = !file.written;
  if (!first) {
    // An update says something: else it is none.
    incident.revision = file.written->revision;
    const std::uint64_t lost =
        std::exchange(incident.provenance.lost_events, file.written->provenance.lost_events);
    const bool same = incident == *file.written;
    incident.provenance.lost_events = lost;
    if (!same) ++incident.revision;
  }
  const bool report = first || incident.revision != file.written->revision;
  file.news_since.reset();
  if (report) {
    docket_.set_losses_reported(lost_);
    emit_(incident);
    file.written = std::move(incident);
  }
  if (!file.cut_short.empty()) return docket_.drop(file);
  file.closed_ns.reset();  // a late victim opens a closed case again
  if (is_over(file)) docket_.close(file, clock_ns_);
  docket_.reschedule(file);
}

void Assembler::Impl::keep_within_bounds() {
  while (logs_.size() > config_.max_open) {
    const LogReport report = std::move(logs_.front().second);
    logs_.pop_front();
    docket_.open_from_log(report, clock_ns_);
    fire(clock_ns_);
  }
  while (docket_.size() > config_.max_open) {
    if (const CaseFile* closed = docket_.oldest_closed()) {
      docket_.drop(*closed);
      continue;
    }
    CaseFile& oldest = *docket_.oldest();
    oldest.cut_short =
        "more than " + std::to_string(config_.max_open) + " incidents were open: written early";
    write(oldest);
  }
}

void Assembler::Impl::forget() {
  docket_.prune(clock_ns_, kKeepFactor * config_.settle_ns);
  while (!waiting_.empty() && waiting_.front().until_ns <= clock_ns_) waiting_.pop_front();
}

void Assembler::Impl::flush(std::uint64_t now_ns) {
  advance(now_ns);
  for (auto& [due, report] : std::exchange(logs_, {})) docket_.open_from_log(report, clock_ns_);
  while (CaseFile* file = docket_.oldest()) {
    const bool stands = file->written && !file->news_since;
    if (stands) {
      docket_.drop(*file);
      continue;
    }
    if (!is_over(*file)) file->cut_short = "the watch ended before its victims did";
    const std::uint64_t number = file->number;
    write(*file);
    if (docket_.oldest() != nullptr && docket_.oldest()->number == number)
      docket_.drop(*docket_.oldest());
  }
  waiting_.clear();
}

Assembler::Assembler(AssemblerConfig config, std::function<void(const Incident&)> emit)
    : impl_(std::make_unique<Impl>(std::move(config), std::move(emit))) {}
Assembler::Assembler(Assembler&&) noexcept = default;
Assembler& Assembler::operator=(Assembler&&) noexcept = default;
Assembler::~Assembler() = default;

void Assembler::observe(const Observation& observation, std::uint64_t now_ns) {
  impl_->observe(observation, now_ns);
}

void Assembler::advance(std::uint64_t now_ns) {
  impl_->advance(now_ns);
}

std::optional<std::uint64_t> Assembler::next_deadline() const {
  return impl_->next_deadline();
}

void Assembler::flush(std::uint64_t now_ns) {
  impl_->flush(now_ns);
}

}  // namespace oomwitness
