// SPDX-License-Identifier: BSD-2-Clause
// Lines that a mail program, a terminal or a console broke in two, put together again.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "kernlog/task_table.h"

namespace oomwitness {

class Mender {
 public:
  // What is known when the two lines meet.
  struct Place {
    bool stamped = false;              // the first has a prefix, which the second has not
    bool raw_blank_end = false;        // the first ended with a blank
    const TaskTable* table = nullptr;  // the one being read
  };

  // How much of a line was understood; whole: nothing can be missing.
  struct Sense {
    int amount = 0;
    bool whole = false;
    bool ours = false;  // it is the beginning of a line of a report
  };

  // Whether `next` is the rest of `line`; then `line` is both. `next` has no prefix but maybe
  // blanks in front.
  bool join(std::string& line, std::string_view next, const Place& place);

 private:
  bool is_end_of_name(std::string_view row, std::string_view rest, const Place& place) const;

  bool choose(std::string& line, std::string_view body, std::string_view rest, const Sense& before,
              const Place& place);

  std::string apart_;     // with a blank between
  std::string together_;  // without
  int inside_words_ = 0;  // joints that were inside a word, less those that were not
};

}  // namespace oomwitness
