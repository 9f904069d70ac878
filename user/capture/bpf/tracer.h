// SPDX-License-Identifier: BSD-2-Clause
// The BPF programs, loaded and attached, each hook by the best way this kernel takes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "capture/hook_plan.h"
#include "support/result.h"

namespace oomwitness {

struct TracerOptions {
  std::vector<std::string> hooks;             // forced ways: "oom_kill_process=kprobe"
  std::optional<std::string> btf_path;        // for kernels without /sys/kernel/btf/vmlinux
  std::uint32_t ring_bytes = 512U << 10U;     // a power of two, at least a page
  std::function<void(std::string_view)> log;  // libbpf's own messages, may be empty
};

class Tracer {
 public:
  using RecordHandler = std::function<void(std::span<const std::byte>)>;

  // Needs CAP_BPF and CAP_PERFMON, or root. The error names every hook that was tried, why it was
  // refused, and the next step.
  static Result<Tracer> attach(const TracerOptions& options, RecordHandler on_record);

  Tracer(Tracer&&) noexcept;
  Tracer& operator=(Tracer&&) noexcept;
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;
  ~Tracer();

  const HookPlan& plan() const noexcept;
  // Readable when records wait.
  int ring_fd() const noexcept;
  // Hands every waiting record to the handler; returns how many.
  Result<std::size_t> drain();
  // Records that the ring had no room for, since attach(). A few loads.
  std::uint64_t lost_records() const;
  // Runs that the kernel dropped because the same program was already running on that CPU
  // (bpf_prog_info.recursion_misses), since attach(). A system call for each program.
  std::uint64_t missed_runs() const;
  // Lets the programs read system counters: finds the kernel's variables in /proc/kallsyms.
  // Returns how many were found; takes tens of milliseconds, so call it after attach().
  Result<std::size_t> find_kernel_variables(const std::string& proc);

 private:
  struct Parts;
  explicit Tracer(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace oomwitness
