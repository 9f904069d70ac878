// SPDX-License-Identifier: BSD-2-Clause
#include "agent/service.h"

#include <array>
#include <cstdlib>
#include <utility>
#include <vector>

#include <systemd/sd-daemon.h>

namespace oomwitness {
namespace {

constexpr std::array kKept{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "JOURNAL_STREAM"};

}  // namespace

// Before threads: NOLINTBEGIN(concurrency-mt-unsafe)
void forget_environment() {
  std::vector<std::pair<const char*, std::string>> kept;
  for (const char* name : kKept)
    if (const char* value = std::getenv(name)) kept.emplace_back(name, value);
  ::clearenv();
  for (const auto& [name, value] : kept) ::setenv(name, value.c_str(), 1);
}
// NOLINTEND(concurrency-mt-unsafe)

Service::Service() {
  std::uint64_t usec = 0;
  constexpr std::uint64_t kNsPerUs = 1000;
  if (::sd_watchdog_enabled(0, &usec) > 0) alive_every_ns_ = usec * kNsPerUs / 2;
}

bool Service::logs_to_journal() {
  return std::getenv("JOURNAL_STREAM") != nullptr;  // NOLINT(concurrency-mt-unsafe): before threads
}

// A failure means that nobody listens: there is nothing to do about it.
void Service::ready(const std::string& status) const {
  ::sd_notify(0, ("READY=1\nSTATUS=" + status).c_str());
}

void Service::reloading(std::uint64_t monotonic_ns) const {
  constexpr std::uint64_t kNsPerUs = 1000;
  ::sd_notify(0,
              ("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(monotonic_ns / kNsPerUs)).c_str());
}

void Service::stopping() const {
  ::sd_notify(0, "STOPPING=1");
}

void Service::alive() const {
  ::sd_notify(0, "WATCHDOG=1");
}

}  // namespace oomwitness
