// SPDX-License-Identifier: BSD-2-Clause
#include "kernlog/user_killers.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <utility>

namespace oomwitness {

namespace {

using namespace std::string_view_literals;
using Kind = KillerEvent::Kind;

// What still belongs to a kill: SIGKILL after SIGTERM (earlyoom waits 10 s), the victim's end, the
// service manager's count.
constexpr std::uint64_t kOpenNs = 15'000'000'000;
constexpr std::size_t kOpenLines = 256;

constexpr auto kSystemdOomd = "systemd-oomd"sv;
constexpr std::array kPrograms = {kSystemdOomd, "systemd"sv, "earlyoom"sv,        "nohang"sv,
                                  "oomd"sv,     "lmkd"sv,    "lowmemorykiller"sv, "kernel"sv};

// On whatever clock the log has.
std::uint64_t time_of(const LogReport& report) {
  if (report.wall_ns && *report.wall_ns > 0) return static_cast<std::uint64_t>(*report.wall_ns);
  return report.at_ns;
}

// FNV-1a of what tells this kill from another.
std::uint64_t hash_of(std::string_view killer, const KillerEvent& event) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const std::string_view text : {killer, std::string_view(event.reason)}) {
    for (const char byte : text) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  }
  return hash;
}

bool is_of_unit(const Victim& victim, std::string_view unit) {
  if (victim.unit) return *victim.unit == unit;
  if (!victim.cgroup || !victim.cgroup->ends_with(unit)) return false;
  return victim.cgroup->size() > unit.size() &&
         (*victim.cgroup)[victim.cgroup->size() - unit.size() - 1] == '/';
}

// Whether both are of one kill: a process is signalled again until it goes; a cgroup is told of by
// systemd-oomd and, as a unit, by the service manager, once by each.
bool same_kill(const Victim& open, const Victim& told) {
  if (open.pid || told.pid) return open.pid == told.pid;
  if (told.unit) return !open.unit && is_of_unit(open, *told.unit);
  return open.unit && !open.cgroup && is_of_unit(told, *open.unit);
}

}  // namespace

bool is_user_killer(std::string_view program) {
  return std::find(kPrograms.begin(), kPrograms.end(), program) != kPrograms.end();
}

void UserKillers::line(const LogReport& stamp, std::string_view program, std::string_view text) {
  pass(stamp);
  const auto tell = [&](std::string_view killer, Opt<KillerEvent> event) {
    if (event) on(stamp, killer, *std::move(event));
  };
  if (program == kSystemdOomd) {
    tell(program, parse_systemd_oomd(text));
  } else if (program == "systemd") {
    tell(kSystemdOomd, parse_systemd_unit(text));
  } else if (program == "earlyoom") {
    tell(program, earlyoom_.line(text));
  } else if (program == "nohang") {
    tell(program, nohang_.line(text));
  } else if (program == "oomd") {
    tell("oomd", parse_oomd(text));
  } else if (program == "lmkd" || program == "lowmemorykiller") {
    tell("lmkd", parse_lmkd(text));
  } else if (program == "kernel") {
    tell("oomd", parse_oomd(text));
    tell("lowmemorykiller", parse_lowmemorykiller(text));
  }
}

void UserKillers::on(const LogReport& stamp, std::string_view killer, KillerEvent event) {
  LogReport* const open = open_of(killer);
  if (event.kind == Kind::kNotKilled) {
    if (open != nullptr) open_.erase(open_.begin() + (open - open_.data()));
    return;
  }
  if (event.kind == Kind::kEnded) return close(open);
  if (merge(stamp, killer, event)) return;
  close(open);
  LogReport report = stamp;
  report.killer = killer;
  report.text_hash = hash_of(killer, event);
  if (!event.reason.empty()) report.scope.reason = std::move(event.reason);
  report.system = std::move(event.system);
  event.victim.role = Role::kChosen;
  report.victims.push_back(std::move(event.victim));
  open_.push_back(std::move(report));
  passed_ = 0;
}

// Whether the event says more of the kill that is open.
bool UserKillers::merge(const LogReport& stamp, std::string_view killer, const KillerEvent& event) {
  LogReport* const open = open_of(killer);
  if (open == nullptr || !same_kill(open->victims.front(), event.victim)) return false;
  open->at_ns = stamp.at_ns;
  passed_ = 0;
  if (open->system.source.empty()) open->system = event.system;
  Victim& victim = open->victims.front();
  if (!victim.cgroup) victim.cgroup = event.victim.cgroup;
  if (!victim.unit) victim.unit = event.victim.unit;
  std::string& reason = open->scope.reason.emplace(open->scope.reason.value_or(""));
  if (!reason.empty() && !event.reason.empty()) reason += "; ";
  reason += event.reason;
  return true;
}

LogReport* UserKillers::open_of(std::string_view killer) {
  const auto found = std::find_if(open_.begin(), open_.end(), [killer](const LogReport& report) {
    return report.killer == killer;
  });
  return found == open_.end() ? nullptr : &*found;
}

void UserKillers::close(LogReport* report) {
  if (report == nullptr) return;
  done_.push_back(std::move(*report));
  open_.erase(open_.begin() + (report - open_.data()));
}

void UserKillers::pass(const LogReport& stamp) {
  if (open_.empty()) return;
  const bool long_ago = ++passed_ > kOpenLines;
  const auto still_open = [&](const LogReport& report) {
    const std::uint64_t now = time_of(stamp);
    const std::uint64_t then = time_of(report);
    return !long_ago && (now <= then || now - then <= kOpenNs);
  };
  const auto old = std::stable_partition(open_.begin(), open_.end(), still_open);
  std::move(old, open_.end(), std::back_inserter(done_));
  open_.erase(old, open_.end());
}

std::vector<LogReport> UserKillers::take() {
  return std::exchange(done_, {});
}

void UserKillers::flush() {
  std::move(open_.begin(), open_.end(), std::back_inserter(done_));
  open_.clear();
  earlyoom_ = {};
  nohang_ = {};
}

}  // namespace oomwitness
