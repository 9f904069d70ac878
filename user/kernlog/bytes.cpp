// SPDX-License-Identifier: BSD-2-Clause
#include "kernlog/bytes.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernlog/scan.h"

namespace oomwitness {

namespace {

// Bytes of the sequence of UTF-8 that stands at the front; 0: none does.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const std::size_t length = first < 0x80                    ? 1
                             : first >= 0xc2 && first < 0xe0 ? 2
                             : first >= 0xe0 && first < 0xf0 ? 3
                             : first >= 0xf0 && first < 0xf5 ? 4
                                                             : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return 0;
  }
  return length;
}

}  // namespace

void unfold(std::string& text) {
  std::size_t to = 0;
  for (std::size_t from = 0; from < text.size(); ++from, ++to) {
    const std::string_view code = std::string_view(text).substr(from, 4);
    const bool newline = code == "#012";
    if (newline || code == "#011") {
      text[to] = newline ? '\n' : '\t';
      from += 3;
    } else {
      text[to] = text[from];
    }
  }
  text.resize(to);
}

void unescape_kmsg(std::string& text) {
  if (text.find("\\x") == std::string::npos) return;
  std::size_t to = 0;
  for (std::size_t from = 0; from < text.size(); ++from, ++to) {
    text[to] = text[from];
    if (text[from] != '\\' || text.compare(from, 2, "\\x") != 0 || from + 4 > text.size()) continue;
    Scan scan(std::string_view(text).substr(from + 2, 2));
    const auto byte = scan.number<unsigned>(16);
    if (!byte || !scan.done()) continue;
    text[to] = static_cast<char>(*byte);
    from += 3;
  }
  text.resize(to);
}

Bytes look_at(std::string_view raw) {
  constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
  constexpr std::uint64_t kHighs = kOnes * 0x80;
  // The high bit of a byte that has it, or that is 0 (and of the one above such a byte).
  std::uint64_t dirty = 0;
  const auto look = [&](std::uint64_t word) { dirty |= word | (word - kOnes); };
  std::size_t i = 0;
  for (std::uint64_t word = 0; i + 8 <= raw.size(); i += 8) {
    std::memcpy(&word, raw.data() + i, 8);
    look(word);
  }
  std::uint64_t rest = kOnes * ' ';
  for (; i < raw.size(); ++i) rest = rest << 8U | static_cast<unsigned char>(raw[i]);
  look(rest);
  return {.dirty = (dirty & kHighs) != 0 || raw.find('\x1b') != std::string_view::npos,
          .hash = raw.find('#') != std::string_view::npos};
}

void clean(std::string_view raw, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i < raw.size();) {
    if (raw[i] == '\0') {
      ++i;
    } else if (raw[i] == '\x1b' && i + 1 < raw.size() && raw[i + 1] == '[') {
      i = raw.find_first_not_of("0123456789;?", i + 2);
      if (i == std::string_view::npos) return;
      ++i;
    } else if (const std::size_t length = utf8_length(raw.substr(i)); length != 0) {
      out.append(raw, i, length);
      i += length;
    } else {
      out += "\xef\xbf\xbd";
      ++i;
    }
  }
}

}  // namespace oomwitness
