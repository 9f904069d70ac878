// SPDX-License-Identifier: BSD-2-Clause
#include "agent/recorder/recorder.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "agent/recorder/figures.h"
#include "enrich/bounded_read.h"
#include "enrich/memory_files.h"

namespace oomwitness {
namespace {

constexpr std::size_t kHostTrigger = SIZE_MAX;  // others are of a cgroup's row

std::uint64_t ns(std::chrono::nanoseconds duration) {
  return static_cast<std::uint64_t>(duration.count());
}

Result<CgroupTable> open_cgroups(const Roots& roots, std::size_t rows) {
  TRY(const auto mounts,
      read_at_most(AT_FDCWD, roots.under_proc("self/mountinfo"), kMaxStateFileBytes));
  TRY(const auto mount, find_memcg_mount(mounts.content));
  return CgroupTable::open(roots.under_root(mount.folder).c_str(), mount.v1, mount.root, rows);
}

}  // namespace

Result<std::unique_ptr<Recorder>> Recorder::open(const Roots& roots, const RecorderOptions& options,
                                                 std::uint64_t now_ns) {
  TRY(auto triggers, Triggers::make(options.triggers));
  const auto page_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  TRY(auto processes, ProcessTable::open(roots.proc.c_str(), page_bytes, options.processes));
  auto opened = open_cgroups(roots, options.cgroups);
  std::optional<CgroupTable> cgroups;
  std::string without;
  if (opened)
    cgroups = *std::move(opened);
  else
    without = "cgroups are not recorded: " + opened.error().message();
  // Not make_unique: the constructor is private.
  std::unique_ptr<Recorder> recorder(
      new Recorder(options, std::move(triggers), std::move(processes), std::move(cgroups)));
  if (!without.empty()) recorder->note(without);
  recorder->open_host_files(roots);
  recorder->arm_host(roots);
  recorder->walk(now_ns);
  recorder->sample(now_ns);
  return recorder;
}

Recorder::Recorder(const RecorderOptions& options, Triggers triggers, ProcessTable processes,
                   std::optional<CgroupTable> cgroups)
    : options_(options),
      triggers_(std::move(triggers)),
      processes_(std::move(processes)),
      cgroups_(std::move(cgroups)),
      samples_({.series = options.cgroups + options.processes,
                .slow = options.slow_moments,
                .fast = options.fast_moments}) {}

void Recorder::note(const std::string& text) {
  notes_ += (notes_.empty() ? "" : "; ") + text;
}

void Recorder::open_host_files(const Roots& roots) {
  meminfo_ = OwnedFd(::open(roots.under_proc("meminfo").c_str(), O_RDONLY | O_CLOEXEC));
  pressure_ = OwnedFd(::open(roots.under_proc("pressure/memory").c_str(), O_RDONLY | O_CLOEXEC));
  if (meminfo_.get() < 0) return note("the host's memory is not recorded: no /proc/meminfo");
  const auto text = read_again(meminfo_.get(), buffer_);
  constexpr std::string_view kTotal = "MemTotal:";
  const std::size_t at = text ? text->find(kTotal) : std::string_view::npos;
  constexpr std::uint64_t kKib = 1024;
  if (at == std::string_view::npos) return;
  if (const auto kib = first_number(text->substr(at + kTotal.size()))) total_bytes_ = *kib * kKib;
}

void Recorder::arm_host(const Roots& roots) {
  const Status armed =
      triggers_.arm(AT_FDCWD, roots.under_proc("pressure/memory").c_str(), kHostTrigger);
  if (!armed)
    note("no word from the kernel of pressure (" + armed.error().message() +
         "): short bursts may leave few samples");
}

// Of those with a limit: pressure below it is lost in the average of a large host.
void Recorder::arm_cgroups() {
  if (!cgroups_ || cgroups_->v1() || !may_arm_cgroups_) return;
  const auto& rows = cgroups_->rows();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const bool wanted = rows[i].usage.get() >= 0 && rows[i].limit_bytes;
    if (wanted == triggers_.has(i)) continue;
    if (!wanted) {
      triggers_.disarm(i);
      continue;
    }
    std::array<char, 448> path{};
    const std::string_view below = cgroups_->below_folder(i);
    std::memcpy(path.data(), below.data(), below.size());
    std::memcpy(path.data() + below.size(), "/memory.pressure", sizeof("/memory.pressure"));
    // A cgroup without PSI (cgroup.pressure 0) is no error of ours.
    const Status armed = triggers_.arm(cgroups_->folder(), path.data(), i);
    if (armed || (armed.error().code().value() != EACCES && armed.error().code().value() != EPERM))
      continue;
    // As a user of its own the agent may read these files only: no need to try them all.
    may_arm_cgroups_ = false;
    return note("pressure is told for the whole host, not for each cgroup: " +
                armed.error().message());
  }
}

void Recorder::walk(std::uint64_t now_ns) {
  last_walk_ns_ = now_ns;
  processes_.scan([this](std::size_t row) { samples_.clear(options_.cgroups + row); });
  if (!cgroups_) return;
  cgroups_->walk([this](std::size_t row) {
    samples_.clear(row);
    triggers_.disarm(row);
  });
  arm_cgroups();
}

bool Recorder::host_came_short(const HostFigures& host) {
  constexpr std::uint64_t kTenth = 10;
  const bool is_short = host.available && total_bytes_ && *host.available < *total_bytes_ / kTenth;
  const bool was_short = std::exchange(host_short_, is_short);
  return is_short && !was_short;
}

void Recorder::sample(std::uint64_t now_ns) {
  const bool slow = last_slow_ns_ == 0 || now_ns - last_slow_ns_ >= ns(options_.slow);
  if (slow) last_slow_ns_ = now_ns;
  HostFigures host;
  if (meminfo_.get() >= 0)
    if (const auto text = read_again(meminfo_.get(), buffer_)) take_meminfo(*text, host);
  if (pressure_.get() >= 0)
    if (const auto text = read_again(pressure_.get(), buffer_)) take_pressure(*text, host);
  samples_.begin(slow ? Pace::kSlow : Pace::kFast, now_ns, host);
  if (cgroups_) cgroups_->sample(samples_);
  processes_.sample(samples_, options_.cgroups);
  const bool near = cgroups_ && cgroups_->came_near_limit();
  if (host_came_short(host) || near) fast_until_ns_ = now_ns + ns(options_.calm);
  next_ns_ =
      under_pressure(now_ns) ? now_ns + ns(options_.fast) : last_slow_ns_ + ns(options_.slow);
}

void Recorder::on_deadline(std::uint64_t now_ns) {
  if (now_ns < next_ns_) return;
  // Under pressure only the walks that were due before it began: the rows are filled.
  if (now_ns - last_walk_ns_ >= ns(options_.walk)) walk(now_ns);
  sample(now_ns);
}

void Recorder::on_event(std::uint64_t now_ns) {
  if (!triggers_.fired()) return;
  const bool begins = !under_pressure(now_ns);
  fast_until_ns_ = now_ns + ns(options_.calm);
  if (begins) sample(now_ns);
}

}  // namespace oomwitness
