// SPDX-License-Identifier: BSD-2-Clause
#include "pipeline/host.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <ctime>
#include <fstream>

namespace oomwitness {
namespace {

std::int64_t clock_ns(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

Host read_host(const std::string& proc) {
  Host host;
  utsname names{};
  if (::uname(&names) == 0) {
    host.name = static_cast<const char*>(names.nodename);
    host.kernel = static_cast<const char*>(names.release);
    host.arch = static_cast<const char*>(names.machine);
  }
  std::ifstream boot_id(proc + "/sys/kernel/random/boot_id");
  std::getline(boot_id, host.boot_id);
  host.page_size_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return host;
}

std::uint64_t monotonic_now_ns() {
  return static_cast<std::uint64_t>(clock_ns(CLOCK_MONOTONIC));
}

ClockOffsets read_clock_offsets() {
  const std::int64_t now = clock_ns(CLOCK_REALTIME);
  return {.unix_minus_monotonic_ns = now - clock_ns(CLOCK_MONOTONIC),
          .unix_minus_boottime_ns = now - clock_ns(CLOCK_BOOTTIME)};
}

}  // namespace oomwitness
