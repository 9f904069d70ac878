// SPDX-License-Identifier: BSD-2-Clause
// What loggers, consoles and people put in front of the kernel's messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kernlog/stamp.h"

namespace oomwitness {

struct Prefix {
  std::string_view text;     // what follows it
  std::string_view host;     // empty: not told
  std::string_view caller;   // "T123", "C0"; empty: not told
  std::string_view program;  // who logged it, without its "[pid]"; empty: not told
  std::optional<WallStamp> wall;
  std::uint64_t uptime_ns = 0;  // 0: not told
  bool stamped = false;         // a machine put something there, not only a person quoting
  bool kernel_tag = false;      // "kernel:", or facility kern
  bool user_space = false;      // another program's, or of another facility than kern
  bool record = false;          // one record of the kernel's, whole
  bool escaped = false;         // as /dev/kmsg escapes it; the journal has it as it was printed
};

// Takes all of it off: several loggers may have passed a line on.
Prefix parse_prefix(std::string_view line);

// The same line after line: lines of one second mostly begin alike.
class PrefixParser {
 public:
  Prefix parse(std::string_view line);

 private:
  std::string front_;  // up to where known_ goes; empty: nothing is known
  Prefix known_;       // without views
  std::size_t host_at_ = 0;
  std::size_t host_size_ = 0;
};

// "Creating journal: [   35.419377] mkfs.ext4 invoked": where the kernel's stamp stands on a
// console that a program was writing to. npos: there is none.
std::size_t find_uptime(std::string_view line);

}  // namespace oomwitness
