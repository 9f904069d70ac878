// SPDX-License-Identifier: BSD-2-Clause
#include "kernlog/killer_lines.h"

#include <array>
#include <cstddef>
#include <utility>

#include "kernlog/killer_scan.h"

namespace oomwitness {

namespace {

using namespace std::string_view_literals;
using Kind = KillerEvent::Kind;

// ---------------------------------------------------------------- systemd-oomd

// "memory used (1) / total (2) and swap used (3) / total (4) being more than 90.00%"
void add_used(std::string_view reason, System& system) {
  const auto take = [&reason](std::string_view key) -> Opt<std::uint64_t> {
    const std::size_t at = reason.find(key);
    if (at == std::string_view::npos) return std::nullopt;
    Scan scan(reason.substr(at + key.size()));
    const auto value = scan.number<std::uint64_t>();
    if (!value || !scan.skip(")")) return std::nullopt;
    reason = scan.rest();
    return value;
  };
  if (reason.starts_with("memory used (")) {
    const auto used = take("memory used (");
    const auto total = take("total (");
    if (used && total && *used <= *total) {
      system.meminfo_bytes = {{"MemTotal", *total}, {"MemAvailable", *total - *used}};
    }
  }
  const auto used = take("swap used (");
  const auto total = take("total (");
  if (used && total && *used <= *total) {
    system.swap_bytes = {{"total", *total}, {"free", *total - *used}};
  }
  if (!system.meminfo_bytes.empty() || !system.swap_bytes.empty()) system.source = "log";
}

KillerEvent killed_cgroup(std::string_view path, std::string_view reason) {
  KillerEvent kill;
  kill.victim.cgroup = path;
  kill.reason = clipped(reason);
  add_used(reason, kill.system);
  return kill;
}

// "Rule 'x' conditions met for cgroup /a for 10s, taking action kill-all"
Opt<KillerEvent> parse_rule(std::string_view text) {
  constexpr auto kMet = "' conditions met for cgroup "sv;
  constexpr auto kAction = ", taking action kill-"sv;
  const std::size_t met = text.find(kMet);
  const std::size_t action = text.rfind(kAction);
  if (met == std::string_view::npos || action == std::string_view::npos) return std::nullopt;
  const std::size_t path = met + kMet.size();
  const std::size_t lasting = text.rfind(" for ", action);
  if (lasting < path || !text.substr(path).starts_with('/')) return std::nullopt;
  KillerEvent kill = killed_cgroup(text.substr(path, lasting - path), text);
  // The other actions take a cgroup below it.
  if (!text.substr(action + kAction.size()).starts_with("all")) kill.victim.cgroup.reset();
  return kill;
}

bool is_oomd_reason(std::string_view text) {
  return text.starts_with("memory pressure for /") || text.starts_with("memory used (") ||
         text.starts_with("swap used (");
}

}  // namespace

Opt<KillerEvent> parse_systemd_oomd(std::string_view text) {
  if (text.starts_with("Rule '")) return parse_rule(text);
  Scan scan(text);
  const bool marked = scan.skip("Marked ");
  if (!marked && !scan.skip("Killed ")) return std::nullopt;
  const std::string_view rest = scan.rest();
  if (!rest.starts_with('/')) return std::nullopt;
  const std::string_view due = marked ? " for killing due to "sv : " due to "sv;
  // A cgroup's name may hold the words.
  for (std::size_t at = rest.find(due); at != std::string_view::npos; at = rest.find(due, at + 1)) {
    const std::string_view reason = rest.substr(at + due.size());
    if (is_oomd_reason(reason)) return killed_cgroup(rest.substr(0, at), reason);
  }
  return std::nullopt;
}

Opt<KillerEvent> parse_systemd_unit(std::string_view text) {
  constexpr auto kKilled = ": systemd-oomd killed "sv;
  const std::size_t at = text.rfind(kKilled);
  if (at == std::string_view::npos || at == 0) return std::nullopt;
  Scan scan(text.substr(at + kKilled.size()));
  const auto count = scan.number<std::uint64_t>();
  if (!count || *count == 0 || !scan.skip(" process(es) in this unit")) return std::nullopt;
  KillerEvent kill;
  kill.kind = Kind::kUnitCount;
  kill.victim.unit = text.substr(0, at);
  kill.reason = "systemd-oomd killed " + std::to_string(*count) + " process(es) in this unit";
  return kill;
}

Opt<KillerEvent> parse_oomd(std::string_view text) {
  // "oomd kill: 81.28 80.05 42.78 system.slice/x.service 1000 ruleset:[r] detectorgroup:[d]
  // killer:memory_size v2"; first releases end in "detector:swap,12345MB killer:x".
  Scan scan(text);
  if (!scan.skip("oomd kill: ")) return std::nullopt;
  const std::string_view reason = scan.rest();
  for (int period = 0; period < 3; ++period) {
    const std::string_view pressure = scan.word();
    if (pressure.empty() || pressure.find_first_not_of("0123456789.-") != std::string_view::npos)
      return std::nullopt;
    scan.skip_blanks();
  }
  std::size_t end = scan.rest().find(" ruleset:[");
  if (end == std::string_view::npos) end = scan.rest().find(" detector:");
  const std::size_t killer = scan.rest().rfind("killer:");
  if (end == std::string_view::npos || killer == std::string_view::npos) return std::nullopt;
  if (scan.rest().substr(killer).starts_with("killer:(dry)")) return std::nullopt;
  const std::string_view named = scan.rest().substr(0, end);
  const std::size_t usage = named.find_last_of(' ');
  if (usage == std::string_view::npos) return std::nullopt;
  std::string_view path = named.substr(0, usage);
  while (path.ends_with(' ')) path.remove_suffix(1);
  if (path.empty()) return std::nullopt;
  KillerEvent kill;
  kill.victim.cgroup = path.starts_with('/') ? std::string(path) : "/" + std::string(path);
  kill.reason = clipped(reason);
  return kill;
}

namespace {

// " to free 266188kB rss, 1024kB anon rss, 0kB swap; reason: ..."
Memory parse_freed(std::string_view text) {
  Memory memory;
  Scan scan(text);
  scan.skip(" to free ");
  do {
    const auto bytes = scan.kilobytes();
    if (!bytes) break;
    if (scan.skip(" anon rss")) memory.anon_rss_bytes = bytes;
    if (scan.skip(" swap")) memory.swap_bytes = bytes;
    scan.skip(" rss");
  } while (scan.skip(", "));
  return memory;
}

}  // namespace

Opt<KillerEvent> parse_lmkd(std::string_view text) {
  // "Kill 'x' (123), uid 10144, oom_score_adj 100 to free 266188kB rss, 0kB swap; reason: ..."
  Scan scan(text);
  if (!scan.skip("Kill '")) return std::nullopt;
  const std::size_t to_free = scan.rest().rfind(" to free ");
  const std::size_t name_end = scan.rest().rfind("' (", to_free);
  if (to_free == std::string_view::npos || name_end == std::string_view::npos) return std::nullopt;
  KillerEvent kill;
  kill.victim.comm = scan.rest().substr(0, name_end);
  kill.victim.memory = parse_freed(scan.rest().substr(to_free));
  const std::size_t reason = scan.rest().rfind("reason: ");
  if (reason != std::string_view::npos) kill.reason = clipped(scan.rest().substr(reason + 8));
  const std::string_view ids = scan.rest().substr(name_end + 3, to_free - name_end - 3);
  Scan id(ids);
  id.skip("pid=");
  kill.victim.pid = id.number<std::uint32_t>();
  if (!kill.victim.pid) return std::nullopt;
  kill.victim.uid = number_after<std::uint32_t>(ids, ", uid");
  kill.victim.oom_score_adj = number_after<std::int32_t>(ids, ", oom_score_adj");
  return kill;
}

Opt<KillerEvent> parse_lowmemorykiller(std::string_view text) {
  Scan scan(text);
  KillerEvent kill;
  if (scan.skip("lowmemorykiller: Killing '")) {
    const std::size_t end = scan.rest().rfind("' (");
    if (end == std::string_view::npos) return std::nullopt;
    kill.victim.comm = scan.rest().substr(0, end);
    Scan rest(scan.rest().substr(end + 3));
    kill.victim.pid = rest.number<std::uint32_t>();
    if (!kill.victim.pid || !rest.skip(")")) return std::nullopt;
    kill.victim.oom_score_adj = number_after<std::int32_t>(rest.rest(), ", adj ");
  } else if (scan.skip("send sigkill to ")) {
    kill.victim.pid = scan.number<std::uint32_t>();
    const std::size_t end = scan.rest().rfind("), adj ");
    if (!kill.victim.pid || !scan.skip(" (") || end == std::string_view::npos) return std::nullopt;
    kill.victim.comm = scan.rest().substr(0, scan.rest().rfind("), adj "));
  } else {
    return std::nullopt;
  }
  kill.reason = clipped(text);
  return kill;
}

}  // namespace oomwitness
