// SPDX-License-Identifier: BSD-2-Clause
#include "kernlog/kernel_release.h"

#include <algorithm>
#include <array>
#include <utility>

#include "kernlog/scan.h"

namespace oomwitness {

namespace {

using namespace std::string_view_literals;

// Letters of print_tainted (kernel/panic.c), ' ' between
bool is_taint(std::string_view word) {
  return !word.empty() &&
         word.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ()") == std::string_view::npos;
}

}  // namespace

std::string_view release_of(std::string_view after_comm) {
  constexpr auto kNotTainted = "Not tainted "sv;
  constexpr auto kTainted = "Tainted: "sv;
  Scan scan(trimmed_left(after_comm));
  if (scan.skip("Kdump: loaded ")) scan.skip_blanks();
  const bool tainted = scan.skip(kTainted);
  if (!tainted && !scan.skip(kNotTainted)) return {};
  for (scan.skip_blanks(); !scan.done(); scan.skip_blanks()) {
    const std::string_view word = scan.word();
    if (is_digit(word.front())) {
      // A line cut here may have cut the release as well.
      return word.find('.') == std::string_view::npos || scan.done() ? std::string_view{} : word;
    }
    if (!tainted || !is_taint(word)) return {};
  }
  return {};
}

std::string_view arch_of_release(std::string_view release) {
  constexpr std::array kEnds = {
      std::pair{"x86_64"sv, "x86_64"sv},   std::pair{"amd64"sv, "x86_64"sv},
      std::pair{"aarch64"sv, "aarch64"sv}, std::pair{"arm64"sv, "aarch64"sv},
      std::pair{"ppc64le"sv, "ppc64le"sv}, std::pair{"powerpc64le"sv, "ppc64le"sv},
      std::pair{"ppc64"sv, "ppc64"sv},     std::pair{"s390x"sv, "s390x"sv},
      std::pair{"i686"sv, "i686"sv},       std::pair{"i586"sv, "i586"sv},
      std::pair{"686"sv, "i686"sv},        std::pair{"686-pae"sv, "i686"sv},
      std::pair{"i686.PAE"sv, "i686"sv},   std::pair{"riscv64"sv, "riscv64"sv},
      std::pair{"armv7hl"sv, "armv7l"sv},  std::pair{"armmp"sv, "armv7l"sv},
      std::pair{"ia64"sv, "ia64"sv}};
  // "4.18.0-139.el8.ppc64le+debug"
  release = release.substr(0, release.find('+'));
  for (const auto& [end, arch] : kEnds) {
    if (!release.ends_with(end) || release.size() == end.size()) continue;
    const char before = release[release.size() - end.size() - 1];
    if (before == '.' || before == '-' || before == '_') return arch;
  }
  return {};
}

std::string_view arch_of_registers(std::string_view text) {
  constexpr std::array kBeginnings = {
      std::pair{"RIP: "sv, "x86_64"sv},     std::pair{"RAX: "sv, "x86_64"sv},
      std::pair{"EIP: "sv, "i686"sv},       std::pair{"EAX: "sv, "i686"sv},
      std::pair{"pstate: "sv, "aarch64"sv}, std::pair{"Krnl PSW : "sv, "s390x"sv},
      std::pair{"User PSW : "sv, "s390x"sv}};
  for (const auto& [beginning, arch] : kBeginnings) {
    if (text.starts_with(beginning)) return arch;
  }
  return {};
}

std::string_view arch_of_symbol(std::string_view name) {
  constexpr std::array kSymbols = {
      std::pair{"entry_SYSCALL_64"sv, "x86_64"sv}, std::pair{"__x64_sys_"sv, "x86_64"sv},
      std::pair{"do_syscall_64"sv, "x86_64"sv},    std::pair{"el0t_64_sync"sv, "aarch64"sv},
      std::pair{"el0_svc"sv, "aarch64"sv},         std::pair{"el0_da"sv, "aarch64"sv},
      std::pair{"__s390x_sys_"sv, "s390x"sv},      std::pair{"pgm_check_handler"sv, "s390x"sv},
      std::pair{"entry_SYSENTER_32"sv, "i686"sv},  std::pair{"do_fast_syscall_32"sv, "i686"sv},
      std::pair{"ret_fast_syscall"sv, "armv7l"sv}, std::pair{"do_trap_ecall_u"sv, "riscv64"sv}};
  // None of the many others gets any further.
  if (name.empty() || std::string_view("_edpr").find(name.front()) == std::string_view::npos) {
    return {};
  }
  for (const auto& [symbol, arch] : kSymbols) {
    if (name.starts_with(symbol)) return arch;
  }
  return {};
}

Opt<std::uint64_t> page_size_of_arch(std::string_view arch) {
  constexpr std::array kFourKib = {"x86_64"sv, "i686"sv,    "i586"sv,
                                   "s390x"sv,  "riscv64"sv, "armv7l"sv};
  const bool four = std::find(kFourKib.begin(), kFourKib.end(), arch) != kFourKib.end();
  return four ? Opt<std::uint64_t>(4096) : std::nullopt;
}

}  // namespace oomwitness
