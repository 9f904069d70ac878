// SPDX-License-Identifier: BSD-2-Clause
// The limit of a memory cgroup was hit: whose, and by what.
#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "diagnose/advice.h"
#include "diagnose/rules.h"
#include "diagnose/thresholds.h"
#include "diagnose/words.h"
#include "support/text.h"

namespace oomwitness {
namespace {

using namespace thresholds;

std::string usage_sentence(const Facts& facts) {
  if (!facts.limit_bytes) return "";
  std::string out =
      fmt::format("The limit of {} is {}{}", limit_name(facts), human_size(*facts.limit_bytes),
                  facts.memsw ? " of memory and swap" : "");
  if (facts.limit_usage)
    out += fmt::format("; {} of it were in use", human_size(*facts.limit_usage));
  if (facts.limit->failcnt)
    out += fmt::format("; it has been met {} times", thousands(*facts.limit->failcnt));
  return out + ".";
}

std::string together_sentence(const Facts& facts) {
  if (!facts.tasks_bytes) return "";
  const auto& candidates = facts.incident->candidates;
  const std::uint64_t count =
      candidates.considered.value_or(candidates.listed.value_or(facts.tasks.size()));
  return fmt::format("All {} tasks together held {}.", thousands(count),
                     held_text(facts, facts.tasks_bytes));
}

bool is_own_limit(const Facts& facts) {
  return is_limit_hit(facts) && facts.limit_of == LimitOf::kOwn;
}

bool has_frame(const Incident& incident, std::string_view function) {
  const auto& stack = incident.invoker.kernel_stack;
  return std::any_of(stack.begin(), stack.end(), [&](const KernelFrame& frame) {
    const std::string_view symbol = frame.symbol;
    const std::size_t at = symbol.find(function);
    if (at == std::string_view::npos) return false;
    const std::string_view rest = symbol.substr(at + function.size());
    const bool begins = at == 0 || symbol[at - 1] == ' ';
    return begins && (rest.empty() || rest[0] == '+' || rest[0] == '.' || rest[0] == ' ');
  });
}

// The signs of a limit that is smaller than what has to be there, one sentence each.
std::vector<std::string> too_small_signs(const Facts& facts) {
  std::vector<std::string> signs;
  const std::uint64_t limit = *facts.limit_bytes;
  const Uses& uses = facts.cgroup;
  if (limit < kTinyLimit)
    signs.push_back(
        fmt::format("The limit is {}: less than any program needs to start.", human_size(limit)));
  const auto victim = share_of_capacity(facts, facts.victim_bytes);
  if (victim.value_or(0) > kOverLimitShare)
    signs.push_back(
        fmt::format("{} alone maps {}, more than the limit: some of it is charged to "
                    "other cgroups.",
                    task_text(*facts.victim), human_size(*facts.victim_bytes)));
  const auto kernel = share(uses.kernel, limit);
  const auto anon = share(uses.anon, limit);
  if (kernel.value_or(0) > kKernelOfLimit && anon && *anon < kLittleAnon)
    signs.push_back(
        fmt::format("The kernel's own memory (page tables, slab, stacks) takes {}; "
                    "anonymous memory only {}.",
                    of_limit_text(facts, *uses.kernel), human_size(*uses.anon)));
  const auto dirty = share(uses.dirty, limit);
  const auto writeback = share(uses.writeback, limit);
  if (dirty.value_or(0) > kDirtyOfLimit && writeback && *writeback <= kNoWriteback)
    signs.push_back(fmt::format("{} of page cache is dirty and nothing is being written back.",
                                of_limit_text(facts, *uses.dirty)));
  const auto file = share(uses.file, limit);
  if (victim && *victim < kSmallVictim && file.value_or(0) > kCacheOfLimit)
    signs.push_back(fmt::format("{} held only {} of it, page cache {}.", task_text(*facts.victim),
                                percent(*victim), percent(*file)));
  return signs;
}

// Who to name where one stands out: the only task of a small group too.
const Holder* only_task(const Facts& facts) {
  if (!facts.tasks_whole || facts.tasks.size() != 1) return nullptr;
  const auto part = share_of_capacity(facts, facts.tasks[0].bytes);
  return part && *part >= kOnlyTaskShare ? facts.tasks.data() : nullptr;
}

}  // namespace

bool is_limit_hit(const Facts& facts) {
  return facts.shortage == Shortage::kCgroup && facts.incident->killer == "kernel";
}

const Holder* single_consumer(const Facts& facts) {
  if (facts.tasks.empty() || !facts.capacity) return nullptr;
  const Holder& top = facts.tasks[0];
  const double part = share_of_capacity(facts, top.bytes).value_or(0);
  if (part >= kSingleShare) return &top;
  const double next =
      facts.tasks.size() > 1 ? share_of_capacity(facts, facts.tasks[1].bytes).value_or(0) : 0;
  // Without the rest of the table nobody knows who comes next.
  const bool ahead =
      facts.tasks.size() > 1 && part >= kLeaderShare && part >= kLeaderTimesNext * next;
  return ahead ? &top : nullptr;
}

Opt<Finding> own_limit_single_consumer(const Facts& facts) {
  if (!is_own_limit(facts) || !facts.limit_bytes) return std::nullopt;
  const Holder* consumer = single_consumer(facts);
  if (consumer == nullptr) consumer = only_task(facts);
  bool between = false;
  if (consumer == nullptr && facts.tasks.size() > 1) {
    between = share_of_capacity(facts, facts.tasks[0].bytes).value_or(0) >= kNobodyShare;
    if (between) consumer = facts.tasks.data();
  }
  if (consumer == nullptr) return std::nullopt;
  Finding found;
  const double part = share_of_capacity(facts, consumer->bytes).value_or(0);
  found.weight = weight_of(std::min(part, 1.0)) - (between ? 6 : 0);
  found.confidence = between                                       ? Confidence::kLow
                     : facts.tasks.size() > 1 || facts.tasks_whole ? Confidence::kHigh
                                                                   : Confidence::kMedium;
  found.summary = fmt::format("{} filled the memory limit of {} ({}): one consumer held {} of it.",
                              holder_text(*consumer), limit_name(facts),
                              human_size(*facts.limit_bytes), percent(part));
  found.evidence = {usage_sentence(facts)};
  if (!is_victim(facts, *consumer))
    found.evidence.push_back(
        fmt::format("{} held {}.", holder_text(*consumer), held_text(facts, consumer->bytes)));
  found.advice = {find_growth(safe_name(consumer->comm)), raise_limit(facts)};
  return found;
}

Opt<Finding> own_limit_many_consumers(const Facts& facts) {
  if (!is_own_limit(facts) || !facts.limit_bytes || facts.tasks.size() < 2) return std::nullopt;
  if (single_consumer(facts) != nullptr) return std::nullopt;
  const auto together = share_of_capacity(facts, facts.tasks_bytes);
  if (together.value_or(0) <= kTogetherShare) return std::nullopt;
  const double top = share_of_capacity(facts, facts.tasks[0].bytes).value_or(0);
  Finding found;
  found.weight = weight_of(std::min(*together, 1.0)) - 5;
  found.confidence = top < kNobodyShare ? Confidence::kHigh : Confidence::kMedium;
  found.summary = fmt::format(
      "Many tasks together filled the memory limit of {} ({}); the largest "
      "held {} of it.",
      limit_name(facts), human_size(*facts.limit_bytes), percent(top));
  found.evidence = {usage_sentence(facts), together_sentence(facts)};
  if (!facts.names.empty())
    found.evidence.push_back(fmt::format("{} together held {}.", holder_text(facts.names[0]),
                                         held_text(facts, facts.names[0].bytes)));
  found.advice = {"Fewer workers or smaller ones: the limit has to hold all of them at their peak.",
                  raise_limit(facts)};
  return found;
}

Opt<Finding> own_limit_below_working_set(const Facts& facts) {
  if (!is_limit_hit(facts) || !facts.limit_bytes || facts.limit_of == LimitOf::kAncestor)
    return std::nullopt;
  auto signs = too_small_signs(facts);
  if (signs.empty()) return std::nullopt;
  Finding found;
  const bool tiny = *facts.limit_bytes < kTinyLimit;
  found.weight = tiny ? 92 : 68;
  found.confidence = tiny ? Confidence::kHigh : Confidence::kMedium;
  found.summary = fmt::format("The memory limit of {} ({}) is below what has to be resident there.",
                              limit_name(facts), human_size(*facts.limit_bytes));
  found.evidence = std::move(signs);
  found.evidence.push_back(usage_sentence(facts));
  found.advice = {raise_limit(facts), look_at_cgroup_stat(facts)};
  return found;
}

Opt<Finding> own_limit_lowered(const Facts& facts) {
  if (!is_limit_hit(facts)) return std::nullopt;
  const Incident& incident = *facts.incident;
  const bool writing = has_frame(incident, "memory_max_write") ||
                       has_frame(incident, "mem_cgroup_resize_max") ||
                       has_frame(incident, "mem_cgroup_resize_limit");
  std::uint64_t over = 0;
  bool above = false;
  if (facts.limit_bytes && facts.limit_usage) {
    const std::uint64_t page =
        incident.host.page_size_bytes != 0 ? incident.host.page_size_bytes : 4 * kKib;
    over = minus(*facts.limit_usage, *facts.limit_bytes);
    const auto overflow =
        static_cast<std::uint64_t>(kOverflow * static_cast<double>(*facts.limit_bytes));
    above = over > std::max(overflow, times(kChargeBatchPages, page));
  }
  if (!writing && !above) return std::nullopt;
  Finding found;
  found.weight = writing ? 94 : 90;
  found.confidence = writing ? Confidence::kHigh : Confidence::kMedium;
  found.summary =
      fmt::format("The memory limit of {} was set below what was in use.", limit_name(facts));
  if (above)
    found.evidence.push_back(fmt::format(
        "{} were in use, {} above the limit of {}: charging stops at the limit, so it was lowered "
        "under the usage.",
        human_size(*facts.limit_usage), human_size(over), human_size(*facts.limit_bytes)));
  if (writing)
    found.evidence.emplace_back(
        "The kernel stack shows that the limit was being written: the kill "
        "was part of that write.");
  found.advice = {
      "Look for who changed the limit (systemctl set-property, a vertical autoscaler, "
      "docker update) at that time.",
      "Lower a limit in steps: memory.high first, then memory.max when usage is below."};
  return found;
}

Opt<Finding> ancestor_limit(const Facts& facts) {
  if (!is_limit_hit(facts) || facts.limit_of != LimitOf::kAncestor) return std::nullopt;
  Finding found;
  found.weight = 88;
  found.confidence = Confidence::kHigh;
  found.summary =
      fmt::format("A limit above the victim's cgroup was hit: that of {}{}.", limit_name(facts),
                  facts.limit_bytes ? " (" + human_size(*facts.limit_bytes) + ")" : "");
  found.evidence = {
      fmt::format("{} lived in {}, the limit is of {}, which holds other cgroups too.",
                  task_text(*facts.victim), safe_name(*facts.victim->cgroup), limit_name(facts)),
      usage_sentence(facts)};
  if (const Holder* single = single_consumer(facts))
    found.evidence.push_back(fmt::format("One consumer stands out below it: {} held {}.",
                                         holder_text(*single), held_text(facts, single->bytes)));
  else if (!together_sentence(facts).empty())
    found.evidence.push_back(together_sentence(facts));
  found.advice = {fmt::format("Share {} out: give each cgroup below it a limit of its own, so that "
                              "who grows is who dies.",
                              limit_name(facts)),
                  raise_limit(facts)};
  return found;
}

}  // namespace oomwitness
