// SPDX-License-Identifier: BSD-2-Clause
#include "pipeline/live.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <ctime>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "capture/decode.h"
#include "pipeline/host.h"
#include "pipeline/kernel_log.h"
#include "pipeline/late_reads.h"
#include "pipeline/ring_reader.h"
#include "pipeline/session_facts.h"
#include "support/end_signals.h"
#include "support/owned_fd.h"
#include "support/text.h"

namespace oomwitness {
namespace {

constexpr std::size_t kQueueBytes = 4U << 20U;
constexpr std::uint64_t kLogGraceNs = 1'000'000'000;

void empty(int event_fd) {
  std::uint64_t count = 0;
  // EAGAIN: it was empty.
  [[maybe_unused]] const ssize_t got = ::read(event_fd, &count, sizeof(count));
}

// An answer that only tells that a job is over.
bool says_nothing(const Observation& observation) {
  const auto* memory = std::get_if<SystemMemory>(&observation);
  return memory != nullptr && memory->system.source.empty();
}

class LiveTrace {
 public:
  // `tracer`: null where the kernel's log is all there is.
  LiveTrace(LiveOptions options, OwnedFd signals, RecordQueue& queue, const Tracer* tracer,
            LateReads& late, std::optional<KernelLog>& log, IncidentStream& stream,
            std::unique_ptr<RecordingWriter> writer)
      : options_(std::move(options)),
        signals_(std::move(signals)),
        queue_(queue),
        tracer_(tracer),
        late_(late),
        log_(log),
        stream_(stream),
        writer_(std::move(writer)) {}

  void take_backlog(const std::vector<Observation>& kills);
  // The log was opened for the kills before the watch: those that were on their way are in by then.
  void forget_log_soon() {
    if (log_) log_until_ns_ = monotonic_now_ns() + kLogGraceNs;
  }
  Status run(RingReader* reader);

 private:
  void take_records();
  void take_late_reads();
  void take_log();
  bool something_to_tell() const;
  void take_losses();
  void take_partners();
  void take_clock();
  void take(const Observation& observation, std::uint64_t now_ns);
  bool ended() const { return stop_ || stream_.done() || !status_; }
  void keep(const Status& written);
  // When to look again although nothing came; nullopt: never.
  std::optional<std::uint64_t> next_deadline(std::uint64_t ends_at) const;
  void wait(const RingReader* reader, std::uint64_t ends_at);

  LiveOptions options_;
  OwnedFd signals_;
  RecordQueue& queue_;
  const Tracer* tracer_;
  LateReads& late_;
  std::optional<KernelLog>& log_;
  IncidentStream& stream_;
  std::unique_ptr<RecordingWriter> writer_;
  std::vector<std::byte> record_;
  ClockOffsets clocks_ = read_clock_offsets();
  std::uint64_t lost_ = 0;
  std::uint64_t missed_runs_ = 0;  // as read last
  std::optional<std::uint64_t> log_until_ns_;
  std::uint64_t lost_by_log_ = 0;
  bool told_of_forgery_ = false;
  bool stop_ = false;
  Status status_;
  std::vector<pollfd> fds_;  // of wait(), which makes no memory of its own after the first time
};

void LiveTrace::keep(const Status& written) {
  if (!written && status_) status_ = written;
}

void LiveTrace::take_records() {
  while (!ended() && queue_.pop(record_)) {
    const std::uint64_t now_ns = monotonic_now_ns();
    if (!options_.show_secrets) redact_argv_bytes(argv_bytes(record_));
    if (writer_) keep(writer_->record(now_ns, record_));
    const auto seen = stream_.take_record(record_, now_ns);
    if (seen) {
      late_.follow(*seen);
      if (auto unnamed = stream_.take_unnamed(); !unnamed.empty()) late_.name(std::move(unnamed));
    } else {
      options_.on_trouble(seen.error().message());
    }
  }
}

void LiveTrace::take_late_reads() {
  late_.expire(monotonic_now_ns());
  const auto results = late_.take_results();
  const std::uint64_t now_ns = monotonic_now_ns();
  const auto symbols = late_.take_symbols();
  for (Observation observation : results) {
    if (std::holds_alternative<Stacks>(observation)) {
      if (writer_) keep(writer_->symbols(now_ns, symbols));
      stream_.add_symbols(symbols);
      continue;
    }
    if (says_nothing(observation)) continue;
    auto* facts = std::get_if<ProcFacts>(&observation);
    if (facts != nullptr && facts->cmdline && !options_.show_secrets) redact_argv(*facts->cmdline);
    take(observation, now_ns);
  }
}

void LiveTrace::take(const Observation& observation, std::uint64_t now_ns) {
  if (writer_) keep(writer_->observation(now_ns, observation));
  stream_.take(observation, now_ns);
}

void LiveTrace::take_backlog(const std::vector<Observation>& kills) {
  const std::uint64_t now_ns = monotonic_now_ns();
  for (const Observation& kill : kills) {
    if (!ended()) take(kill, now_ns);
  }
}

void LiveTrace::take_log() {
  if (!log_) return;
  const std::uint64_t now_ns = monotonic_now_ns();
  const auto reports = log_->read();
  if (!reports) {
    options_.on_trouble(reports.error().message() + "; going on without the kernel log");
    lost_by_log_ = log_->lost();
    log_until_ns_.reset();
    log_.reset();
    return;
  }
  for (const Observation& report : *reports) take(report, now_ns);
  if (log_until_ns_ && now_ns >= *log_until_ns_) {
    lost_by_log_ = log_->lost();
    log_until_ns_.reset();
    return log_.reset();
  }
  if (log_->forged() != 0 && !std::exchange(told_of_forgery_, true))
    options_.on_trouble(
        "user space writes what looks like OOM kills into the kernel's log; none "
        "of it counts");
}

// Whether something is told in this turn: what is lost must be known before.
bool LiveTrace::something_to_tell() const {
  const auto next = stream_.next_deadline();
  return !queue_.empty() || (next && *next <= monotonic_now_ns());
}

void LiveTrace::take_losses() {
  std::uint64_t lost = queue_.dropped() + (log_ ? log_->lost() : lost_by_log_);
  if (tracer_ != nullptr) {
    if (something_to_tell()) missed_runs_ = tracer_->missed_runs();
    lost += tracer_->lost_records() + missed_runs_;
  }
  if (lost == lost_) return;
  lost_ = lost;
  const std::uint64_t now_ns = monotonic_now_ns();
  take(Losses{.at_ns = now_ns, .total = lost}, now_ns);
  if (options_.partner != nullptr) options_.partner->on_losses(lost);
}

// A watch of months outlives many a setting of the clock, and a suspend stops CLOCK_MONOTONIC.
void LiveTrace::take_clock() {
  constexpr std::int64_t kNoise = 1'000'000;  // between two readings
  const ClockOffsets now = read_clock_offsets();
  const auto moved = [](std::int64_t a, std::int64_t b) {
    return a - b > kNoise || b - a > kNoise;
  };
  if (!moved(now.unix_minus_monotonic_ns, clocks_.unix_minus_monotonic_ns) &&
      !moved(now.unix_minus_boottime_ns, clocks_.unix_minus_boottime_ns))
    return;
  clocks_ = now;
  const std::uint64_t now_ns = monotonic_now_ns();
  take(ClockSet{.at_ns = now_ns,
                .unix_minus_monotonic_ns = now.unix_minus_monotonic_ns,
                .unix_minus_boottime_ns = now.unix_minus_boottime_ns},
       now_ns);
}

void LiveTrace::take_partners() {
  if (options_.partner == nullptr) return;
  const std::uint64_t now_ns = monotonic_now_ns();
  const LivePartner::Turn turn = options_.partner->turn(now_ns);
  for (const Observation& observation : turn.seen) {
    if (!ended()) take(observation, now_ns);
  }
  if (turn.stop) stop_ = true;
}

std::optional<std::uint64_t> LiveTrace::next_deadline(std::uint64_t ends_at) const {
  std::optional<std::uint64_t> next;
  const auto add = [&](std::optional<std::uint64_t> at) {
    if (at && (!next || *at < *next)) next = at;
  };
  add(stream_.next_deadline());
  add(late_.next_deadline());
  add(log_until_ns_);
  if (options_.partner != nullptr) add(options_.partner->next_deadline());
  if (options_.duration) add(ends_at);
  return next;
}

void LiveTrace::wait(const RingReader* reader, std::uint64_t ends_at) {
  const int news_fd = reader != nullptr ? reader->news_fd() : -1;
  fds_ = {{news_fd, POLLIN, 0},
          {late_.result_fd(), POLLIN, 0},
          {signals_.get(), POLLIN, 0},
          {log_ ? log_->fd() : -1, POLLIN, 0}};
  if (options_.partner != nullptr)
    for (const int fd : options_.partner->descriptors()) fds_.push_back({fd, POLLIN, 0});
  timespec timeout{};
  const auto deadline = next_deadline(ends_at);
  if (deadline) {
    const std::uint64_t now_ns = monotonic_now_ns();
    const std::uint64_t left = *deadline > now_ns ? *deadline - now_ns : 0;
    timeout.tv_sec = static_cast<time_t>(left / 1'000'000'000);
    timeout.tv_nsec = static_cast<long>(left % 1'000'000'000);
  }
  if (::ppoll(fds_.data(), fds_.size(), deadline ? &timeout : nullptr, nullptr) < 0) return;
  if ((fds_[0].revents & POLLIN) != 0) empty(news_fd);
  if ((fds_[2].revents & POLLIN) != 0) stop_ = true;
}

Status LiveTrace::run(RingReader* reader) {
  const std::uint64_t ends_at =
      monotonic_now_ns() +
      static_cast<std::uint64_t>(options_.duration.value_or(std::chrono::nanoseconds(0)).count());
  while (!ended()) {
    wait(reader, ends_at);
    take_clock();
    take_losses();
    take_records();
    take_log();
    take_late_reads();
    take_partners();
    if (ended()) break;
    const std::uint64_t now_ns = monotonic_now_ns();
    stream_.advance(now_ns);
    if (options_.duration && now_ns >= ends_at) stop_ = true;
  }
  if (reader != nullptr) reader->stop();
  take_records();
  const std::uint64_t now_ns = monotonic_now_ns();
  if (!stream_.done()) stream_.flush(now_ns);
  if (writer_) keep(writer_->end(now_ns, stream_.done()));
  CHECK_OK(status_);
  return stream_.status();
}

// Runs beside the trace: a pass over /proc/kallsyms takes tens of milliseconds, and nobody should
// wait for it to be ready. A trace that is over before `delay` does without.
class SymbolThread {
 public:
  SymbolThread(Tracer& tracer, std::string proc, std::chrono::nanoseconds delay)
      : thread_([this, &tracer, proc = std::move(proc), delay] {
          if (!wait(delay)) return;
          // Without them system memory comes from /proc/meminfo, marked so.
          [[maybe_unused]] const auto found = tracer.find_kernel_variables(proc);
        }) {}
  ~SymbolThread() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    ended_.notify_all();
    thread_.join();
  }
  SymbolThread(const SymbolThread&) = delete;
  SymbolThread& operator=(const SymbolThread&) = delete;
  SymbolThread(SymbolThread&&) = delete;
  SymbolThread& operator=(SymbolThread&&) = delete;

 private:
  // False: the trace was over first.
  bool wait(std::chrono::nanoseconds delay) {
    std::unique_lock lock(mutex_);
    return !ended_.wait_for(lock, delay, [this] { return over_; });
  }

  std::mutex mutex_;
  std::condition_variable ended_;
  bool over_ = false;
  std::thread thread_;  // the last: it uses the others
};

// The kernel's log: the kills before the watch, and what stands in for hooks.
class LogSource {
 public:
  // Before the hooks are in place, so that no kill falls between.
  void read_backlog(const LiveOptions& options) {
    if (!options.since_boot) return;
    auto log = KernelLog::open(options.kmsg_path, Kmsg::From::kOldest);
    auto kills = log ? log->read_backlog() : tl::make_unexpected(log.error());
    if (!kills)
      return options.on_trouble(kills.error().message() + "; kills before now are not told");
    if (log->begins_late())
      options.on_trouble(
          "the oldest messages of the kernel's log have been overwritten; kills before them are "
          "not "
          "told");
    backlog_ = *std::move(kills);
    log_ = *std::move(log);
  }

  // To be told as it comes. It wakes us for every message of the kernel.
  Status open(const LiveOptions& options) {
    if (log_) return {};
    TRY(log_, KernelLog::open(options.kmsg_path));
    return {};
  }

  std::vector<Observation> take_backlog() { return std::exchange(backlog_, {}); }
  std::optional<KernelLog>& log() { return log_; }

 private:
  std::vector<Observation> backlog_;
  std::optional<KernelLog> log_;
};

// What the kernel lets us see: hooks, with the log where they do not show the decision; else the
// log alone.
struct Sources {
  std::optional<Tracer> tracer;
  HookPlan plan;
  LogSource log;
  bool log_needed = false;  // else only until no kill can be between the backlog and the hooks
};

// An error's lines as one.
std::string on_one_line(const Error& error) {
  std::string text;
  for (const char byte : error.message()) text += byte == '\n' ? ',' : byte;
  return error.hint().empty() ? text : text + "; hint: " + error.hint();
}

Result<Sources> watch_log_alone(Sources&& sources, const Error& refused,
                                const LiveOptions& options) {
  // Whoever names hooks wants those.
  const bool chosen = !options.tracer.hooks.empty() || options.tracer.btf_path.has_value();
  if (chosen || !sources.log.open(options)) return tl::make_unexpected(refused);
  options.on_trouble(on_one_line(refused));
  options.on_trouble(
      "watching the kernel's log alone: no command lines, candidates or stacks, and in "
      "a storm of kills no more than the victims");
  sources.log_needed = true;
  return std::move(sources);
}

Result<Sources> open_sources(const LiveOptions& options, RecordQueue& queue) {
  TRY(auto plan, HookPlan::make({}, {}));
  for (const HookRow& row : hook_table()) {
    while (plan.current(row.hook) != nullptr) plan.refuse(row.hook, "BPF is refused");
  }
  Sources sources{.tracer = std::nullopt, .plan = std::move(plan), .log = {}};
  sources.log.read_backlog(options);
  auto tracer =
      options.bpf
          ? Tracer::attach(options.tracer,
                           [&queue](std::span<const std::byte> record) { queue.push(record); })
          : Result<Tracer>(fail("BPF is not tried"));
  if (!tracer) return watch_log_alone(std::move(sources), tracer.error(), options);
  sources.plan = tracer->plan();
  sources.tracer = *std::move(tracer);
  if (options.on_ready) options.on_ready(sources.plan);
  sources.log_needed = sources.plan.current(Hook::kDecision) == nullptr;
  if (!sources.log_needed) return sources;
  if (const Status opened = sources.log.open(options); !opened) {
    options.on_trouble(opened.error().message() + "; whose limit was hit will not be known");
    sources.log_needed = false;
  }
  return sources;
}

}  // namespace

Status trace_live(LiveOptions options, IncidentStream::Sink sink) {
  if (!options.on_trouble) options.on_trouble = [](std::string_view) {};
  OwnedFd signals;
  if (options.partner == nullptr) {
    TRY(signals, catch_end_signals());
  }
  TRY(auto queue, RecordQueue::make(kQueueBytes));
  TRY(auto sources, open_sources(options, queue));
  Tracer* const tracer = sources.tracer ? &*sources.tracer : nullptr;
  if (tracer == nullptr && options.on_ready) options.on_ready(sources.plan);
  TRY(auto late,
      LateReads::start(options.roots, sources.plan.current(Hook::kSignalDeliver) != nullptr));
  SessionFacts facts =
      session_facts(sources.plan, options.roots, options.settle, sources.log_needed);
  if (tracer == nullptr) facts.assembler.hooks.clear();
  std::unique_ptr<RecordingWriter> writer;
  if (options.record_path) {
    TRY(auto created, RecordingWriter::create(*options.record_path, facts, monotonic_now_ns()));
    writer = std::make_unique<RecordingWriter>(std::move(created));
  }
  IncidentStream stream(facts, options.wanted, std::move(sink), options.complete);
  std::optional<SymbolThread> symbols;
  std::unique_ptr<RingReader> reader;
  if (tracer != nullptr) {
    symbols.emplace(*tracer, options.roots.proc, options.symbols_after);
    TRY(reader, RingReader::start(*tracer));
  }
  LiveTrace trace(std::move(options), std::move(signals), queue, tracer, late, sources.log.log(),
                  stream, std::move(writer));
  if (!sources.log_needed) trace.forget_log_soon();
  trace.take_backlog(sources.log.take_backlog());
  return trace.run(reader.get());
}

}  // namespace oomwitness
