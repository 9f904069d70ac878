// SPDX-License-Identifier: BSD-2-Clause
// Messages out of formats that wrap each one in fields: JSON objects (journalctl -o json, docker's
// json-file, collectors), and journalctl -o export and verbose.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kernlog/stamp.h"

namespace oomwitness {

// One message and what its fields say of it. The strings keep their memory when used again.
struct Wrapped {
  std::string text;
  std::string host;     // empty: not told
  std::string program;  // who logged it; empty: not told
  std::string boot;     // its id; empty: not told
  std::optional<WallStamp> wall;
  std::uint64_t uptime_ns = 0;  // 0: not told
  bool has_text = false;
  bool kernel = false;      // the fields say it is the kernel's
  bool user_space = false;  // they say it is not
  bool record = false;      // one record of the kernel's, whole

  void clear();
  // What field `name` says; a field that tells nothing is passed over.
  void field(std::string_view name, std::string_view value);
};

// A JSON object in one line. False: it is none, or has no message.
bool parse_json_line(std::string_view line, Wrapped& out);

// Lines "NAME=value" of journalctl -o export and -o verbose, an entry after the other.
class JournalFields {
 public:
  // kOther: the line is of no entry. kTaken: of one that is not complete. kEntry: the line ends an
  // entry, entry() is it; a line that begins the next one has been taken.
  enum class Seen { kOther, kTaken, kEntry };
  Seen line(std::string_view text);
  // The end of the log; true: entry() is the last one.
  bool flush();
  const Wrapped& entry() const { return done_; }
  // An entry that names what a kill's line may hold (anchors.h) is not complete.
  bool wanted() const { return in_entry_ && wanted_; }
  static bool begins_entry(std::string_view text);

 private:
  bool finish();

  Wrapped open_;
  Wrapped done_;
  bool in_entry_ = false;
  bool in_message_ = false;
  bool wanted_ = false;
};

}  // namespace oomwitness
