// SPDX-License-Identifier: BSD-2-Clause
#include <string_view>

#include "sink/html/sections.h"

namespace oomwitness {
namespace {

// Where the list or object that begins at `at` ends: behind its bracket; 0: it does not end.
std::size_t end_of(std::string_view json, std::size_t at) {
  std::size_t depth = 0;
  bool in_string = false;
  for (; at < json.size(); ++at) {
    const char c = json[at];
    if (in_string) {
      if (c == '\\')
        ++at;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      ++depth;
    } else if ((c == ']' || c == '}') && --depth == 0) {
      return at + 1;
    }
  }
  return 0;
}

void break_line(std::string& out, std::size_t depth) {
  out += '\n';
  out.append(depth, ' ');
}

}  // namespace

std::string indented_json(std::string_view json) {
  constexpr std::size_t kLine = 88;
  std::string out;
  std::size_t depth = 0;
  for (std::size_t at = 0; at < json.size(); ++at) {
    const char c = json[at];
    if (c == '"') {
      const std::size_t begin = at;
      for (++at; at < json.size() && json[at] != '"'; ++at)
        if (json[at] == '\\') ++at;
      out += json.substr(begin, at - begin + 1);
    } else if (c == '[' || c == '{') {
      const std::size_t end = end_of(json, at);
      if (end > 0 && end - at <= kLine) {
        out += json.substr(at, end - at);
        at = end - 1;
        continue;
      }
      out += c;
      break_line(out, ++depth);
    } else if (c == ']' || c == '}') {
      break_line(out, depth > 0 ? --depth : 0);
      out += c;
    } else if (c == ',') {
      out += c;
      break_line(out, depth);
    } else {
      out += c;
      if (c == ':') out += ' ';
    }
  }
  return out;
}

}  // namespace oomwitness
