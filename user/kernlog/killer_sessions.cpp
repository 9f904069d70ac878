// SPDX-License-Identifier: BSD-2-Clause
// The killers that tell of a kill in several lines.
#include <algorithm>
#include <cstddef>
#include <utility>

#include "kernlog/killer_lines.h"
#include "kernlog/killer_scan.h"

namespace oomwitness {

namespace {

using namespace std::string_view_literals;
using Kind = KillerEvent::Kind;

// ---------------------------------------------------------------- earlyoom

// "mem avail: 20012 of 21701 MiB (92.22%), swap free: 5251 of 8191 MiB (64.11%)", to 1.1 without
// "of 21701".
System parse_available(std::string_view text) {
  System system;
  Scan memory(text.substr(text.find(':') + 1));
  const auto available = mebibytes(memory);
  if (!available) return system;
  system.source = "log";
  system.meminfo_bytes["MemAvailable"] = *available;
  if (memory.skip(" of ")) {
    if (const auto total = mebibytes(memory)) system.meminfo_bytes["MemTotal"] = *total;
  }
  constexpr auto kSwap = "swap free:"sv;
  const std::size_t swap_at = text.find(kSwap);
  if (swap_at == std::string_view::npos) return system;
  Scan swap(text.substr(swap_at + kSwap.size()));
  if (const auto free = mebibytes(swap)) system.swap_bytes["free"] = *free;
  if (swap.skip(" of ")) {
    if (const auto total = mebibytes(swap)) system.swap_bytes["total"] = *total;
  }
  return system;
}

Opt<KillerEvent> parse_signal(std::string_view text) {
  Scan scan(text);
  KillerEvent kill;
  if (scan.skip("Killing process ")) {  // to 1.0: "Killing process 123 name"
    kill.victim.pid = scan.number<std::uint32_t>();
    if (!kill.victim.pid || !scan.skip(" ")) return std::nullopt;
    kill.victim.comm = scan.rest();
    kill.reason = "sent a signal";
    return kill;
  }
  if (!scan.skip("sending ")) return std::nullopt;
  const std::string_view signal = scan.word();
  if (!signal.starts_with("SIG") || !scan.skip(" to process ")) return std::nullopt;
  kill.victim.pid = scan.number<std::uint32_t>();
  if (!kill.victim.pid) return std::nullopt;
  if (scan.skip(" uid ")) kill.victim.uid = scan.number<std::uint32_t>();
  if (!scan.skip(" \"")) return std::nullopt;
  // The command line comes last, and may hold anything.
  std::size_t end = std::string_view::npos;
  for (const auto after : {R"(": badness )"sv, R"(": oom_score )"sv}) {
    end = std::min(end, scan.rest().find(after));
  }
  if (end == std::string_view::npos) return std::nullopt;
  kill.victim.comm = scan.rest().substr(0, end);
  std::string_view facts = scan.rest().substr(end + 3);
  facts = facts.substr(0, facts.find(", cmdline "));
  kill.victim.oom_score_adj = number_after<std::int32_t>(facts, "oom_score_adj ");
  kill.reason = clipped("sent " + std::string(signal) + ": " + std::string(facts));
  return kill;
}

}  // namespace

Opt<KillerEvent> EarlyoomLines::line(std::string_view text) {
  text = trim_left(text);
  if (text.starts_with("mem avail:")) {
    system_ = parse_available(text);
    return std::nullopt;
  }
  if (starts_with_any(text, {"low memory! ", "Low memory! ", "Out of memory! "})) {
    why_ = clipped(text);
    return std::nullopt;
  }
  if (starts_with_any(text, {"dryrun", "kill failed:", "Could not kill process"}))
    return KillerEvent{.kind = Kind::kNotKilled};
  if (text.starts_with("process ") && text.find("exited after ") != std::string_view::npos)
    return KillerEvent{.kind = Kind::kEnded};
  auto kill = parse_signal(text);
  if (kill) {
    kill->system = std::exchange(system_, {});
    const std::string why = std::exchange(why_, {});
    if (!why.empty()) kill->reason.insert(0, why + "; ");
  }
  return kill;
}

// ---------------------------------------------------------------- nohang

Opt<KillerEvent> NohangLines::line(std::string_view text) {
  text = trim_left(text);
  if (text.starts_with("Memory status that requires corrective action")) {
    why_.clear();
    return std::nullopt;
  }
  if (starts_with_any(text,
                      {"Implementing a corrective action", "Implement a corrective action"})) {
    acting_ = true;
    return std::nullopt;
  }
  if (starts_with_any(text, {"Selected process died before", "Cannot send a signal"}))
    return KillerEvent{.kind = Kind::kNotKilled};
  if (starts_with_any(text, {"The victim died", "The victim became a zombie"}))
    return KillerEvent{.kind = Kind::kEnded};
  if (std::exchange(acting_, false)) {
    Scan scan(text);
    if (!scan.skip("Sending SIG") && !scan.skip("Send SIG")) return std::nullopt;
    const std::string signal = "SIG" + std::string(scan.word());
    if (!scan.skip(" to ") || !victim_.pid) return std::nullopt;
    KillerEvent kill;
    kill.victim = std::exchange(victim_, {});
    kill.reason = clipped((why_.empty() ? "" : why_ + "; ") + "sent " + signal);
    return kill;
  }
  if (!add_victim(text)) add_status(text);
  return std::nullopt;
}

namespace {

// Two forms: "PID: 12, Name: x, badness: 5" and "PID:       12, name: x, state: S, EUID: 0, ..."
Victim parse_who(std::string_view text) {
  Victim victim;
  victim.pid = number_after<std::uint32_t>(text, "PID:");
  constexpr auto kShort = ", Name: "sv;
  constexpr auto kLong = ", name: "sv;
  const bool is_long = text.find(kShort) == std::string_view::npos;
  const std::size_t at = text.find(is_long ? kLong : kShort);
  const std::size_t end = text.rfind(is_long ? ", state: "sv : ", badness: "sv);
  if (at == std::string_view::npos || end == std::string_view::npos) return victim;
  const std::size_t name = at + kShort.size();
  if (name <= end) victim.comm = text.substr(name, end - name);
  victim.uid = number_after<std::uint32_t>(text.substr(end), "EUID:");
  return victim;
}

Memory parse_sizes(std::string_view text) {
  Memory memory;
  memory.total_vm_bytes = mebibytes_after(text, "Size:");
  memory.anon_rss_bytes = mebibytes_after(text, "Anon:");
  memory.file_rss_bytes = mebibytes_after(text, "File:");
  memory.shmem_rss_bytes = mebibytes_after(text, "Shmem:");
  memory.swap_bytes = mebibytes_after(text, "Swap:");
  return memory;
}

// The path that follows `key` at the beginning.
Opt<std::string> path_of(std::string_view text, std::string_view key) {
  if (!text.starts_with(key)) return std::nullopt;
  const std::string_view path = trim_left(text.substr(key.size()));
  return path.starts_with('/') ? Opt<std::string>(path) : std::nullopt;
}

}  // namespace

bool NohangLines::add_victim(std::string_view text) {
  if (text.starts_with("PID:")) {
    victim_ = parse_who(text);
  } else if (text.starts_with("badness:")) {
    victim_.oom_score_adj = number_after<std::int32_t>(text, "oom_score_adj:");
  } else if (text.starts_with("Vm, MiB:")) {
    victim_.memory = parse_sizes(text);
  } else if (auto v1 = path_of(text, "cgroup_v1:")) {
    victim_.cgroup = std::move(v1);
  } else if (auto v2 = path_of(text, "cgroup_v2:")) {
    victim_.cgroup = std::move(v2);
  } else if (auto exe = path_of(text, "exe realpath:")) {
    victim_.exe = std::move(exe);
  } else {
    return false;
  }
  return true;
}

void NohangLines::add_status(std::string_view text) {
  if (!starts_with_any(text, {"MemAvailable [", "SwapFree [", "MemUsedZram [", "Current PSI metric",
                              "PSI metric value exceeded"}))
    return;
  why_ += (why_.empty() ? "" : "; ") + clipped(text);
  why_.resize(std::min(why_.size(), kMaxReasonBytes));
}

}  // namespace oomwitness
