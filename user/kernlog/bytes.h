// SPDX-License-Identifier: BSD-2-Clause
// Bytes that loggers, terminals and file systems put into lines, and those they wrote otherwise.
#pragma once

#include <string>
#include <string_view>

namespace oomwitness {

// What bytes a line holds that need more than a look at it.
struct Bytes {
  bool dirty = false;  // NUL, ESC, or not ASCII
  bool hash = false;   // '#', with which rsyslog writes others
};

Bytes look_at(std::string_view raw);

// Without control sequences of a terminal, and without the NULs that a file system leaves where a
// write was cut short. A file does not tell its encoding: what is no UTF-8 becomes U+FFFD.
void clean(std::string_view raw, std::string& out);

// rsyslog writes control bytes as "#" and three octal digits.
void unfold(std::string& text);

// /dev/kmsg writes them as "\x0a".
void unescape_kmsg(std::string& text);

}  // namespace oomwitness
