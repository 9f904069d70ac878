// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "kernlog/log_parser.h"
#include "kernlog/log_reader.h"

namespace oomwitness {

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// "[    4.939057] text": seconds and microseconds, as dmesg prints them.
inline std::pair<std::uint64_t, std::string> undmesg(const std::string& line) {
  const std::size_t dot = line.find('.');
  const std::size_t end = line.find("] ");
  if (dot == std::string::npos || end == std::string::npos || dot > end) return {0, line};
  return {std::stoull(line.substr(1, dot - 1)) * 1'000'000'000 +
              std::stoull(line.substr(dot + 1, end - dot - 1)) * 1000,
          line.substr(end + 2)};
}

inline std::vector<LogReport> parse_dmesg(const std::string& text) {
  LogParser parser;
  for (const std::string& line : split_lines(text)) {
    const auto [at_ns, message] = undmesg(line);
    parser.line(at_ns, message);
  }
  parser.flush();
  return parser.take();
}

inline std::vector<LogReport> parse_messages(const std::vector<std::string>& messages) {
  LogParser parser;
  std::uint64_t at_ns = 1'000'000'000;
  for (const std::string& message : messages) parser.line(at_ns += 1000, message);
  parser.flush();
  return parser.take();
}

inline std::vector<LogReport> read_lines(const std::vector<std::string>& lines,
                                         LogReaderOptions options = {}) {
  LogReader reader(std::move(options));
  for (const std::string& line : lines) reader.line(line);
  reader.flush();
  EXPECT_TRUE(reader.idle());
  return reader.take();
}

}  // namespace oomwitness
