// SPDX-License-Identifier: BSD-2-Clause
#include "pipeline/live.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <ctime>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "capture/decode.h"
#include "pipeline/host.h"
#include "pipeline/kernel_log.h"
#include "pipeline/late_reads.h"
#include "pipeline/ring_reader.h"
#include "pipeline/session_facts.h"
#include "support/owned_fd.h"
#include "support/text.h"

namespace oomwitness {
namespace {

constexpr std::size_t kQueueBytes = 4U << 20U;

Result<OwnedFd> catch_signals() {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  // Before any thread is made: all inherit the mask.
  if (::pthread_sigmask(SIG_BLOCK, &ends, nullptr) != 0) return fail(errno, "block signals");
  OwnedFd fd(::signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK));
  if (fd.get() < 0) return fail(errno, "make a signalfd");
  return fd;
}

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
  LiveTrace(LiveOptions options, OwnedFd signals, RecordQueue& queue, Tracer& tracer,
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

  Status run(RingReader& reader);

 private:
  void take_records();
  void take_late_reads();
  void take_log();
  void take_losses();
  void take(const Observation& observation, std::uint64_t now_ns);
  bool ended() const { return stop_ || stream_.done() || !status_; }
  void keep(const Status& written);
  // When to look again although nothing came; nullopt: never.
  std::optional<std::uint64_t> next_deadline(std::uint64_t ends_at) const;
  void wait(const RingReader& reader, std::uint64_t ends_at);

  LiveOptions options_;
  OwnedFd signals_;
  RecordQueue& queue_;
  Tracer& tracer_;
  LateReads& late_;
  std::optional<KernelLog>& log_;
  IncidentStream& stream_;
  std::unique_ptr<RecordingWriter> writer_;
  std::vector<std::byte> record_;
  std::uint64_t lost_ = 0;
  bool stop_ = false;
  Status status_;
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

void LiveTrace::take_log() {
  if (!log_) return;
  const std::uint64_t now_ns = monotonic_now_ns();
  const auto reports = log_->read();
  if (!reports) {
    options_.on_trouble(reports.error().message() + "; going on without the kernel log");
    log_.reset();
    return;
  }
  for (const Observation& report : *reports) take(report, now_ns);
}

void LiveTrace::take_losses() {
  const std::uint64_t lost = tracer_.lost() + queue_.dropped() + (log_ ? log_->lost() : 0);
  if (lost == lost_) return;
  lost_ = lost;
  const std::uint64_t now_ns = monotonic_now_ns();
  take(Losses{.at_ns = now_ns, .total = lost}, now_ns);
}

std::optional<std::uint64_t> LiveTrace::next_deadline(std::uint64_t ends_at) const {
  std::optional<std::uint64_t> next;
  const auto add = [&](std::optional<std::uint64_t> at) {
    if (at && (!next || *at < *next)) next = at;
  };
  add(stream_.next_deadline());
  add(late_.next_deadline());
  if (options_.duration) add(ends_at);
  return next;
}

void LiveTrace::wait(const RingReader& reader, std::uint64_t ends_at) {
  std::array<pollfd, 4> fds{{{reader.news_fd(), POLLIN, 0},
                             {late_.result_fd(), POLLIN, 0},
                             {signals_.get(), POLLIN, 0},
                             {log_ ? log_->fd() : -1, POLLIN, 0}}};
  timespec timeout{};
  const auto deadline = next_deadline(ends_at);
  if (deadline) {
    const std::uint64_t now_ns = monotonic_now_ns();
    const std::uint64_t left = *deadline > now_ns ? *deadline - now_ns : 0;
    timeout.tv_sec = static_cast<time_t>(left / 1'000'000'000);
    timeout.tv_nsec = static_cast<long>(left % 1'000'000'000);
  }
  if (::ppoll(fds.data(), fds.size(), deadline ? &timeout : nullptr, nullptr) < 0) return;
  if ((fds[0].revents & POLLIN) != 0) empty(reader.news_fd());
  if ((fds[2].revents & POLLIN) != 0) stop_ = true;
}

Status LiveTrace::run(RingReader& reader) {
  const std::uint64_t ends_at =
      monotonic_now_ns() +
      static_cast<std::uint64_t>(options_.duration.value_or(std::chrono::nanoseconds(0)).count());
  while (!ended()) {
    wait(reader, ends_at);
    take_losses();
    take_records();
    take_log();
    take_late_reads();
    if (ended()) break;
    const std::uint64_t now_ns = monotonic_now_ns();
    stream_.advance(now_ns);
    if (options_.duration && now_ns >= ends_at) stop_ = true;
  }
  reader.stop();
  take_records();
  const std::uint64_t now_ns = monotonic_now_ns();
  if (!stream_.done()) stream_.flush(now_ns);
  if (writer_) keep(writer_->end(now_ns, stream_.done()));
  CHECK_OK(status_);
  return stream_.status();
}

// Runs beside the trace: a pass over /proc/kallsyms takes tens of milliseconds, and nobody should
// wait for it to be ready.
class SymbolThread {
 public:
  SymbolThread(Tracer& tracer, std::string proc)
      : thread_([&tracer, proc = std::move(proc)] {
          // Without them system memory comes from /proc/meminfo, marked so.
          [[maybe_unused]] const auto found = tracer.find_kernel_variables(proc);
        }) {}
  ~SymbolThread() { thread_.join(); }
  SymbolThread(const SymbolThread&) = delete;
  SymbolThread& operator=(const SymbolThread&) = delete;
  SymbolThread(SymbolThread&&) = delete;
  SymbolThread& operator=(SymbolThread&&) = delete;

 private:
  std::thread thread_;
};

// Only where the decision cannot be hooked: the log wakes us for every message of the kernel.
std::optional<KernelLog> open_log(const HookPlan& plan, const LiveOptions& options) {
  if (plan.current(Hook::kDecision) != nullptr) return std::nullopt;
  auto log = KernelLog::open(options.kmsg_path);
  if (log) return *std::move(log);
  options.on_trouble(log.error().message() + "; whose limit was hit will not be known");
  return std::nullopt;
}

}  // namespace

Status trace_live(LiveOptions options, IncidentStream::Sink sink) {
  if (!options.on_trouble) options.on_trouble = [](std::string_view) {};
  TRY(auto signals, catch_signals());
  TRY(auto queue, RecordQueue::make(kQueueBytes));
  TRY(auto tracer, Tracer::attach(options.tracer, [&queue](std::span<const std::byte> record) {
        queue.push(record);
      }));
  if (options.on_ready) options.on_ready(tracer.plan());
  TRY(auto late, LateReads::start(options.roots));
  std::optional<KernelLog> log = open_log(tracer.plan(), options);
  const SessionFacts facts =
      session_facts(tracer.plan(), options.roots, options.settle, log.has_value());
  std::unique_ptr<RecordingWriter> writer;
  if (options.record_path) {
    TRY(auto created, RecordingWriter::create(*options.record_path, facts, monotonic_now_ns()));
    writer = std::make_unique<RecordingWriter>(std::move(created));
  }
  IncidentStream stream(facts, options.wanted, std::move(sink));
  const SymbolThread symbols(tracer, options.roots.proc);
  TRY(auto reader, RingReader::start(tracer));
  LiveTrace trace(std::move(options), std::move(signals), queue, tracer, late, log, stream,
                  std::move(writer));
  return trace.run(*reader);
}

}  // namespace oomwitness
