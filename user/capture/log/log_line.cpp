// SPDX-License-Identifier: BSD-2-Clause
#include "capture/log/log_line.h"

#include <array>
#include <cstdio>

#include "support/text.h"

namespace oomwitness {
namespace {

std::string stamp(std::uint64_t ns) {
  constexpr std::uint64_t kNsPerSecond = 1'000'000'000;
  std::array<char, 48> text{};
  const int size = std::snprintf(text.data(), text.size(), "[%5llu.%06llu] ",
                                 static_cast<unsigned long long>(ns / kNsPerSecond),
                                 static_cast<unsigned long long>(ns % kNsPerSecond / 1000));
  return {text.data(), static_cast<std::size_t>(size)};
}

}  // namespace

void append_line(std::string& out, const LogRecord& record) {
  std::string head = rfc3339_utc(record.unix_ns, 6);
  head.append(" ").append(record.host.empty() ? "localhost" : record.host);
  head.append(" ").append(record.tag).append(": ");
  if (record.monotonic_ns) head += stamp(*record.monotonic_ns);
  std::string_view rest = record.text;
  for (;;) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    out.append(head).append(rest.substr(0, end)).append("\n");
    if (end + 1 >= rest.size()) return;
    rest.remove_prefix(end + 1);
  }
}

}  // namespace oomwitness
