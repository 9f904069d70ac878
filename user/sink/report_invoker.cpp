// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>

#include <fmt/format.h>

#include "sink/report_parts.h"
#include "support/text.h"

namespace oomwitness {
namespace {

std::string request_text(const Page& page, const Incident& incident) {
  const Invoker& invoker = incident.invoker;
  std::string out;
  if (invoker.order == -1) {
    out = "nothing (order -1 is SysRq-f)";
  } else if (invoker.order && *invoker.order >= 0 && *invoker.order < 32) {
    const std::uint64_t pages = std::uint64_t{1} << *invoker.order;
    out = fmt::format("{} page{} (order {}", pages, pages == 1 ? "" : "s in a row", *invoker.order);
    if (incident.host.page_size_bytes != 0)
      add_part(out, human_size(pages * incident.host.page_size_bytes));
    out += ")";
  }
  if (invoker.gfp) {
    std::string flags;
    for (const std::string& flag : invoker.gfp->flags)
      flags += (flags.empty() ? " = " : "|") + page.text(flag);
    add_part(out, fmt::format("gfp {:#x}{}", invoker.gfp->mask, flags));
  }
  return out;
}

std::string kernel_stack_text(const Page& page, const Invoker& invoker) {
  constexpr std::size_t kMost = 12;
  std::string out;
  for (std::size_t i = 0; i < invoker.kernel_stack.size() && i < kMost; ++i) {
    const KernelFrame& frame = invoker.kernel_stack[i];
    // The function is what readers know; its offset is in the JSON.
    const std::string symbol = frame.symbol.substr(0, frame.symbol.find('+'));
    out += (i == 0 ? "" : " < ") +
           (symbol.empty() ? fmt::format("{:#x}", frame.address) : page.text(symbol));
  }
  return invoker.kernel_stack.size() > kMost ? out + " < ..." : out;
}

std::string user_stack_text(const Page& page, const Invoker& invoker) {
  constexpr std::size_t kMost = 6;
  std::string out;
  for (std::size_t i = 0; i < invoker.user_stack.size() && i < kMost; ++i) {
    const UserFrame& frame = invoker.user_stack[i];
    const std::string file =
        frame.build_id.empty() ? "" : "build " + page.text(frame.build_id.substr(0, 12)) + "+";
    out += fmt::format("{}{}{:#x}", i == 0 ? "" : " < ", file, frame.offset);
  }
  return invoker.user_stack.size() > kMost ? out + " < ..." : out;
}

std::string relation_text(const Incident& incident) {
  const Invoker& invoker = incident.invoker;
  std::string why = incident.scope.sysrq.value_or(false) ? ", on behalf of SysRq-f"
                                                         : ", which asked for the memory";
  if (!invoker.pid || incident.victims.empty()) return why;
  const bool is_victim = std::any_of(incident.victims.begin(), incident.victims.end(),
                                     [&](const Victim& v) { return v.pid == invoker.pid; });
  if (!is_victim) return why + "; not the victim";
  return why + (incident.victims.size() == 1 ? "; the victim itself" : "; one of the victims");
}

std::string identity_text(const Invoker& invoker) {
  std::string out = invoker.kernel_thread.value_or(false) ? "a kernel thread" : "";
  if (invoker.tid && invoker.tid != invoker.pid)
    add_part(out, fmt::format("thread {}", *invoker.tid));
  if (invoker.uid) add_part(out, fmt::format("uid {}", *invoker.uid));
  if (invoker.oom_score_adj) add_part(out, fmt::format("oom_score_adj {}", *invoker.oom_score_adj));
  return out;
}

}  // namespace

void write_invoker(Page& page, const Incident& incident) {
  const Invoker& invoker = incident.invoker;
  if (invoker == Invoker{}) return;
  page.heading("Invoker", process_name(page, invoker.comm, invoker.pid) + relation_text(incident));
  page.line("who", identity_text(invoker));
  if (invoker.cgroup) page.line("cgroup", page.text(*invoker.cgroup));
  page.line("asked for", request_text(page, incident));
  page.line("in kernel", kernel_stack_text(page, invoker));
  page.line("in user", user_stack_text(page, invoker));
}

}  // namespace oomwitness
