// SPDX-License-Identifier: BSD-2-Clause
#include "capture/hook_plan.h"

#include <algorithm>
#include <utility>

namespace oomwitness {
namespace {

bool is_on_whole_badness(std::string_view way) {
  return way == "fexit" || way == "kretprobe";
}

// A probe that attaches and then sees nothing is worse than none: ways that the facts rule out
// are never offered.
bool possible(const HookRow& row, const Way& way, const KernelFacts& facts) {
  const bool needs_btf =
      way.name.ends_with("fentry") || way.name == "fexit" || way.name == "tp_btf";
  if (needs_btf && !facts.kernel_btf) return false;
  if (row.hook != Hook::kCandidates) return true;
  const bool split = facts.badness_is_split.value_or(false);
  if (way.name == "kretprobe_part") return split;
  if (is_on_whole_badness(way.name)) return !split;
  return true;
}

// The kind of program behind a way: what the kernel allows or forbids as a whole.
std::string_view kind(std::string_view way) {
  if (way == "fexit" || way.ends_with("fentry")) return "trampoline";
  if (way.find("probe") != std::string_view::npos) return "kprobe";
  return way;
}

std::string way_names(const HookRow& row) {
  std::string names;
  for (const Way& way : row.ways) names.append(way.name).append(", ");
  return names + "none";
}

std::string hook_names() {
  std::string names;
  for (const HookRow& row : hook_table()) {
    if (!names.empty()) names += ", ";
    names += row.name;
  }
  return names;
}

const HookRow* find_row(std::string_view name) {
  for (const HookRow& row : hook_table()) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

}  // namespace

Result<HookPlan> HookPlan::make(const KernelFacts& facts, const std::vector<std::string>& forced) {
  HookPlan plan;
  for (const HookRow& row : hook_table()) {
    State& state = plan.states_[row.hook];
    for (const Way& way : row.ways) {
      if (possible(row, way, facts)) state.ways.push_back(&way);
    }
  }
  for (const std::string& choice : forced) {
    const auto equals = choice.find('=');
    const std::string_view name = std::string_view(choice).substr(0, equals);
    const HookRow* row = find_row(name);
    if (equals == std::string::npos || row == nullptr) {
      return fail("--hook " + choice + ": expected NAME=WAY, NAME one of " + hook_names());
    }
    const std::string_view wanted = std::string_view(choice).substr(equals + 1);
    State& state = plan.states_[row->hook];
    state = State{};  // the last choice for a hook counts
    if (wanted == "none") {
      state.off = true;
      continue;
    }
    const auto* way = std::find_if(row->ways.data(), row->ways.data() + row->ways.size(),
                                   [&](const Way& candidate) { return candidate.name == wanted; });
    if (way == row->ways.data() + row->ways.size()) {
      return fail("--hook " + choice + ": expected " + std::string(row->name) + "= one of " +
                  way_names(*row));
    }
    if (row->hook == Hook::kCandidates && facts.badness_is_split.value_or(false) &&
        is_on_whole_badness(wanted)) {
      return fail("--hook " + choice +
                      " does not work on this kernel: it would attach and see "
                      "nothing, for the compiler split oom_badness",
                  "leave --hook out, or use oom_badness=kretprobe_part");
    }
    state.forced = true;
    state.ways.push_back(way);
  }
  return plan;
}

const Way* HookPlan::current(Hook hook) const {
  const State& state = states_.at(hook);
  return state.at < state.ways.size() ? state.ways[state.at] : nullptr;
}

std::string_view HookPlan::current_name(Hook hook) const {
  const Way* way = current(hook);
  return way == nullptr ? "none" : way->name;
}

bool HookPlan::counts_on_whole_badness() const {
  return is_on_whole_badness(current_name(Hook::kCandidates));
}

bool HookPlan::turned_off(Hook hook) const {
  return states_.at(hook).off;
}

void HookPlan::refuse(Hook hook, std::string reason) {
  State& state = states_.at(hook);
  state.refusals.push_back({current_name(hook), std::move(reason)});
  ++state.at;
}

void HookPlan::refuse_kind(std::string_view way, const std::string& reason) {
  const std::string_view refused = kind(way);
  for (auto& [hook, state] : states_) {
    const auto still_to_come = state.ways.begin() + static_cast<std::ptrdiff_t>(state.at);
    for (auto it = still_to_come; it != state.ways.end();) {
      if (kind((*it)->name) != refused || state.forced) {
        ++it;
        continue;
      }
      state.refusals.push_back({(*it)->name, reason});
      it = state.ways.erase(it);
    }
  }
}

const std::vector<Refusal>& HookPlan::refusals(Hook hook) const {
  return states_.at(hook).refusals;
}

std::optional<Hook> HookPlan::broken_promise() const {
  for (const auto& [hook, state] : states_) {
    if (state.forced && state.at > 0) return hook;
  }
  return std::nullopt;
}

std::optional<Hook> HookPlan::owner(std::string_view program) const {
  for (const auto& [hook, state] : states_) {
    const Way* way = current(hook);
    if (way != nullptr &&
        std::find(way->programs.begin(), way->programs.end(), program) != way->programs.end()) {
      return hook;
    }
  }
  return std::nullopt;
}

std::map<std::string, std::string> HookPlan::summary() const {
  std::map<std::string, std::string> out;
  for (const HookRow& row : hook_table()) {
    out.emplace(row.name, current_name(row.hook));
  }
  return out;
}

std::string HookPlan::reasons() const {
  std::string out;
  for (const HookRow& row : hook_table()) {
    for (const Refusal& refusal : refusals(row.hook)) {
      out.append("\n  ").append(refusal.way).append("/").append(row.name).append(": ");
      out.append(refusal.reason);
    }
  }
  return out;
}

}  // namespace oomwitness
