// SPDX-License-Identifier: BSD-2-Clause
#include "run/witness.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "pipeline/live.h"
#include "support/owned_fd.h"

namespace oomwitness {
namespace {

bool names_hooks(const HookPlan& plan) {
  return std::any_of(hook_table().begin(), hook_table().end(),
                     [&plan](const HookRow& row) { return plan.current(row.hook) != nullptr; });
}

bool begins_with_path(std::string_view path, std::string_view wanted) {
  if (wanted == "/") return true;
  return path.starts_with(wanted) && (path.size() == wanted.size() || path[wanted.size()] == '/');
}

}  // namespace

bool is_watched(std::string_view victim_cgroup, const WitnessOptions& options) {
  std::string_view wanted = options.cgroup;
  if (options.by_name) {
    wanted.remove_prefix(wanted.rfind('/'));
    const auto at = victim_cgroup.find(wanted);
    if (at == std::string_view::npos) return false;
    victim_cgroup.remove_prefix(at);
  }
  return begins_with_path(victim_cgroup, wanted);
}

struct Witness::Watch : LivePartner {
  WitnessOptions options;
  std::mutex mutex;
  std::condition_variable changed;
  bool ended = true;     // nobody watches
  bool settled = false;  // kills can be seen, or it is known that they cannot
  RunDepth depth = RunDepth::kCgroup;
  std::string refusal;
  std::vector<Incident> incidents;
  OwnedFd stop;
  std::thread thread;

  std::vector<int> descriptors() const override { return {stop.get()}; }
  std::optional<std::uint64_t> next_deadline() const override { return std::nullopt; }
  Turn turn(std::uint64_t /*now_ns*/) override {
    std::uint64_t told = 0;
    return {.seen = {}, .stop = ::read(stop.get(), &told, sizeof(told)) > 0};
  }

  void settle(RunDepth at) {
    const std::lock_guard lock(mutex);
    depth = at;
    settled = true;
    changed.notify_all();
  }

  void keep(const Incident& incident) {
    const std::lock_guard lock(mutex);
    const bool ours = std::any_of(
        incident.victims.begin(), incident.victims.end(),
        [this](const Victim& each) { return each.cgroup && is_watched(*each.cgroup, options); });
    if (!ours) return;
    const auto same = std::find_if(incidents.begin(), incidents.end(),
                                   [&](const Incident& each) { return each.id == incident.id; });
    if (same == incidents.end())
      incidents.push_back(incident);
    else
      *same = incident;
    changed.notify_all();
  }

  void note(std::string_view trouble) {
    const std::lock_guard lock(mutex);
    if (refusal.empty()) refusal = trouble;
  }

  std::size_t victims() const {
    std::size_t count = 0;
    for (const Incident& incident : incidents) count += incident.victims.size();
    return count;
  }

  void watch(LiveOptions live) {
    const Status traced = trace_live(std::move(live), [this](const Incident& incident) {
      keep(incident);
      return Status();
    });
    if (!traced) note(traced.error().message());
    const std::lock_guard lock(mutex);
    ended = true;
    settled = true;
    changed.notify_all();
  }

  void start() {
    ended = false;
    stop = OwnedFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    LiveOptions live;
    live.roots = options.roots;
    live.bpf = options.deepest == RunDepth::kBpf;
    live.partner = this;
    // Most commands of a build are over before.
    live.symbols_after = std::chrono::milliseconds(500);
    live.on_ready = [this](const HookPlan& plan) {
      settle(names_hooks(plan) ? RunDepth::kBpf : RunDepth::kKernelLog);
    };
    live.on_trouble = [this](std::string_view trouble) { note(trouble); };
    thread = std::thread([this, live = std::move(live)]() mutable { watch(std::move(live)); });
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return settled; });
  }

  void end() {
    if (!thread.joinable()) return;
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t told = ::write(stop.get(), &one, sizeof(one));
    thread.join();
  }
};

Witness::Witness(std::unique_ptr<Watch> watch) : watch_(std::move(watch)) {}
Witness::Witness(Witness&&) noexcept = default;
Witness& Witness::operator=(Witness&&) noexcept = default;

Witness::~Witness() {
  if (watch_) watch_->end();
}

Witness Witness::start(const WitnessOptions& options) {
  auto watch = std::make_unique<Watch>();
  const bool wanted = options.deepest == RunDepth::kBpf || options.deepest == RunDepth::kKernelLog;
  watch->options = options;
  if (wanted) watch->start();
  return Witness(std::move(watch));
}

RunDepth Witness::depth() const {
  const std::lock_guard lock(watch_->mutex);
  return watch_->depth;
}

const std::string& Witness::refusal() const {
  return watch_->refusal;
}

std::vector<Incident> Witness::finish(std::uint64_t victims, std::chrono::milliseconds longest) {
  {
    std::unique_lock lock(watch_->mutex);
    watch_->changed.wait_for(lock, longest,
                             [&] { return watch_->ended || watch_->victims() >= victims; });
  }
  watch_->end();
  return std::move(watch_->incidents);
}

}  // namespace oomwitness
