// SPDX-License-Identifier: BSD-2-Clause
// Where the record does not carry a cause: what it proves all the same, and what is missing.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "diagnose/advice.h"
#include "diagnose/rules.h"
#include "diagnose/thin.h"
#include "diagnose/thresholds.h"
#include "diagnose/words.h"
#include "support/text.h"

namespace oomwitness {
namespace {

using namespace thresholds;

bool is_limit(const Facts& facts) {
  return facts.shortage == Shortage::kCgroup;
}

bool is_x86_64(const Incident& incident) {
  return incident.host.arch == "x86_64" ||
         incident.host.kernel.find("amd64") != std::string::npos ||
         incident.host.kernel.find("x86_64") != std::string::npos;
}

std::string lead(const Facts& facts) {
  if (!is_limit(facts)) {
    if (facts.shortage == Shortage::kHost) return "The whole host was short of memory";
    return "A task was killed for lack of memory";
  }
  std::string out = facts.limit_bytes
                        ? fmt::format("The limit of {} ({}) was hit", limit_name(facts),
                                      human_size(*facts.limit_bytes))
                        : fmt::format("The limit of {} was hit", limit_name(facts));
  if (facts.limit_of == LimitOf::kUnknown)
    out += "; whether it was the victim's own or one above it is not shown";
  return out;
}

// Of a victim too small to be the reason, what can be said without the others.
std::vector<std::string> of_a_small_victim(const Facts& facts) {
  std::vector<std::string> out;
  const auto part = share_of_capacity(facts, facts.victim_bytes);
  const bool tiny = (part && *part < kTinyVictim) ||
                    (facts.score && facts.score->most && facts.score->least < kTinyVictim);
  if (!tiny) return out;
  const bool by_points = !facts.incident->scope.kill_allocating_task.value_or(false) &&
                         !facts.incident->scope.sysrq.value_or(false);
  if (by_points)
    out.emplace_back(
        "The kernel chooses who has the most points: no task that it might kill held "
        "more, unless a negative oom_score_adj spared it. The memory was in many small "
        "tasks, in a protected one, or not in tasks at all (kernel, tmpfs, drivers).");
  return out;
}

void of_swapped_memory(const Facts& facts, std::vector<std::string>& out) {
  const Victim* const victim = facts.victim;
  if (victim == nullptr || !victim->memory.total_vm_bytes || !victim->memory.anon_rss_bytes) return;
  const Memory& memory = victim->memory;
  if (*memory.total_vm_bytes < kGib || *memory.total_vm_bytes / 10 < *memory.anon_rss_bytes) return;
  out.push_back(fmt::format(
      "{} had {} of address space mapped, which is not memory; {} of it was "
      "resident.",
      task_text(*victim), human_size(*memory.total_vm_bytes),
      human_size(plus(*memory.anon_rss_bytes, plus(memory.file_rss_bytes.value_or(0),
                                                   memory.shmem_rss_bytes.value_or(0))))));
  if (memory.swap_bytes) return;
  if (memory.pgtables_bytes && is_x86_64(*facts.incident)) {
    // A page table of 4 KiB maps 2 MiB: what was ever touched is at most that.
    const std::uint64_t touched = times(*memory.pgtables_bytes / 4096, 2 * kMib);
    out.push_back(
        fmt::format("Its page tables of {} can map {}: so much of it has been touched at "
                    "most. What of that is in swap, the kill line does not say.",
                    human_size(*memory.pgtables_bytes), human_size(touched)));
  } else {
    out.emplace_back("What of it was in swap, the kill line does not say.");
  }
}

// What kind of memory it was is a lead, where the host's memory is known and its tasks are not.
std::string largest_use(const Facts& facts) {
  if (is_limit(facts) || !facts.host.total) return "";
  struct Use {
    const char* what = "";
    Opt<std::uint64_t> bytes;
  };
  const std::array<Use, 4> uses{{{"anonymous memory of tasks", facts.host.anon},
                                 {"page cache", facts.host.file},
                                 {"shared memory and tmpfs", facts.host.shmem},
                                 {"the kernel's own memory", facts.host.kernel}}};
  const auto most = std::max_element(uses.begin(), uses.end(), [](const Use& a, const Use& b) {
    return a.bytes.value_or(0) < b.bytes.value_or(0);
  });
  if (share(most->bytes, facts.host.total).value_or(0) < kKindOfRam) return "";
  return fmt::format("Most of RAM was {}: {}.", most->what, of_ram_text(facts, *most->bytes));
}

// A report and a kill line far apart are not of one decision.
std::string of_another_decision(const Incident& incident) {
  const auto found = incident.provenance.missing.find("decision");
  return found == incident.provenance.missing.end() ? "" : safe_sentence(found->second);
}

}  // namespace

std::vector<Gap> gaps(const Facts& facts) {
  std::vector<Gap> out;
  const Incident& incident = *facts.incident;
  if (incident.killer != "kernel") return out;  // its log lines are all there is
  const bool live = !incident.provenance.hooks.empty();
  const bool table = facts.tasks.size() > 1 || facts.tasks_whole || incident.candidates.listed;
  if (facts.shortage == Shortage::kUnknown)
    out.push_back({"whose memory was short, a cgroup's or the host's",
                   "keep the whole report: the lines from \"invoked oom-killer\" to \"Killed "
                   "process\" (since 5.0 the oom-kill: line says it)"});
  if (!table)
    out.push_back({"the table of tasks, which shows who held the memory",
                   live ? "oom_badness could not be hooked: see `oomwitness doctor`"
                        : "set vm.oom_dump_tasks=1 and keep the lines that begin with [ pid ]"});
  if (is_limit(facts)) {
    if (!facts.limit_bytes || !facts.limit_usage)
      out.push_back(
          {"the usage and the limit of the cgroup", "keep the lines \"memory: usage ...\""});
    if (incident.scope.memcg && incident.scope.memcg->stat.empty())
      out.push_back({"what the cgroup's memory was (memory.stat)",
                     "keep the lines behind \"Memory cgroup stats for\""});
  } else if (!facts.host.total && !facts.host.free) {
    out.push_back(
        {"the memory of the host by kind (Mem-Info: free, cache, slab, shared memory, swap)",
         "keep the lines from \"Mem-Info:\" to \"pages reserved\""});
  } else if (!facts.host.slab) {
    out.push_back({"the kernel's slab memory", "keep all lines of Mem-Info"});
  }
  if (facts.victim != nullptr && facts.victim->memory == Memory{})
    out.push_back({"what the victim held", "keep the line \"Killed process\""});
  return out;
}

Opt<Finding> insufficient_evidence(const Facts& facts) {
  Finding found;
  found.weight = 1;
  found.confidence = Confidence::kLow;
  const auto missing = gaps(facts);
  found.summary = lead(facts) + "; the record does not show what used it up.";
  found.evidence = of_a_small_victim(facts);
  if (const std::string score = score_sentence(facts); !score.empty())
    found.evidence.insert(found.evidence.begin(), score);
  of_swapped_memory(facts, found.evidence);
  found.evidence.push_back(largest_use(facts));
  if (const std::string other = of_another_decision(*facts.incident); !other.empty())
    found.evidence.emplace_back("About the decision: " + other + ".");
  std::string list;
  for (const Gap& gap : missing) list += (list.empty() ? "" : "; ") + gap.what;
  if (!list.empty()) found.evidence.emplace_back("Missing: " + list + ".");
  for (const Gap& gap : missing) found.advice.emplace_back("Next time: " + gap.how + ".");
  if (facts.incident->provenance.hooks.empty())
    found.advice.emplace_back(
        "Run `oomwitness trace` or keep the kernel's log whole (journalctl -k "
        "-o short-precise): the report of one kill is enough.");
  return found;
}

}  // namespace oomwitness
