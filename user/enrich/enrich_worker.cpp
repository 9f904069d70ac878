// SPDX-License-Identifier: BSD-2-Clause
#include "enrich/enrich_worker.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "enrich/bounded_read.h"

namespace oomwitness {

struct EnrichWorker::State {
  struct Running {
    std::uint64_t deadline_ns = 0;
    decltype(EnrichJob::give_up) give_up;
  };
  struct Thread {
    std::thread handle;
    bool finished = false;
  };

  State(Options chosen, NowNs clock, OwnedFd fd)
      : options(chosen), now(std::move(clock)), event(std::move(fd)) {}

  void work(std::size_t index);
  void add_result(Observation result);
  bool all_stuck() const { return counters.stuck == options.threads; }

  const Options options;
  const NowNs now;
  const OwnedFd event;

  std::mutex mutex;  // guards what follows
  std::condition_variable wake;
  std::condition_variable thread_finished;
  bool stopping = false;
  std::uint64_t next_id = 0;
  std::deque<EnrichJob> queue;
  std::map<std::uint64_t, Running> running;  // and not given up
  std::vector<Observation> results;
  Counters counters;
  std::deque<Thread> threads;
};

void EnrichWorker::State::add_result(Observation result) {
  results.push_back(std::move(result));
  const std::uint64_t one = 1;
  // Cannot fail usefully: EAGAIN would mean 2^64 - 2 unread results.
  [[maybe_unused]] const ssize_t written = ::write(event.get(), &one, sizeof one);
}

void EnrichWorker::State::work(std::size_t index) {
  std::unique_lock lock(mutex);
  for (;;) {
    wake.wait(lock, [this] { return stopping || !queue.empty(); });
    if (stopping) break;
    EnrichJob job = std::move(queue.front());
    queue.pop_front();
    const std::uint64_t id = next_id++;
    // The time starts here, not at submit(): a burst of kills waits in line without losing any.
    running.emplace(id, Running{now() + options.timeout_ns, std::move(job.give_up)});
    lock.unlock();
    Observation result = job.read();
    job.read = nullptr;
    lock.lock();
    if (running.erase(id) == 0) {
      ++counters.too_late;
      --counters.stuck;
      continue;
    }
    ++counters.answered;
    add_result(std::move(result));
  }
  threads[index].finished = true;
  thread_finished.notify_all();
}

Result<std::unique_ptr<EnrichWorker>> EnrichWorker::start(Options options, NowNs now) {
  OwnedFd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (event.get() < 0) return fail(errno, "make an eventfd for late reads");
  std::unique_ptr<EnrichWorker> worker(
      new EnrichWorker(std::make_shared<State>(options, std::move(now), std::move(event))));
  CHECK_OK(worker->start_threads(options.threads));
  return worker;
}

Status EnrichWorker::start_threads(std::size_t count) {
  // Signals are for the thread that waits for them.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  Status status;
  try {
    const std::lock_guard lock(state_->mutex);
    for (std::size_t i = 0; i < count; ++i) {
      state_->threads.emplace_back().finished = true;  // until it runs
      state_->threads[i].handle = std::thread([state = state_, i] { state->work(i); });
      state_->threads[i].finished = false;
    }
  } catch (const std::system_error& error) {
    status = fail(error.code().value(), "start a thread for late reads");
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return status;
}

EnrichWorker::~EnrichWorker() {
  std::unique_lock lock(state_->mutex);
  state_->stopping = true;
  state_->wake.notify_all();
  const auto idle = [this] {
    return std::count_if(state_->threads.begin(), state_->threads.end(),
                         [](const State::Thread& thread) { return !thread.finished; }) ==
           static_cast<std::ptrdiff_t>(state_->counters.stuck);
  };
  state_->thread_finished.wait_until(
      lock, std::chrono::system_clock::now() + std::chrono::nanoseconds(state_->options.timeout_ns),
      idle);
  for (State::Thread& thread : state_->threads) {
    if (!thread.handle.joinable()) continue;
    if (!thread.finished) {
      thread.handle.detach();
      continue;
    }
    lock.unlock();  // it may still have to release the mutex
    thread.handle.join();
    lock.lock();
  }
}

void EnrichWorker::submit(EnrichJob job) {
  const std::lock_guard lock(state_->mutex);
  const bool full = state_->queue.size() >= state_->options.max_queued;
  if (full || state_->all_stuck()) {
    ++state_->counters.refused;
    state_->add_result(job.give_up(state_->now(), full ? "too many late reads were waiting"
                                                       : "every reader thread is stuck in /proc"));
    return;
  }
  state_->queue.push_back(std::move(job));
  state_->wake.notify_one();
}

int EnrichWorker::result_fd() const noexcept {
  return state_->event.get();
}

std::vector<Observation> EnrichWorker::take_results() {
  const std::lock_guard lock(state_->mutex);
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = ::read(state_->event.get(), &count, sizeof count);
  return std::exchange(state_->results, {});
}

Opt<std::uint64_t> EnrichWorker::next_deadline() const {
  const std::lock_guard lock(state_->mutex);
  Opt<std::uint64_t> next;
  for (const auto& [id, job] : state_->running)
    next = std::min(next.value_or(job.deadline_ns), job.deadline_ns);
  // A queued job begins some time from now; the owner looks again then.
  if (!next && !state_->queue.empty()) next = state_->now() + state_->options.timeout_ns;
  return next;
}

void EnrichWorker::expire(std::uint64_t now_ns) {
  const std::lock_guard lock(state_->mutex);
  const std::string why = "/proc did not answer within " +
                          std::to_string(state_->options.timeout_ns / 1'000'000) + " ms";
  for (auto job = state_->running.begin(); job != state_->running.end();) {
    if (job->second.deadline_ns > now_ns) {
      ++job;
      continue;
    }
    state_->add_result(job->second.give_up(now_ns, why));
    ++state_->counters.timed_out;
    ++state_->counters.stuck;
    job = state_->running.erase(job);
  }
  while (state_->all_stuck() && !state_->queue.empty()) {
    ++state_->counters.refused;
    state_->add_result(
        state_->queue.front().give_up(now_ns, "every reader thread is stuck in /proc"));
    state_->queue.pop_front();
  }
}

EnrichWorker::Counters EnrichWorker::counters() const {
  const std::lock_guard lock(state_->mutex);
  return state_->counters;
}

EnrichJob victim_job(std::shared_ptr<const Enricher> enricher, VictimQuery query) {
  struct Partial {
    std::mutex mutex;
    Opt<ProcFacts> facts;
  };
  const auto partial = std::make_shared<Partial>();
  EnrichJob job;
  job.read = [enricher = std::move(enricher), query, partial]() -> Observation {
    return enricher->collect(query, [&partial](const ProcFacts& so_far) {
      const std::lock_guard lock(partial->mutex);
      partial->facts = so_far;
    });
  };
  job.give_up = [query = std::move(query), partial](std::uint64_t now_ns,
                                                    const std::string& why) -> Observation {
    const std::lock_guard lock(partial->mutex);
    if (!partial->facts) return no_facts(query, now_ns, why);
    ProcFacts facts = std::move(*partial->facts);
    facts.at_ns = now_ns;
    facts.missing["cmdline"] = why;
    return facts;
  };
  return job;
}

}  // namespace oomwitness
