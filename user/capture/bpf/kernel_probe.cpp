// SPDX-License-Identifier: BSD-2-Clause
#include "capture/bpf/kernel_probe.h"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string_view>

#include "capture/kallsyms.h"

namespace oomwitness {
namespace {

constexpr const char* kSplitBadness = "oom_badness.part.0";

std::optional<std::uint32_t> kprobe_pmu_type() {
  std::ifstream file("/sys/bus/event_source/devices/kprobe/type");
  std::uint32_t type = 0;
  if (file >> type) return type;
  return std::nullopt;
}

// Asking for a kprobe is cheaper than reading /proc/kallsyms: one lookup in the kernel.
bool kprobe_exists(std::uint32_t pmu_type, const char* symbol) {
  perf_event_attr attr{};
  attr.type = pmu_type;
  attr.size = sizeof(attr);
  attr.config1 = reinterpret_cast<std::uint64_t>(symbol);  // kprobe_func
  const long fd = ::syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
  if (fd < 0) return false;
  ::close(static_cast<int>(fd));
  return true;
}

std::optional<bool> badness_is_split() {
  if (const auto pmu = kprobe_pmu_type()) return kprobe_exists(*pmu, kSplitBadness);
  return std::nullopt;
}

// CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN, in effect (capabilities(7)).
bool may_use_bpf() {
  constexpr std::uint64_t kBoth = (1ULL << 39U) | (1ULL << 38U);
  constexpr std::uint64_t kSysAdmin = 1ULL << 21U;
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("CapEff:")) continue;
    const std::uint64_t effective = std::strtoull(line.c_str() + 7, nullptr, 16);
    return (effective & kBoth) == kBoth || (effective & kSysAdmin) != 0;
  }
  return ::geteuid() == 0;
}

std::string lockdown_mode() {
  std::ifstream file("/sys/kernel/security/lockdown");
  std::string modes;
  std::getline(file, modes);  // "none [integrity] confidentiality"
  const auto begin = modes.find('[');
  const auto end = modes.find(']');
  if (begin == std::string::npos || end == std::string::npos) return "none";
  return modes.substr(begin + 1, end - begin - 1);
}

}  // namespace

KernelFacts probe_kernel() {
  return {.kernel_btf = ::access(kKernelBtf, R_OK) == 0, .badness_is_split = badness_is_split()};
}

bool badness_is_split_by_symbols() {
  constexpr std::array<std::string_view, 1> kNames{kSplitBadness};
  const auto found = find_symbols("/proc", kNames);
  return found && !found->empty();
}

std::string refusal_hint(int err) {
  if (err == EPERM || err == EACCES) {
    if (!may_use_bpf()) {
      return "run as root, or grant CAP_BPF and CAP_PERFMON (before Linux 5.11 CAP_SYS_RESOURCE "
             "too: BPF memory counts against RLIMIT_MEMLOCK there)";
    }
    const std::string lockdown = lockdown_mode();
    if (lockdown != "none") {
      return "the kernel is locked down (" + lockdown +
             "), which forbids it; boot with lockdown=none, or read the kernel log instead";
    }
    return "this kernel or container forbids it: grant CAP_BPF and CAP_PERFMON (before Linux 5.11 "
           "CAP_SYS_RESOURCE too)";
  }
  if (err == ESRCH || err == ENOENT) {
    return "this kernel has no BTF (CONFIG_DEBUG_INFO_BTF): pass --btf FILE with its types";
  }
  if (err == EINVAL) return "this kernel is too old: BPF ring buffers need Linux 5.8, we need 5.10";
  return {};
}

}  // namespace oomwitness
