// SPDX-License-Identifier: BSD-2-Clause
// Who held the memory, by task and by name; and what a kill line's score says of it.
#include <algorithm>
#include <limits>

#include "diagnose/facts.h"
#include "diagnose/thresholds.h"

namespace oomwitness {
namespace {

// oom_badness gives LONG_MIN to a task that may not be killed (mm/oom_kill.c).
constexpr std::int64_t kUnkillable = std::numeric_limits<std::int64_t>::min();
constexpr std::int32_t kAdjMin = -1000;
constexpr std::int32_t kAdjMax = 1000;
// Far beyond any machine; more can only be a broken record.
constexpr std::int64_t kMostPages = std::int64_t{1} << 48;

Opt<std::uint64_t> resident(const Memory& memory) {
  const auto parts =
      plus(plus(memory.anon_rss_bytes, memory.file_rss_bytes), memory.shmem_rss_bytes);
  return parts ? parts : memory.rss_bytes;
}

Opt<std::uint64_t> weighed(const Memory& memory) {
  const auto rss = resident(memory);
  if (!rss) return std::nullopt;
  return plus(plus(*rss, memory.swap_bytes.value_or(0)), memory.pgtables_bytes.value_or(0));
}

Opt<std::uint64_t> of_limit(const Memory& memory, bool with_swap) {
  const bool told_apart = memory.anon_rss_bytes.has_value();
  const auto rss =
      told_apart ? plus(memory.anon_rss_bytes, memory.shmem_rss_bytes) : resident(memory);
  return with_swap && rss ? plus(*rss, memory.swap_bytes.value_or(0)) : rss;
}

Opt<std::uint64_t> held(const Facts& facts, const Memory& memory) {
  return facts.shortage == Shortage::kCgroup ? of_limit(memory, facts.memsw) : weighed(memory);
}

// The memory in a candidate's points, where the record has only those: points are pages of memory +
// oom_score_adj x (total_pages / 1000), with the division first.
Opt<std::uint64_t> from_points(const Incident& incident, const Candidate& candidate) {
  const std::uint64_t page = incident.host.page_size_bytes;
  const auto& total = incident.candidates.total_pages;
  if (page == 0 || !candidate.points || !candidate.oom_score_adj) return std::nullopt;
  const std::int32_t adj = *candidate.oom_score_adj;
  if (adj < kAdjMin || adj > kAdjMax) return std::nullopt;
  if (adj != 0 && (!total || *total > static_cast<std::uint64_t>(kMostPages))) return std::nullopt;
  if (*candidate.points < -kMostPages || *candidate.points > kMostPages) return std::nullopt;
  const std::int64_t part = adj == 0 ? 0 : static_cast<std::int64_t>(*total / 1000) * adj;
  const std::int64_t pages = *candidate.points - part;
  if (pages < 0) return std::nullopt;
  return times(static_cast<std::uint64_t>(pages), page);
}

bool more(const Holder& a, const Holder& b) {
  return a.bytes != b.bytes ? a.bytes > b.bytes : a.pid.value_or(0) < b.pid.value_or(0);
}

void add_candidates(Facts& facts) {
  for (const Candidate& candidate : facts.incident->candidates.top) {
    Holder holder{.comm = candidate.comm, .pid = candidate.pid};
    const auto points = from_points(*facts.incident, candidate);
    const auto bytes = held(facts, candidate.memory);
    if (!bytes && !points) continue;
    holder.bytes = bytes ? *bytes : *points;
    holder.weighed_bytes = points ? *points : weighed(candidate.memory).value_or(holder.bytes);
    holder.shmem_bytes = candidate.memory.shmem_rss_bytes.value_or(0);
    holder.adj = candidate.oom_score_adj;
    holder.unkillable = candidate.points == kUnkillable || candidate.oom_score_adj == kAdjMin;
    facts.tasks.push_back(std::move(holder));
  }
}

// Without a table the kill line is all there is.
void add_victims(Facts& facts) {
  for (const Victim& victim : facts.incident->victims) {
    const auto bytes = held(facts, victim.memory);
    if (!bytes || !victim.pid) continue;
    facts.tasks.push_back({.comm = victim.comm.value_or(""),
                           .pid = victim.pid,
                           .bytes = *bytes,
                           .weighed_bytes = weighed(victim.memory).value_or(*bytes),
                           .shmem_bytes = victim.memory.shmem_rss_bytes.value_or(0),
                           .adj = victim.oom_score_adj});
  }
}

void add_names(Facts& facts) {
  for (const NameTotal& total : facts.incident->candidates.by_name) {
    const auto bytes = held(facts, total.memory);
    if (!bytes || total.count < 2) continue;
    facts.names.push_back({.comm = total.comm,
                           .pid = {},
                           .tasks = total.count,
                           .bytes = *bytes,
                           .weighed_bytes = weighed(total.memory).value_or(*bytes),
                           .shmem_bytes = total.memory.shmem_rss_bytes.value_or(0)});
  }
  if (!facts.names.empty() || !facts.tasks_whole) return;
  for (const Holder& task : facts.tasks) {
    const auto same = std::find_if(facts.names.begin(), facts.names.end(),
                                   [&](const Holder& h) { return h.comm == task.comm; });
    Holder& sum = same == facts.names.end()
                      ? facts.names.emplace_back(Holder{.comm = task.comm, .tasks = 0})
                      : *same;
    ++sum.tasks;
    sum.bytes = plus(sum.bytes, task.bytes);
    sum.weighed_bytes = plus(sum.weighed_bytes, task.weighed_bytes);
    sum.shmem_bytes = plus(sum.shmem_bytes, task.shmem_bytes);
  }
  std::erase_if(facts.names, [](const Holder& name) { return name.tasks < 2; });
}

bool is_whole(const Facts& facts) {
  const Candidates& all = facts.incident->candidates;
  const std::uint64_t rows = facts.tasks.size();
  if (rows == 0 || rows < all.top.size()) return false;
  if (all.considered) return *all.considered <= rows;
  return all.listed && *all.listed <= rows;
}

void find_victim_bytes(Facts& facts) {
  if (facts.victim == nullptr) return;
  facts.victim_bytes = held(facts, facts.victim->memory);
  if (!facts.victim->pid) return;
  // A table's row has the swap that the kill line leaves out.
  for (const Holder& task : facts.tasks)
    if (task.pid == facts.victim->pid)
      facts.victim_bytes = std::max(facts.victim_bytes.value_or(0), task.bytes);
}

// Before 4.17 tasks of root had 3 % of their points off, and a fixed 30 of 1000 before 3.14
// (d46078b28889, 778c14affaf9).
double with_root_discount(const Incident& incident, double share) {
  if (!kernel_at_least(incident, 3, 14).value_or(false)) return share + 0.03;
  return share / 0.97;
}

// Red Hat's 2.6.32 has the badness of 2.6.36.
Opt<bool> prints_share(const Incident& incident) {
  const std::string& kernel = incident.host.kernel;
  if (kernel.find(".el6") != std::string::npos) return true;
  if (kernel.starts_with("2.6.")) {
    unsigned patch = 0;
    for (std::size_t i = 4; i < kernel.size() && kernel[i] >= '0' && kernel[i] <= '9'; ++i)
      if (patch < 1000) patch = patch * 10 + static_cast<unsigned>(kernel[i] - '0');
    return patch >= 36;
  }
  const auto old = kernel_at_least(incident, 3, 0);
  if (old) return *old;
  // oom_score_adj came with that badness (a63d83f427fb).
  if (incident.invoker.oom_score_adj) return true;
  return std::nullopt;
}

Opt<std::int32_t> chosen_adj(const Facts& facts) {
  if (const Holder* chosen = chosen_holder(facts); chosen != nullptr && chosen->adj)
    return chosen->adj;
  if (facts.victim != nullptr && facts.victim->pid == chosen_pid(*facts.incident))
    return facts.victim->oom_score_adj;
  return std::nullopt;
}

}  // namespace

Opt<std::uint32_t> chosen_pid(const Incident& incident) {
  if (incident.selected) return incident.selected->pid;
  for (const Victim& victim : incident.victims)
    if (victim.role == Role::kChosen) return victim.pid;
  return incident.victims.empty() ? std::nullopt : incident.victims.front().pid;
}

const Holder* chosen_holder(const Facts& facts) {
  const auto pid = chosen_pid(*facts.incident);
  if (!pid) return nullptr;
  const auto found = std::find_if(facts.tasks.begin(), facts.tasks.end(),
                                  [&](const Holder& holder) { return holder.pid == pid; });
  return found == facts.tasks.end() ? nullptr : &*found;
}

bool is_victim(const Facts& facts, const Holder& holder) {
  const auto& victims = facts.incident->victims;
  return std::any_of(victims.begin(), victims.end(), [&](const Victim& victim) {
    return victim.pid && victim.pid == holder.pid && victim.role != Role::kAlreadyExiting;
  });
}

const Holder* choice_without_adj(const Facts& facts) {
  const Holder* best = nullptr;
  for (const Holder& task : facts.tasks) {
    // Init is never chosen, nor is a task that is unkillable for another reason than its setting.
    if (task.pid == 1U || (task.unkillable && task.adj != kAdjMin)) continue;
    if (best == nullptr || task.weighed_bytes > best->weighed_bytes) best = &task;
  }
  return best;
}

void find_holders(Facts& facts) {
  add_candidates(facts);
  if (facts.tasks.empty())
    add_victims(facts);
  else
    facts.tasks_whole = is_whole(facts);
  std::stable_sort(facts.tasks.begin(), facts.tasks.end(), more);
  add_names(facts);
  std::stable_sort(facts.names.begin(), facts.names.end(), more);
  if (facts.incident->candidates.listed_memory)
    facts.tasks_bytes = held(facts, *facts.incident->candidates.listed_memory);
  if (!facts.tasks_bytes && facts.tasks_whole) {
    facts.tasks_bytes = 0;
    for (const Holder& task : facts.tasks) facts.tasks_bytes = plus(*facts.tasks_bytes, task.bytes);
  }
  find_victim_bytes(facts);
  if (!facts.capacity && facts.tasks.size() > 1 &&
      facts.tasks_bytes.value_or(0) >= thresholds::kGuessedFrom) {
    facts.capacity = facts.tasks_bytes;
    facts.capacity_name = "what all listed tasks held together";
    facts.capacity_guessed = true;
  }
}

void find_score(Facts& facts) {
  const Incident& incident = *facts.incident;
  Opt<std::int64_t> score;
  if (incident.selected) score = incident.selected->score;
  if (!score && facts.victim != nullptr && facts.victim->role != Role::kChild)
    score = facts.victim->score;
  const auto known = prints_share(incident);
  constexpr std::int64_t kMost = 2000;
  if (!score || *score < 0 || *score > kMost || known == false) return;
  ScoreShare said{.score = *score, .era_assumed = !known};
  const auto adj = chosen_adj(facts);
  said.adj_assumed = !adj;
  const std::int64_t of_memory = *score - adj.value_or(0);
  if (!adj && *score > 1000) {
    // Only a positive adjustment gives more than 1000, and it is at most that.
    said.least = static_cast<double>(*score - 1000) / 1000;
    facts.score = said;
    return;
  }
  if (of_memory < 0) return;
  said.least = static_cast<double>(of_memory) / 1000;
  said.most = static_cast<double>(of_memory + 1) / 1000;
  const bool new_kernel = kernel_at_least(incident, 4, 17).value_or(false);
  Opt<std::uint32_t> uid;
  if (facts.victim != nullptr && facts.victim->pid == chosen_pid(incident)) uid = facts.victim->uid;
  if (!new_kernel && uid.value_or(0) == 0) {
    if (uid) said.least = with_root_discount(incident, said.least);
    said.most = with_root_discount(incident, *said.most);
    said.root_allowed = true;
  }
  facts.score = said;
}

}  // namespace oomwitness
