// SPDX-License-Identifier: BSD-2-Clause
#include "pipeline/session_facts.h"

#include <array>
#include <string>
#include <string_view>

#include "enrich/gfp_table.h"
#include "pipeline/host.h"

namespace oomwitness {
namespace {

struct Loss {
  Hook hook;
  std::string_view field;  // as in AssemblerConfig::missing
};

constexpr std::array kLosses{
    Loss{Hook::kDecision, "gfp"},          Loss{Hook::kDecision, "order"},
    Loss{Hook::kDecision, "constraint"},   Loss{Hook::kDecision, "memcg"},
    Loss{Hook::kDecision, "total_pages"},  Loss{Hook::kDecision, "selected"},
    Loss{Hook::kDecision, "candidates"},   Loss{Hook::kDecision, "kernel_stack"},
    Loss{Hook::kDecision, "user_stack"},   Loss{Hook::kCandidates, "candidates"},
    Loss{Hook::kSignalDeliver, "cmdline"}, Loss{Hook::kSignalDeliver, "signalled_ns"},
    Loss{Hook::kProcessExit, "exited_ns"}, Loss{Hook::kMarkVictim, "marked_ns"},
    Loss{Hook::kReaper, "reaped_ns"},
};

std::string why_not(const HookPlan& plan, Hook hook) {
  std::string why(hook_row(hook).name);
  if (plan.turned_off(hook)) return why + " was turned off with --hook";
  why += " could not be hooked";
  std::string_view separator = " (";
  for (const Refusal& refusal : plan.refusals(hook)) {
    why.append(separator).append(refusal.way).append(": ").append(refusal.reason);
    separator = "; ";
  }
  return plan.refusals(hook).empty() ? why : why + ")";
}

}  // namespace

std::map<std::string, std::string> missing_fields(const HookPlan& plan) {
  std::map<std::string, std::string> missing;
  for (const Loss& loss : kLosses) {
    if (plan.current(loss.hook) != nullptr) continue;
    missing.emplace(loss.field, why_not(plan, loss.hook));
  }
  return missing;
}

SessionFacts session_facts(const HookPlan& plan, const Roots& roots,
                           std::chrono::nanoseconds settle, bool log) {
  SessionFacts facts;
  AssemblerConfig& config = facts.assembler;
  config.settle_ns = static_cast<std::uint64_t>(settle.count());
  config.expect_log = log;
  config.expect_system = true;
  config.host = read_host(roots.proc);
  config.page_size = config.host.page_size_bytes;
  const ClockOffsets offsets = read_clock_offsets();
  config.unix_minus_monotonic_ns = offsets.unix_minus_monotonic_ns;
  config.unix_minus_boottime_ns = offsets.unix_minus_boottime_ns;
  config.hooks = plan.summary();
  config.sources = {"bpf", "kmsg", "proc"};
  config.missing = missing_fields(plan);
  if (const auto table = read_gfp_table(roots)) facts.gfp = table->names();
  return facts;
}

}  // namespace oomwitness
