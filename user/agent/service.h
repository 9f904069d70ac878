// SPDX-License-Identifier: BSD-2-Clause
// systemd's side of a service (sd_notify(3), sd_watchdog_enabled(3)). Each does nothing where
// nobody asked for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace oomwitness {

// Removes every variable of the environment but those by which systemd tells a service of itself,
// for whatever a library would take from there: proxies, certificates, folders, time zones. To be
// called before there are threads.
void forget_environment();

class Service {
 public:
  // Asks for the watchdog's period.
  Service();

  // stderr is connected to the journal.
  static bool logs_to_journal();

  void ready(const std::string& status) const;
  void reloading(std::uint64_t monotonic_ns) const;
  void stopping() const;
  void alive() const;
  // How often alive() is due, ns: twice in the watchdog's time. Absent: there is no watchdog.
  std::optional<std::uint64_t> alive_every_ns() const { return alive_every_ns_; }

 private:
  std::optional<std::uint64_t> alive_every_ns_;
};

}  // namespace oomwitness
