// SPDX-License-Identifier: BSD-2-Clause
#include "run/supervise.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <ctime>

#include "pipeline/host.h"

namespace oomwitness {
namespace {

constexpr std::uint64_t kNsPerMs = 1'000'000;

std::uint64_t ns_of(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(time.tv_usec) * 1000;
}

bool asks_to_end(int signal) {
  return signal == SIGINT || signal == SIGTERM || signal == SIGHUP || signal == SIGQUIT;
}

class Supervision {
 public:
  Supervision(const Child& child, Box* box, std::uint64_t began_ns, std::uint64_t kills_before,
              const PassedSignals& signals, bool own_group,
              const std::optional<TimeLimit>& time_limit)
      : child_(child),
        box_(box),
        kills_(kills_before),
        signals_(signals),
        own_group_(own_group),
        time_limit_(time_limit),
        began_ns_(began_ns) {
    if (time_limit_)
      act_at_ns_ = began_ns_ + static_cast<std::uint64_t>(time_limit_->after.count());
  }

  Course run() {
    while (!ended_) {
      wait();
      take_signals();
      const std::uint64_t now_ns = monotonic_now_ns();
      if (ended_) break;
      if (box_ != nullptr && (kills_changed_ || now_ns >= sample_at_ns())) look(now_ns);
      if (act_at_ns_ && now_ns >= *act_at_ns_) keep_time(now_ns);
    }
    return std::move(course_);
  }

 private:
  std::uint64_t sample_at_ns() const { return began_ns_ + course_.sampler.next_ms() * kNsPerMs; }

  void wait() {
    kills_changed_ = false;
    const int events_fd = box_ != nullptr ? box_->counters().events_fd() : -1;
    std::array<pollfd, 2> fds{{{signals_.fd(), POLLIN, 0}, {events_fd, POLLPRI, 0}}};
    std::optional<std::uint64_t> until = act_at_ns_;
    if (box_ != nullptr) until = std::min(until.value_or(UINT64_MAX), sample_at_ns());
    timespec timeout{};
    if (until) {
      const std::uint64_t now_ns = monotonic_now_ns();
      const std::uint64_t left = *until > now_ns ? *until - now_ns : 0;
      timeout.tv_sec = static_cast<time_t>(left / 1'000'000'000);
      timeout.tv_nsec = static_cast<long>(left % 1'000'000'000);
    }
    if (::ppoll(fds.data(), fds.size(), until ? &timeout : nullptr, nullptr) <= 0) return;
    kills_changed_ = (fds[1].revents & POLLPRI) != 0;
  }

  void take_signals() {
    bool children = false;
    while (const auto signal = signals_.next()) {
      if (signal->number == SIGCHLD) {
        children = true;
        continue;
      }
      pass_on(*signal, child_.pid(), own_group_);
      if (asks_to_end(signal->number)) course_.passed_signal = signal->number;
    }
    if (children) reap();
  }

  void reap() {
    int status = 0;
    rusage used{};
    for (pid_t pid = 0; (pid = ::wait4(-1, &status, WNOHANG, &used)) > 0;) {
      if (pid != child_.pid()) continue;
      ended_ = true;
      course_.wall_ns = monotonic_now_ns() - began_ns_;
      course_.wait_status = status;
      course_.user_ns = ns_of(used.ru_utime);
      course_.system_ns = ns_of(used.ru_stime);
    }
  }

  // At the limit the kernel tells of changes a hundred times a second: these are not all samples.
  void look(std::uint64_t now_ns) {
    const std::uint64_t ms = (now_ns - began_ns_) / kNsPerMs;
    const MemoryReading reading = box_->counters().sample();
    if (now_ns >= sample_at_ns()) course_.sampler.add(ms, reading);
    if (!reading.oom_kills || *reading.oom_kills <= kills_) return;
    course_.rises.push_back({.ms = ms, .kills = *reading.oom_kills - kills_});
    kills_ = *reading.oom_kills;
  }

  void keep_time(std::uint64_t now_ns) {
    const bool first = !course_.timed_out;
    course_.timed_out = true;
    ::kill(child_.pid(), first ? SIGTERM : SIGKILL);
    // A stopped process takes it only when it goes on.
    if (first) ::kill(child_.pid(), SIGCONT);
    act_at_ns_.reset();
    if (first) act_at_ns_ = now_ns + static_cast<std::uint64_t>(time_limit_->grace.count());
  }

  const Child& child_;
  Box* box_;
  std::uint64_t kills_;
  const PassedSignals& signals_;
  bool own_group_;
  const std::optional<TimeLimit>& time_limit_;
  std::uint64_t began_ns_;
  std::optional<std::uint64_t> act_at_ns_;  // SIGTERM, then SIGKILL
  bool kills_changed_ = false;
  bool ended_ = false;
  Course course_;
};

}  // namespace

Course supervise(const Child& child, Box* box, std::uint64_t began_ns, std::uint64_t kills_before,
                 const PassedSignals& signals, bool own_group,
                 const std::optional<TimeLimit>& time_limit) {
  return Supervision(child, box, began_ns, kills_before, signals, own_group, time_limit).run();
}

}  // namespace oomwitness
