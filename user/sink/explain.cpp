// SPDX-License-Identifier: BSD-2-Clause
#include "sink/explain.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "diagnose/diagnose.h"
#include "diagnose/facts.h"
#include "diagnose/thin.h"
#include "diagnose/trend.h"
#include "diagnose/words.h"
#include "sink/layout.h"
#include "sink/report_parts.h"
#include "support/text.h"

namespace oomwitness {
namespace {

bool stack_has(const Invoker& invoker, std::string_view function) {
  return std::any_of(
      invoker.kernel_stack.begin(), invoker.kernel_stack.end(),
      [&](const KernelFrame& frame) { return frame.symbol.find(function) != std::string::npos; });
}

// What the invoker wanted the memory for, as far as the kernel stack tells.
std::string purpose(const Invoker& invoker) {
  if (stack_has(invoker, "pte_alloc")) return " for a page table";
  if (stack_has(invoker, "do_anonymous_page")) return " for anonymous memory that it touched";
  if (stack_has(invoker, "filemap_fault") || stack_has(invoker, "page_cache"))
    return " for a page of a file";
  if (stack_has(invoker, "do_page_fault") || stack_has(invoker, "handle_mm_fault"))
    return " in a page fault";
  return "";
}

std::string request_text(const Page& page, const Invoker& invoker) {
  const std::int32_t order = invoker.order.value_or(0);
  std::string out = order > 0 && order < 31
                        ? fmt::format("{} pages in a row", 1U << static_cast<unsigned>(order))
                    : invoker.order ? "one page"
                                    : "memory";
  if (!invoker.gfp) return out;
  std::string flags;
  for (const std::string& flag : invoker.gfp->flags)
    flags += (flags.empty() ? "" : "|") + page.text(flag);
  return out +
         (flags.empty() ? fmt::format(" (gfp 0x{:x})", invoker.gfp->mask) : " (" + flags + ")");
}

std::string invoker_sentence(const Page& page, const Incident& incident) {
  const Invoker& invoker = incident.invoker;
  if (incident.scope.sysrq.value_or(false) || (!invoker.pid && !invoker.comm)) return "";
  std::string out = process_name(page, invoker.comm, invoker.pid) + " asked for " +
                    request_text(page, invoker) + purpose(invoker) + ".";
  const bool itself = !incident.victims.empty() && incident.victims.front().pid == invoker.pid;
  if (!itself) out += " Who asks when memory is short need not be who used it.";
  return out;
}

void write_what_happened(Page& page, const Incident& incident, const Facts& facts,
                         const Diagnosis& diagnosis) {
  page.heading("What happened");
  page.paragraph(safe_sentence(diagnosis.summary));
  page.paragraph(who_died(facts));
  page.paragraph(invoker_sentence(page, incident));
  const std::string also = also_text(diagnosis);
  page.paragraph("Cause: " + safe_sentence(diagnosis.cause) + ", confidence " +
                 std::string(confidence_name(diagnosis.confidence)) +
                 (also.empty() ? "." : "; beside it: " + also + "."));
}

std::string whose(const Facts& facts) {
  if (facts.incident->killer != "kernel")
    return "No limit of the kernel's: a program killed by thresholds of its own.";
  switch (facts.shortage) {
    case Shortage::kHost: return "Nobody's limit: the whole host was short of memory.";
    case Shortage::kNodes:
      return "No limit of size: the memory nodes that the request was bound to were used up.";
    case Shortage::kUnknown:
      return "The record does not say: it may be the limit of a memory cgroup, or the whole host.";
    case Shortage::kCgroup: break;
  }
  std::string out = "The limit of " + limit_name(facts);
  if (facts.limit_bytes) out += ", " + human_size(*facts.limit_bytes);
  if (facts.limit_usage)
    out += fmt::format(", of which {} were in use", human_size(*facts.limit_usage));
  out += facts.limit_of == LimitOf::kOwn        ? ": the victim's own cgroup."
         : facts.limit_of == LimitOf::kAncestor ? ": a cgroup above the victim's own."
                                                : "; where the victim lived is not shown.";
  return out;
}

void write_whose_limit(Page& page, const Incident& incident, const Facts& facts) {
  page.heading("Whose limit");
  page.paragraph(whose(facts));
  if (facts.capacity && !facts.capacity_guessed && facts.shortage != Shortage::kCgroup)
    page.paragraph(fmt::format("What could be used: {} ({}).", human_size(*facts.capacity),
                               facts.capacity_name));
  page.paragraph(facts.shortage == Shortage::kCgroup ? "" : swap_sentence(facts));
  if (incident.scope.memcg && facts.limit_of != LimitOf::kUnknown && facts.victim != nullptr &&
      facts.victim->cgroup)
    page.paragraph("The victim lived in " + page.name(*facts.victim->cgroup) + ".");
}

Row holder_row(const Page& page, const Facts& facts, const Holder& holder) {
  const auto part = share_of_capacity(facts, holder.bytes);
  return {{human_size(holder.bytes), part ? percent(*part) : "-",
           holder.adj ? fmt::format("{}", *holder.adj) : "-",
           holder.pid ? fmt::format("{}", *holder.pid) : "-", thousands(holder.tasks),
           holder.comm.empty() ? "-" : page.name(holder.comm),
           is_victim(facts, holder) ? "<- killed" : ""},
          is_victim(facts, holder)};
}

void write_uses(Page& page, const Uses& uses, std::string_view label) {
  std::string out;
  const auto put = [&](const char* what, const Opt<std::uint64_t>& size) {
    if (size) add_part(out, fmt::format("{} {}", what, human_size(*size)));
  };
  put("free", uses.free);
  put("anonymous", uses.anon);
  put("page cache", uses.file);
  put("shared", uses.shmem);
  put("kernel", uses.kernel);
  put("huge pages", uses.hugetlb);
  put("in no account", uses.unaccounted);
  page.line(label, out);
}

void write_holders(Page& page, const Facts& facts) {
  constexpr std::size_t kRows = 10;
  page.heading("Who held the memory");
  if (facts.tasks.empty())
    page.paragraph("The record has no task's memory.");
  else if (facts.tasks.size() == 1 && !facts.tasks_whole)
    page.paragraph("The record has the victim's memory only, and no table of the others.");
  std::vector<Row> rows;
  for (std::size_t i = 0; i < std::min(facts.tasks.size(), kRows); ++i)
    rows.push_back(holder_row(page, facts, facts.tasks[i]));
  for (std::size_t i = 0; i < std::min<std::size_t>(facts.names.size(), 3); ++i)
    rows.push_back(holder_row(page, facts, facts.names[i]));
  if (!rows.empty())
    page.table({{"held"},
                {"share"},
                {"adj"},
                {"pid"},
                {"tasks"},
                {"name", Align::kLeft},
                {"", Align::kLeft}},
               rows);
  if (!rows.empty() && facts.capacity)
    page.paragraph(
        fmt::format("The share is of {}, {}.", facts.capacity_name, human_size(*facts.capacity)));
  write_uses(page, facts.cgroup, "the cgroup");
  write_uses(page, facts.host, "the host");
}

void write_why(Page& page, const Incident& incident, const Facts& facts,
               const Diagnosis& diagnosis) {
  if (!incident.candidates.top.empty() || incident.candidates.listed)
    write_candidates(page, incident);
  else
    page.heading("Why this one", incident.killer == "kernel" ? "" : "by its killer's own rules");
  for (const std::string& text :
       {score_sentence(facts), why_not_the_largest(facts), counterfactual(facts)})
    page.paragraph(text);
  page.heading("Evidence");
  for (const std::string& text : diagnosis.evidence) page.paragraph("- " + safe_sentence(text));
}

void write_growth(Page& page, const Facts& facts) {
  const std::string trend = trend_sentence(facts);
  const auto& samples = facts.incident->history.samples;
  if (samples.empty()) return;
  page.heading("How it grew");
  page.paragraph(trend.empty() ? "The history shows no leak, burst or plateau." : trend);
  page.paragraph(grower_sentence(facts));
  page.paragraph(fmt::format(
      "The history has {} samples over {}.", samples.size(),
      human_duration(minus(samples.back().monotonic_ns, samples.front().monotonic_ns))));
}

void write_freed(Page& page, const Incident& incident, const Facts& facts) {
  page.heading("What the kill freed");
  const std::string freed = what_it_freed(facts);
  page.paragraph(freed.empty() ? "The record does not show it." : freed);
  if (facts.victim == nullptr) return;
  const Timeline& time = facts.victim->timeline;
  if (time.exited_ns && *time.exited_ns >= incident.monotonic_ns)
    page.paragraph(fmt::format("Its memory was back {} after the decision.",
                               human_duration(*time.exited_ns - incident.monotonic_ns)));
  if (time.reap_skipped.value_or(false))
    page.paragraph("The kernel's reaper could not take its memory.");
}

void write_gaps(Page& page, const Incident& incident, const Facts& facts) {
  page.heading("What the record does not show");
  const auto missing = gaps(facts);
  for (const Gap& gap : missing) page.paragraph("- " + gap.what + "; " + gap.how + ".");
  write_missing(page, incident.provenance);
  if (missing.empty() && incident.provenance.missing.empty())
    page.paragraph("Nothing that this verdict needs.");
}

}  // namespace

std::string render_explanation(const Incident& incident, const ReportOptions& options) {
  const Facts facts = gather(incident, {});
  const Diagnosis diagnosis = incident.diagnosis ? *incident.diagnosis : diagnose(incident);
  Page page(options);
  write_headline(page, incident);
  write_subject(page, incident);
  write_what_happened(page, incident, facts, diagnosis);
  write_whose_limit(page, incident, facts);
  write_holders(page, facts);
  write_why(page, incident, facts, diagnosis);
  write_growth(page, facts);
  write_freed(page, incident, facts);
  write_gaps(page, incident, facts);
  page.heading("What to do");
  for (std::size_t i = 0; i < diagnosis.advice.size(); ++i)
    page.paragraph(fmt::format("{}. {}", i + 1, safe_sentence(diagnosis.advice[i])));
  return std::move(page).take();
}

}  // namespace oomwitness
