// SPDX-License-Identifier: BSD-2-Clause
#include "diagnose/advice.h"

#include <algorithm>

#include <fmt/format.h>

#include "diagnose/words.h"
#include "support/text.h"

namespace oomwitness {
namespace {

// The last component, if systemd made the cgroup: "db.service" of "/system.slice/db.service".
std::string_view unit_of(std::string_view path) {
  const std::string_view last = path.substr(path.rfind('/') + 1);
  for (const std::string_view suffix : {".service", ".slice", ".scope"})
    if (last.size() > suffix.size() && last.ends_with(suffix)) return last;
  return {};
}

// A name that goes into a command to paste: anything a shell might act on keeps it out.
std::string command_word(std::string_view name, const char* placeholder) {
  const bool harmless =
      !name.empty() && name.front() != '-' && std::all_of(name.begin(), name.end(), [](char c) {
        const bool word =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        return word || c == '_' || c == '-' || c == '.' || c == '@' || c == ':';
      });
  return harmless ? std::string(name) : placeholder;
}

bool is_kubernetes(std::string_view path) {
  return path.find("kubepods") != std::string_view::npos;
}

// The victim's container is the limit's only if they are the same cgroup.
const Victim* owner_of_limit(const Facts& facts) {
  return facts.limit_of == LimitOf::kOwn ? facts.victim : nullptr;
}

const char* limit_file(const Facts& facts) {
  if (facts.memsw) return "memory.memsw.limit_in_bytes";
  return facts.limit->swap_is_memsw ? "memory.limit_in_bytes" : "memory.max";
}

std::string kubernetes_limit(const Facts& facts) {
  const Victim* const owner = owner_of_limit(facts);
  if (owner != nullptr && owner->pod && !owner->pod->name.empty()) {
    const Pod& pod = *owner->pod;
    return fmt::format(
        "Raise resources.limits.memory of container {} of pod {}{}, if its need is "
        "real.",
        pod.container.empty() ? "(see the record)" : safe_name(pod.container),
        pod.ns.empty() ? "" : safe_name(pod.ns) + "/", safe_name(pod.name));
  }
  if (facts.limit_of == LimitOf::kAncestor)
    return "The limit is of the pod or of a level above it: look at resources.limits.memory of all "
           "its containers, at its memory-backed emptyDir volumes and at the kubelet's reserved "
           "memory.";
  return "Raise resources.limits.memory of the container, if its need is real; `kubectl describe "
         "pod` shows it as OOMKilled.";
}

}  // namespace

std::string raise_limit(const Facts& facts) {
  if (facts.limit == nullptr) return "";
  const std::string_view path = facts.limit->path;
  if (is_kubernetes(path)) return kubernetes_limit(facts);
  const Victim* const owner = owner_of_limit(facts);
  const bool docker = path.find("/docker") != std::string_view::npos;
  if (owner != nullptr && owner->container && !owner->container->name.empty() &&
      (owner->container->runtime == "docker" || owner->container->runtime == "podman"))
    return fmt::format(
        "Raise the container's limit, if its need is real: `{} update --memory SIZE "
        "{}`.",
        owner->container->runtime, command_word(owner->container->name, "NAME"));
  if (docker)
    return "Raise the container's limit, if its need is real: `docker update --memory SIZE NAME`, "
           "or mem_limit in its compose file.";
  if (const std::string_view unit = unit_of(path); !unit.empty())
    return fmt::format(
        "Raise MemoryMax= of {}, if its need is real: `systemctl set-property {} "
        "MemoryMax=SIZE`.",
        safe_name(unit), command_word(unit, "UNIT"));
  if (path.empty() || path == "/") return "Raise the limit of the cgroup, if the need is real.";
  return fmt::format("Raise {} of cgroup {}, if its need is real.", limit_file(facts),
                     safe_name(path));
}

std::string bound_task(const Facts& facts, const Holder& holder) {
  const Victim* const victim = facts.victim;
  if (victim != nullptr && holder.pid && victim->pid == holder.pid) {
    if (victim->pod && !victim->pod->name.empty())
      return fmt::format(
          "Give pod {} a resources.limits.memory, so that it cannot take the node "
          "with it.",
          safe_name(victim->pod->name));
    if (victim->unit && !victim->unit->empty())
      return fmt::format(
          "Bound it, so that it cannot take the host with it: `systemctl "
          "set-property {} MemoryHigh=SIZE MemoryMax=SIZE`.",
          command_word(*victim->unit, "UNIT"));
  }
  return fmt::format(
      "Run {} under a memory limit (MemoryMax= of its unit, resources.limits.memory "
      "of its pod), so that it cannot take the host with it.",
      safe_name(holder.comm));
}

std::string lower_protection(const Holder& holder) {
  return fmt::format(
      "Raise the oom_score_adj of {} (OOMScoreAdjust= of its unit), or bound its "
      "memory: protected and unbounded, it kills others in its place.",
      holder_text(holder));
}

std::string find_growth(const std::string& who) {
  return fmt::format(
      "Find out whether {} leaks or needs that much: watch its memory over time, and "
      "its own limits (heap, caches, workers).",
      who);
}

std::string look_at_cgroup_stat(const Facts& facts) {
  const std::string path = facts.limit != nullptr && facts.limit->path.starts_with('/')
                               ? safe_name(facts.limit->path)
                               : "/PATH";
  return fmt::format("See what fills the cgroup: memory.stat of {} below /sys/fs/cgroup.", path);
}

}  // namespace oomwitness
