// SPDX-License-Identifier: BSD-2-Clause
#include "sink/table_line.h"

#include <algorithm>

#include <fmt/format.h>

#include "support/text.h"

namespace oomwitness {

std::string line_of(const std::vector<Cell>& cells) {
  std::string line;
  for (const Cell& cell : cells) {
    const std::size_t width = display_width(cell.text);
    const std::string pad(cell.width > width ? cell.width - width : 0, ' ');
    line += cell.right ? pad + cell.text : cell.text + pad;
    line += "  ";
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

std::string time_of(const Incident& incident) {
  if (incident.time_unix_ns != 0) return rfc3339_utc(incident.time_unix_ns, 0);
  if (incident.monotonic_ns == 0) return "-";
  constexpr std::uint64_t kNsPerUs = 1000;
  constexpr std::uint64_t kUsPerSecond = 1'000'000;
  const std::uint64_t us = incident.monotonic_ns / kNsPerUs;
  return fmt::format("[{}.{:06}]", us / kUsPerSecond, us % kUsPerSecond);
}

Opt<std::uint64_t> resident(const Incident& incident) {
  Opt<std::uint64_t> sum;
  for (const Victim& victim : incident.victims) {
    const Memory& memory = victim.memory;
    for (const auto& part :
         {memory.anon_rss_bytes, memory.file_rss_bytes, memory.shmem_rss_bytes}) {
      if (part) sum = sum.value_or(0) + *part;
    }
  }
  return sum;
}

std::string size_or_dash(const Opt<std::uint64_t>& bytes) {
  return bytes ? human_size(*bytes) : "-";
}

const Victim* first_victim(const Incident& incident) {
  const auto chosen = std::find_if(incident.victims.begin(), incident.victims.end(),
                                   [](const Victim& v) { return v.role == Role::kChosen; });
  if (chosen != incident.victims.end()) return &*chosen;
  return incident.victims.empty() ? nullptr : &incident.victims.front();
}

}  // namespace oomwitness
