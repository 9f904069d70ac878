// SPDX-License-Identifier: BSD-2-Clause
// Hands a LogReader those lines of a log that can matter: the lines around each anchor until no
// report is open. All others are never looked at one by one. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "kernlog/log_reader.h"

namespace oomwitness {

// A longer line is cut; a line of the kernel's has at most some 1,000 bytes, and a whole report
// folded into one by a syslog daemon 8 KiB.
inline constexpr std::size_t kLongestLine = 64UL * 1024;

class LogFeed {
 public:
  explicit LogFeed(LogReader& reader) : reader_(reader) {}

  // `text`: the last kept() bytes of the text before, then what is new; any cut will do. Nothing
  // new means that the log ends here: a last line without a newline is whole.
  void take(std::string_view text);

  // How many bytes at the end of the last text are wanted again: less than 160 KiB.
  std::size_t kept() const { return kept_; }

  // What comes next does not follow on what came before: something is missing between.
  void gap();

  // What comes next is another file, which goes on where the last one ended.
  void next_file();

  // Lines that were cut.
  std::uint64_t lines_cut() const { return lines_cut_; }

 private:
  void begin_text();
  bool feed_line(std::string_view text, bool last);
  bool feed_open(std::string_view text, bool last);
  bool has_anchor(std::string_view text, std::size_t begin, std::size_t end);
  bool give_up();
  bool find_next(std::string_view text, bool last);
  std::size_t line_start(std::string_view text, std::size_t at);
  std::size_t context_start(std::string_view text, std::size_t line) const;
  std::size_t wanted_from(std::string_view text) const;

  LogReader& reader_;
  std::size_t kept_ = 0;
  // In the text at hand:
  std::size_t fed_ = 0;                               // the first byte that the reader has not had
  std::size_t searched_ = 0;                          // no anchor begins between fed_ and this
  std::size_t next_anchor_ = std::string_view::npos;  // the first at or behind fed_ that is known
  std::size_t anchors_known_to_ = 0;                  // none begins before this but that one
  std::size_t feed_to_ = 0;     // lines that begin before this are the reader's
  bool left_out_ = false;       // what stands before fed_ was left out: it may be inside a line
  bool begins_cut_ = false;     // the line at fed_ has lost its beginning, and is counted
  bool in_cut_line_ = false;    // what stands at fed_ is the rest of a line that was cut
  std::size_t open_lines_ = 0;  // fed since the last one with an anchor
  std::size_t open_bytes_ = 0;
  std::uint64_t lines_cut_ = 0;
};

}  // namespace oomwitness
