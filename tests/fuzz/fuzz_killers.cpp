// SPDX-License-Identifier: BSD-2-Clause
// Lines of the user-space killers, and gfp masks with the releases they are read by: no crash; a
// kill has a victim and its killer; names give their mask back.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "kernlog/gfp_era.h"
#include "kernlog/user_killers.h"

namespace oomwitness {
namespace {

constexpr std::array<std::string_view, 8> kPrograms = {
    "systemd-oomd", "systemd", "earlyoom", "nohang", "oomd", "lmkd", "lowmemorykiller", "kernel"};

void check(bool holds) {
  if (!holds) std::abort();
}

void check_report(const LogReport& report) {
  check(report.killer != "kernel" && !report.killer.empty());
  check(report.victims.size() == 1);
  const Victim& victim = report.victims.front();
  check(!victim.cgroup || victim.cgroup->starts_with('/'));
  check(!report.scope.reason || !report.scope.reason->empty());
}

void check_names(std::uint32_t mask, std::string_view release) {
  const auto range = versions_of_release(release);
  const GfpNames names = gfp_names(mask, range.value_or(VersionRange{}));
  check(names.ambiguous == !names.why.empty());
  check(!names.ambiguous || names.flags.empty());
  check(names.ambiguous || names.flags.empty() == (mask == 0));
  if (range) check(range->first <= range->last);
}

// A line's first byte says whose it is; '#' begins a mask and a release.
void fuzz(std::string_view text) {
  UserKillers killers;
  LogReport stamp;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() < text.size() ? line.size() + 1 : line.size());
    if (line.empty()) continue;
    stamp.at_ns += 1'000'000'000;
    if (line.front() == '#' && line.size() > 5) {
      std::uint32_t mask = 0;
      for (std::size_t i = 1; i < 5; ++i) mask = mask << 8U | static_cast<unsigned char>(line[i]);
      check_names(mask, line.substr(5));
      continue;
    }
    const auto whose = static_cast<unsigned char>(line.front()) % kPrograms.size();
    killers.line(stamp, kPrograms.at(whose), line.substr(1));
    for (const LogReport& report : killers.take()) check_report(report);
  }
  killers.flush();
  check(killers.idle());
  for (const LogReport& report : killers.take()) check_report(report);
}

}  // namespace
}  // namespace oomwitness

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  oomwitness::fuzz({reinterpret_cast<const char*>(bytes), size});
  return 0;
}
