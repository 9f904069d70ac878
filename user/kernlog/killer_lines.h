// SPDX-License-Identifier: BSD-2-Clause
// What each line of a user-space OOM killer says. The formats are those of the programs' own
// sources, every release's. Whoever names a process or a cgroup writes into these lines: a name
// ends where the program's last words for it begin.
#pragma once

#include <string>
#include <string_view>

#include "incident/incident.h"

namespace oomwitness {

struct KillerEvent {
  enum class Kind {
    kKill,       // a victim was killed, or was sent SIGTERM
    kNotKilled,  // the kill just told of did not happen
    kEnded,      // its victim has gone
    kUnitCount,  // the service manager tells how many processes of a unit it took
  };
  Kind kind = Kind::kKill;
  Victim victim;
  std::string reason;  // in the killer's own words
  System system;
};

// systemd's src/oom/oomd-manager.c, 248 to 260.
Opt<KillerEvent> parse_systemd_oomd(std::string_view text);

// systemd's src/core/unit.c: "x.scope: systemd-oomd killed 3 process(es) in this unit."
Opt<KillerEvent> parse_systemd_unit(std::string_view text);

// oomd's src/oomd/plugins/BaseKillPlugin.cpp; it writes to /dev/kmsg.
Opt<KillerEvent> parse_oomd(std::string_view text);

// Android's lmkd.cpp, and GNU/Linux ports of it.
Opt<KillerEvent> parse_lmkd(std::string_view text);

// Android kernels' drivers/staging/android/lowmemorykiller.c, to 4.11.
Opt<KillerEvent> parse_lowmemorykiller(std::string_view text);

// earlyoom's kill.c and main.c, 0.1 to 1.8. What it saw stands in lines before the kill's.
class EarlyoomLines {
 public:
  Opt<KillerEvent> line(std::string_view text);

 private:
  std::string why_;
  System system_;
};

// nohang's main script, 0.1 to 0.3: a report of several lines.
class NohangLines {
 public:
  Opt<KillerEvent> line(std::string_view text);

 private:
  bool add_victim(std::string_view text);
  void add_status(std::string_view text);

  Victim victim_;
  std::string why_;
  bool acting_ = false;  // its next line says what it does
};

}  // namespace oomwitness
