// SPDX-License-Identifier: BSD-2-Clause
// The host ran out of memory: by one task, by many, or by one that could not be killed.
#include <algorithm>

#include <fmt/format.h>

#include "diagnose/advice.h"
#include "diagnose/rules.h"
#include "diagnose/thresholds.h"
#include "diagnose/words.h"
#include "support/text.h"

namespace oomwitness {
namespace {

using namespace thresholds;

// The tasks of one name that together stand out; nullptr: none.
const Holder* large_name(const Facts& facts) {
  if (facts.names.empty()) return nullptr;
  const double part = share_of_capacity(facts, facts.names[0].bytes).value_or(0);
  return part >= kSingleShare ? facts.names.data() : nullptr;
}

std::string tasks_sentence(const Facts& facts) {
  if (!facts.tasks_bytes || facts.capacity_guessed) return "";
  const bool shared = facts.tasks_bytes > facts.capacity;
  return fmt::format("All tasks together held {}{}.", held_text(facts, facts.tasks_bytes),
                     shared ? ": pages that they share count once for each" : "");
}

Confidence less(Confidence confidence) {
  return confidence == Confidence::kHigh ? Confidence::kMedium : Confidence::kLow;
}

// v2: the swap limit of the cgroup.
Opt<Finding> cgroup_swap_full(const Facts& facts) {
  const MemcgLevel* const level = facts.limit;
  if (level == nullptr || level->swap_is_memsw || level->swap_unlimited) return std::nullopt;
  if (level->swap_limit_bytes.value_or(0) == 0 || *level->swap_limit_bytes >= kUnlimited)
    return std::nullopt;
  const double used = share(level->swap_usage_bytes, level->swap_limit_bytes).value_or(0);
  if (used < 1 - kSwapFull) return std::nullopt;
  return Finding{
      20,
      Confidence::kHigh,
      "The cgroup's swap was full.",
      {fmt::format("{} of {} of swap that the cgroup may use were in use.",
                   human_size(*level->swap_usage_bytes), human_size(*level->swap_limit_bytes))},
      {}};
}

// A cgroup's report does not tell the host's swap, but swap devices have round sizes: tasks whose
// swapped memory adds up to one have probably filled it.
Opt<Finding> swap_looks_full(const Facts& facts) {
  const auto& listed = facts.incident->candidates.listed_memory;
  if (facts.shortage != Shortage::kCgroup || facts.swap_total || !listed || !listed->swap_bytes)
    return std::nullopt;
  const std::uint64_t swapped = *listed->swap_bytes;
  for (std::uint64_t size = kGib; size <= kLargestSwap; size *= 2) {
    if (swapped > size || swapped < size - size / kRoundWithin) continue;
    return Finding{10,
                   Confidence::kLow,
                   "The host's swap may have been full.",
                   {fmt::format("The listed tasks had {} in swap, close to a round {}: the host's "
                                "swap may have been full, which this report does not show.",
                                human_size(swapped), human_size(size))},
                   {}};
  }
  return std::nullopt;
}

}  // namespace

bool is_host_shortage(const Facts& facts) {
  const Incident& incident = *facts.incident;
  // Logs of before 5.0 do not print the constraint: without a limit's lines it is the host's.
  const bool host = facts.shortage == Shortage::kHost || facts.shortage == Shortage::kUnknown;
  return host && incident.killer == "kernel" && !incident.scope.sysrq.value_or(false) &&
         (!incident.scope.constraint || incident.scope.constraint == "none");
}

Opt<Finding> host_single_hog(const Facts& facts) {
  if (!is_host_shortage(facts)) return std::nullopt;
  Finding found;
  const Holder* const hog = single_consumer(facts);
  if (hog == nullptr) {
    // A score is a share too, where the kernel prints one.
    if (!facts.score || facts.score->least < kSingleShare || facts.tasks.size() > 1)
      return std::nullopt;
    found.weight = weight_of(std::min(facts.score->least, 1.0));
    found.confidence = facts.score->adj_assumed ? Confidence::kLow : Confidence::kMedium;
    found.summary = "One task held most of RAM and swap, by its score.";
    found.evidence = {score_sentence(facts)};
    found.advice = {
        "Bound that task with a memory limit of its own (MemoryMax= of its unit), so "
        "that it cannot take the host with it."};
    return found;
  }
  const double part = share_of_capacity(facts, hog->bytes).value_or(0);
  found.weight = weight_of(std::min(part, 1.0)) - (facts.capacity_guessed ? 10 : 0);
  found.confidence = facts.tasks.size() > 1 ? Confidence::kHigh : Confidence::kMedium;
  if (facts.capacity_guessed || facts.shortage == Shortage::kUnknown)
    found.confidence = facts.capacity_guessed ? Confidence::kLow : less(found.confidence);
  found.summary = fmt::format("{} used up the host's memory: it held {} of {}.", holder_text(*hog),
                              percent(part), facts.capacity_name);
  if (!is_victim(facts, *hog))
    found.evidence.push_back(
        fmt::format("{} held {}.", holder_text(*hog), held_text(facts, hog->bytes)));
  found.evidence.push_back(tasks_sentence(facts));
  found.advice = {find_growth(safe_name(hog->comm)), bound_task(facts, *hog)};
  return found;
}

Opt<Finding> host_many(const Facts& facts) {
  if (!is_host_shortage(facts) || facts.tasks.size() < 2 || single_consumer(facts) != nullptr)
    return std::nullopt;
  const auto together = share_of_capacity(facts, facts.tasks_bytes);
  if (together.value_or(0) <= kTogetherShare) return std::nullopt;
  const double top = share_of_capacity(facts, facts.tasks[0].bytes).value_or(0);
  Finding found;
  found.weight = weight_of(std::min(*together, 1.0)) - (facts.capacity_guessed ? 15 : 5);
  found.confidence = facts.capacity_guessed ? Confidence::kLow
                     : top < kNobodyShare   ? Confidence::kHigh
                                            : Confidence::kMedium;
  const Holder* const name = large_name(facts);
  found.summary =
      name != nullptr
          ? fmt::format("{} together used up the host's memory: {} of {}.", holder_text(*name),
                        percent(*share_of_capacity(facts, name->bytes)), facts.capacity_name)
          : fmt::format("Many tasks together used up the host's memory; the largest, {}, held {}.",
                        holder_text(facts.tasks[0]), percent(top));
  found.evidence = {tasks_sentence(facts)};
  if (!facts.names.empty())
    found.evidence.push_back(fmt::format("{} together held {}.", holder_text(facts.names[0]),
                                         held_text(facts, facts.names[0].bytes)));
  found.advice = {
      "Fewer or smaller processes, or more memory: what runs here needs more than the "
      "host has.",
      "Bound each service with a memory limit (MemoryHigh=, MemoryMax=), so that the "
      "one that grows is the one that is held back."};
  return found;
}

Opt<Finding> host_hog_protected(const Facts& facts) {
  const Incident& incident = *facts.incident;
  const bool weighed =
      !incident.scope.sysrq.value_or(false) && !incident.scope.kill_allocating_task.value_or(false);
  if (!weighed || incident.killer != "kernel" || facts.victim == nullptr || facts.tasks.size() < 2)
    return std::nullopt;
  const Holder* const hog = choice_without_adj(facts);
  if (hog == nullptr || is_victim(facts, *hog) || hog->adj.value_or(0) >= 0) return std::nullopt;
  if (share_of_capacity(facts, hog->bytes).value_or(1) < kProtectedShare) return std::nullopt;
  const Holder* const chosen = chosen_holder(facts);
  const std::uint64_t victim =
      chosen != nullptr ? chosen->weighed_bytes : facts.victim_bytes.value_or(0);
  if (static_cast<double>(hog->weighed_bytes) < kProtectedTimesVictim * static_cast<double>(victim))
    return std::nullopt;
  Finding found;
  const double part = share_of_capacity(facts, hog->bytes).value_or(0);
  // Under a limit the limit leads; on a host the protection explains who died.
  found.weight = is_host_shortage(facts) ? std::min(weight_of(std::min(part, 1.0)) + 8, 87) : 30;
  found.confidence = facts.capacity ? Confidence::kHigh : Confidence::kMedium;
  found.summary = fmt::format(
      "{} held the memory, but its oom_score_adj of {} protects it, so "
      "{} died in its place.",
      holder_text(*hog), *hog->adj, task_text(*facts.victim));
  found.evidence = {fmt::format("{} held {}; its oom_score_adj is {}.", holder_text(*hog),
                                held_text(facts, hog->bytes), *hog->adj),
                    counterfactual(facts)};
  found.advice = {lower_protection(*hog), find_growth(safe_name(hog->comm))};
  return found;
}

Opt<Finding> fork_storm(const Facts& facts) {
  const auto& names = facts.incident->candidates.by_name;
  const auto most =
      std::max_element(names.begin(), names.end(),
                       [](const NameTotal& a, const NameTotal& b) { return a.count < b.count; });
  const auto& listed = facts.incident->candidates.listed;
  if (most == names.end() || !listed || most->count < kStormTasks) return std::nullopt;
  if (static_cast<double>(most->count) < kStormOfTasks * static_cast<double>(*listed))
    return std::nullopt;
  const auto held = std::find_if(facts.names.begin(), facts.names.end(),
                                 [&](const Holder& h) { return h.comm == most->comm; });
  if (held == facts.names.end()) return std::nullopt;
  const double part = share_of_capacity(facts, held->bytes).value_or(0);
  if (facts.capacity && part / static_cast<double>(most->count) > kStormEach) return std::nullopt;
  Finding found;
  found.weight = facts.capacity_guessed ? 40 : weight_of(std::min(part, 1.0)) - 8;
  found.confidence = Confidence::kMedium;
  found.summary = fmt::format("{} of {} tasks are named {}: something keeps making processes.",
                              thousands(most->count), thousands(*listed), safe_name(most->comm));
  found.evidence = {
      fmt::format("{} of the {} tasks listed are named {}; together they held {}, "
                  "{} each.",
                  thousands(most->count), thousands(*listed), safe_name(most->comm),
                  held_text(facts, held->bytes), human_size(held->bytes / most->count))};
  if (facts.host.kernel_stacks && facts.host.page_tables)
    found.evidence.push_back(fmt::format("Kernel stacks took {}, page tables {}.",
                                         human_size(*facts.host.kernel_stacks),
                                         human_size(*facts.host.page_tables)));
  found.advice = {
      "Limit the number of processes (TasksMax= of the unit, pids.max of the cgroup, "
      "--pids-limit), and look at who starts them and why they do not end."};
  return found;
}

Opt<Finding> swap_full(const Facts& facts) {
  if (auto of_cgroup = cgroup_swap_full(facts)) return of_cgroup;
  if (auto hint = swap_looks_full(facts)) return hint;
  if (!facts.swap_total || *facts.swap_total == 0 || !facts.swap_free) return std::nullopt;
  if (share(facts.swap_free, facts.swap_total).value_or(1) >= kSwapFull) return std::nullopt;
  return Finding{20,
                 Confidence::kHigh,
                 "Swap was full.",
                 {swap_sentence(facts)},
                 {"More swap only delays it: size RAM for what runs here, or bound what grows."}};
}

}  // namespace oomwitness
