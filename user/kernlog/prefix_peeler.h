// SPDX-License-Identifier: BSD-2-Clause
// Takes a line's prefix off, layer by layer: prefix.cpp says in which order.
#pragma once

#include <string_view>

#include "kernlog/prefix.h"
#include "kernlog/scan.h"

namespace oomwitness {

// "kernel:", "kernel[1]:"
bool is_kernel_tag(std::string_view word);
// "systemd[1]:"
bool is_pid_tag(std::string_view tag);
// "warn", as syslog names it
bool is_level(std::string_view word);
// "systemd-oomd" of "systemd-oomd[612]:"
std::string_view program_of(std::string_view tag);

class Peeler {
 public:
  explicit Peeler(std::string_view line, const Prefix& known = {}) : scan_(line), out_(known) {}

  // One layer off; false: none is left.
  bool peel_one() { return peel(); }
  std::string_view rest() const { return scan_.rest(); }
  const Prefix& so_far() const { return out_; }

  Prefix take();

 private:
  void skip_blank() { scan_.skip(" "); }
  bool peel();
  bool peel_here(char first);
  bool take_quote();

  // prefix_kernel.cpp: what the kernel, dmesg and consoles put there
  bool take_priority();
  bool take_kmsg();
  bool take_bracket();
  bool take_uptime_bracket();
  static bool skip_delta(Scan& at);
  void take_caller();
  bool take_ctime_bracket();
  bool take_short_bracket();
  bool take_decoded();

  // prefix_loggers.cpp: what syslog daemons, the journal and containers put there
  void take_rfc5424();
  static bool skip_structured(Scan& at);
  void take_monotonic_host();
  bool take_source();
  bool take_tag();
  bool take_dated();
  static void skip_zone_name(Scan& at);
  bool take_cri();
  void take_program(bool hosted);
  void take_facility(std::string_view host, std::string_view facility, Scan at);
  void finish_program(std::string_view host, std::string_view tag, const Scan& at, bool kernel);

  Scan scan_;
  Prefix out_;
};

}  // namespace oomwitness
