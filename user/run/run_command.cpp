// SPDX-License-Identifier: BSD-2-Clause
#include "run/run_command.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <utility>

#include "pipeline/host.h"
#include "run/descendants.h"
#include "run/janitor.h"
#include "run/kills.h"
#include "run/passed_signals.h"
#include "run/spared.h"
#include "run/witness.h"
#include "support/text.h"

namespace oomwitness {
namespace {

constexpr int kEndRounds = 500;                           // 5 s
constexpr std::chrono::milliseconds kIncidentWait{1500};  // the settling time, and some

// Every process of the foreground group of a terminal has its keys' signals; a process group of
// the command's own would not.
bool has_terminal() {
  return OwnedFd(::open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC)).get() >= 0;
}

bool has_children() {
  siginfo_t told{};
  return ::waitid(P_ALL, 0, &told, WEXITED | WNOHANG | WNOWAIT) == 0;
}

std::optional<std::uint64_t> since(std::optional<std::uint64_t> before,
                                   std::optional<std::uint64_t> after) {
  if (!before || !after) return std::nullopt;
  return *after >= *before ? *after - *before : 0;
}

class Run {
 public:
  Run(const RunOptions& options, ChosenBox chosen, PassedSignals signals)
      : options_(options),
        refusal_(std::move(chosen.refusal)),
        box_(std::move(chosen.box)),
        signals_(std::move(signals)),
        own_group_(!has_terminal()) {
    watched_.roots = options.box.roots;
    watched_.deepest = box_ ? options.deepest : RunDepth::kWaitStatus;
    if (!box_) return;
    watched_.cgroup = box_->path();
    watched_.by_name = !box_->shared();
  }

  Result<RunRecord> run();

 private:
  Status start();
  void mark_not_run(int error);
  void describe_cgroup();
  void take_course(Course course);
  void take_counters(const MemoryReading& after);
  void end_the_rest();
  void take_incidents(Witness& witness);
  void explain_missing(const Witness& witness);
  void clean_up();
  void trouble(const Error& error) const {
    if (options_.on_trouble) options_.on_trouble(error.message());
  }
  Box* box() { return box_ ? &*box_ : nullptr; }

  const RunOptions& options_;
  std::string refusal_;
  std::optional<Box> box_;
  PassedSignals signals_;
  bool own_group_;
  WitnessOptions watched_;
  std::optional<Janitor> janitor_;
  std::optional<Child> child_;
  MemoryReading before_;
  std::uint64_t began_ns_ = 0;
  std::vector<Course::Rise> rises_;
  RunRecord record_;
};

Status Run::start() {
  // Processes whose parents are gone become ours, and not init's.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  if (box_ && !box_->shared()) {
    TRY(janitor_, Janitor::fork_for(*box_));
  }
  ChildOptions child{.argv = options_.argv,
                     .signal_mask = signals_.old_mask(),
                     .on_sigpipe = options_.on_sigpipe,
                     .own_group = own_group_,
                     .silent = options_.silent};
  TRY(child_, Child::fork_into(box(), child));
  return {};
}

Result<RunRecord> Run::run() {
  describe_cgroup();
  if (Status started = start(); !started) {
    clean_up();
    return tl::make_unexpected(std::move(started).error());
  }
  const Spared spared(options_.box.roots.proc);  // the command has been forked already
  Witness witness = Witness::start(watched_);
  record_.depth = box_ ? witness.depth() : RunDepth::kWaitStatus;
  if (box_) before_ = box_->counters().read();
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  record_.started_unix_ns = std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
  began_ns_ = monotonic_now_ns();
  const int refused = child_->open_gate();
  Course course = supervise(*child_, box(), began_ns_, before_.oom_kills.value_or(0), signals_,
                            own_group_, options_.time_limit);
  end_the_rest();
  const MemoryReading after = box_ ? box_->counters().read() : MemoryReading();
  take_course(std::move(course));
  if (box_) take_counters(after);
  take_incidents(witness);
  explain_missing(witness);
  clean_up();
  judge(record_, options_.oom);
  if (refused != 0) mark_not_run(refused);
  return std::move(record_);
}

void Run::mark_not_run(int error) {
  record_.verdict = RunVerdict::kNotRun;
  record_.error = std::strerror(error);  // NOLINT(concurrency-mt-unsafe): no other thread
  record_.exit_code = exit_code_of_exec_error(error);
  record_.command_exit_code.reset();
  record_.usage = {};
  record_.memory.clear();
}

void Run::describe_cgroup() {
  record_.command = options_.argv;
  if (!options_.show_secrets) redact_argv(record_.command);
  record_.host = read_host(options_.box.roots.proc);
  record_.limits.memory_max_bytes = options_.box.limits.memory_max_bytes;
  record_.limits.swap_max_bytes = options_.box.limits.swap_max_bytes;
  if (options_.time_limit)
    record_.limits.timeout_ns = static_cast<std::uint64_t>(options_.time_limit->after.count());
  if (!box_) return;
  record_.cgroup.version = box_->v1() ? 1 : 2;
  record_.cgroup.path = box_->path();
  const bool in_scope = options_.box.way == CgroupWay::kSystemd;
  record_.cgroup.way = box_->shared() ? "own" : in_scope ? "systemd" : "new";
  if (const auto limit = box_->effective_limit()) {
    record_.limits.effective_bytes = limit->first;
    record_.limits.effective_cgroup = limit->second;
  }
}

void Run::take_course(Course course) {
  const int status = course.wait_status;
  if (WIFEXITED(status)) record_.command_exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) record_.command_signal = WTERMSIG(status);
  record_.timed_out = course.timed_out;
  record_.passed_signal = course.passed_signal;
  record_.usage.wall_ns = course.wall_ns;
  record_.usage.user_ns = course.user_ns;
  record_.usage.system_ns = course.system_ns;
  record_.memory = course.sampler.samples();
  record_.usage.swap_peak_bytes = course.sampler.highest_swap_bytes();
  if (!record_.memory.empty()) {
    record_.usage.peak_bytes = course.sampler.highest_bytes();
    record_.usage.peak_source = "samples";
  }
  rises_ = std::move(course.rises);
}

void Run::take_counters(const MemoryReading& after) {
  constexpr std::uint64_t kNsPerUs = 1000;
  RunUsage& usage = record_.usage;
  // The peak of a shared cgroup is of its whole life: it is this run's when it has risen.
  const bool of_this_run = !box_->shared() || before_.peak_bytes < after.peak_bytes;
  if (after.peak_bytes && of_this_run) {
    usage.peak_bytes = after.peak_bytes;
    usage.peak_source = box_->v1() ? "memory.max_usage_in_bytes" : "memory.peak";
  }
  if (after.swap_peak_bytes && (!box_->shared() || before_.swap_peak_bytes < after.swap_peak_bytes))
    usage.swap_peak_bytes = after.swap_peak_bytes;
  usage.limit_hits = since(before_.limit_hits, after.limit_hits);
  if (const auto us = since(before_.stall_some_us, after.stall_some_us))
    usage.stall_some_ns = *us * kNsPerUs;
  if (const auto us = since(before_.stall_full_us, after.stall_full_us))
    usage.stall_full_ns = *us * kNsPerUs;
  record_.oom_kills = since(before_.oom_kills, after.oom_kills);
}

void Run::end_the_rest() {
  const std::string& proc = options_.box.roots.proc;
  if (box_) {
    record_.ended_processes = box_->processes().size();
    if (record_.ended_processes != 0 && !box_->end_processes(kEndRounds))
      trouble(Error({}, "processes in " + box_->path() + " do not end, SIGKILL or not"));
  }
  if (janitor_) janitor_->dismiss();
  janitor_.reset();
  // What has left the cgroup, or was in a shared one.
  if (has_children()) record_.ended_processes += end_descendants(proc, kEndRounds);
}

void Run::take_incidents(Witness& witness) {
  const std::uint64_t counted = record_.oom_kills.value_or(0);
  // Without a counter only the signal tells that there may be something to wait for.
  const bool maybe = !record_.oom_kills && record_.command_signal == SIGKILL;
  const std::uint64_t victims = maybe ? 1 : counted;
  record_.incidents = witness.finish(victims, kIncidentWait);
  record_.kills = kills_of(record_.incidents, watched_, began_ns_, rises_, counted);
}

void Run::explain_missing(const Witness& witness) {
  const auto missing = [this](const char* field, std::string why) {
    record_.missing.emplace(field, std::move(why));
  };
  if (!box_) {
    missing("cgroup", refusal_);
    return;
  }
  if (!refusal_.empty()) missing("cgroup.way", "none of the run's own: " + refusal_);
  if (!witness.refusal().empty()) missing("depth", witness.refusal());
  if (!record_.oom_kills)
    missing("oom_kills", "this kernel does not count kills in memory.oom_control (before 4.13)");
  if (!record_.kills.empty() && !record_.kills.front().pid)
    missing("kills",
            record_.depth == RunDepth::kKernelLog
                ? "the log told of no kill in this cgroup: the kernel reports at most ten in "
                  "5 s in full, and of others no more than the process"
                : "the cgroup's counter does not tell who was killed");
  if (!record_.usage.stall_some_ns)
    missing("usage.stall_some_ns", box_->v1() ? "cgroup version 1 has no memory.pressure"
                                              : "this kernel has no memory.pressure");
}

void Run::clean_up() {
  // Whoever waits at the gate gives up when it closes.
  const bool at_the_gate = child_.has_value();
  child_.reset();
  if (at_the_gate || janitor_) {
    if (janitor_) janitor_->dismiss();
    janitor_.reset();
    if (has_children()) end_descendants(options_.box.roots.proc, kEndRounds);
  }
  if (box_) {
    if (const Status removed = box_->remove(); !removed) trouble(removed.error());
  }
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
  signals_.restore();
}

}  // namespace

Result<RunRecord> run_command(const RunOptions& options) {
  TRY(auto chosen, choose_box(options.box));
  auto signals = PassedSignals::catch_them();
  if (!signals) {
    if (chosen.box) CHECK_OK(chosen.box->remove());
    return tl::make_unexpected(std::move(signals).error());
  }
  return Run(options, std::move(chosen), *std::move(signals)).run();
}

}  // namespace oomwitness
