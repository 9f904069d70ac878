// SPDX-License-Identifier: BSD-2-Clause
#include "kernlog/summary.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

#include "kernlog/scan.h"

namespace oomwitness {

namespace {

using namespace std::string_view_literals;

constexpr std::size_t kMaxCommBytes = 15;  // TASK_COMM_LEN - 1
constexpr auto kMems = ",mems_allowed="sv;
constexpr auto kOomMemcg = ",oom_memcg="sv;
constexpr auto kTaskMemcg = ",task_memcg="sv;
constexpr auto kTask = ",task="sv;
constexpr auto kNodeList = "0123456789,-"sv;

std::string constraint_word(std::string_view text) {
  constexpr std::array kWords = {std::pair{"CONSTRAINT_NONE"sv, "none"sv},
                                 std::pair{"CONSTRAINT_CPUSET"sv, "cpuset"sv},
                                 std::pair{"CONSTRAINT_MEMORY_POLICY"sv, "mempolicy"sv},
                                 std::pair{"CONSTRAINT_MEMCG"sv, "memcg"sv}};
  for (const auto& [kernel, word] : kWords) {
    if (text == kernel) return std::string(word);
  }
  return std::string(text);
}

// Whether what comes after the node lists stands here.
bool at_memcg_part(std::string_view text) {
  return text.starts_with(",global_oom") || text.starts_with(",oom_memcg=/") ||
         text.starts_with(",task_memcg=/") || text.starts_with(kTask);
}

// A node list (%*pbl) off the beginning; its last comma is the separator.
std::string_view cut_node_list(std::string_view& rest) {
  std::string_view list = rest.substr(0, rest.find_first_not_of(kNodeList));
  if (list.ends_with(',')) list.remove_suffix(1);
  rest.remove_prefix(list.size());
  return list;
}

// ",cpuset=S,mems_allowed=M" off the beginning. S is a cgroup's name: "/" for the root, else
// without a '/'. Of several ",mems_allowed=" the last before a path with the right things after it
// is the kernel's.
bool cut_cpuset(std::string_view& rest, Summary& out) {
  Scan scan(rest);
  if (!scan.skip(",cpuset=")) return true;  // some 5.x kernels do not print it here
  const std::string_view named = scan.rest();
  const std::size_t path = named.find('/', named.starts_with('/') ? 1 : 0);
  for (std::size_t at = named.rfind(kMems, path); at != std::string_view::npos;
       at = at == 0 ? std::string_view::npos : named.rfind(kMems, at - 1)) {
    std::string_view after = named.substr(at + kMems.size());
    const std::string_view mems = cut_node_list(after);
    if (!at_memcg_part(after)) continue;
    if (at != 0) out.cpuset = named.substr(0, at);
    if (!mems.empty()) out.mems_allowed = mems;
    rest = after;
    return true;
  }
  return false;
}

struct Tail {
  std::string_view before;  // everything before ",pid="
  Opt<std::uint32_t> pid;
  Opt<std::uint32_t> uid;
  bool has_comm = true;  // and `before` ends with the whole of it
};

Opt<Tail> cut_tail(std::string_view text) {
  const std::size_t uid_at = text.rfind(",uid=");
  if (uid_at == std::string_view::npos) return std::nullopt;
  const auto uid = plain_number<std::uint32_t>(text.substr(uid_at + 5));
  const std::size_t pid_at = text.substr(0, uid_at).rfind(",pid=");
  if (pid_at == std::string_view::npos) return std::nullopt;
  const auto pid = plain_number<std::uint32_t>(text.substr(pid_at + 5, uid_at - pid_at - 5));
  if (!pid || *pid == 0) return std::nullopt;
  return Tail{.before = text.substr(0, pid_at), .pid = *pid, .uid = uid};
}

// The same of a line whose end is missing: what the next key ends is whole, what the end of the
// line ends may not be.
Tail cut_damaged_tail(std::string_view text) {
  const std::size_t task_at = text.rfind(kTask);
  if (task_at == std::string_view::npos) return Tail{.before = {}, .has_comm = false};
  const std::string_view after = text.substr(task_at + kTask.size());
  const std::size_t pid_at = after.rfind(",pid=");
  if (pid_at == std::string_view::npos) return Tail{.before = text, .has_comm = false};
  return Tail{.before = text.substr(0, task_at + kTask.size() + pid_at)};
}

// One way to read "[,oom_memcg=/L][,task_memcg=/V],task=T".
struct Reading {
  std::string_view oom_memcg;
  std::string_view task_memcg;
  std::string_view comm;

  bool nested() const {
    if (oom_memcg.empty() || !task_memcg.starts_with(oom_memcg)) return false;
    return oom_memcg == "/" || task_memcg.size() == oom_memcg.size() ||
           task_memcg[oom_memcg.size()] == '/';
  }
};

std::vector<std::size_t> places(std::string_view text, std::string_view what) {
  std::vector<std::size_t> out;
  for (std::size_t at = text.find(what); at != std::string_view::npos;
       at = text.find(what, at + 1)) {
    out.push_back(at);
  }
  return out;
}

std::vector<Reading> readings(std::string_view text) {
  std::vector<Reading> out;
  const bool limited = text.starts_with(kOomMemcg);
  for (const std::size_t task : places(text, kTask)) {
    const std::string_view comm = text.substr(task + kTask.size());
    if (comm.size() > kMaxCommBytes) continue;
    const std::string_view paths = text.substr(0, task);
    if (paths.empty()) out.push_back({.oom_memcg = {}, .task_memcg = {}, .comm = comm});
    for (const std::size_t memcg : places(paths, ",task_memcg=/")) {
      if (!limited && memcg != 0) break;
      out.push_back({.oom_memcg = limited ? paths.substr(kOomMemcg.size(), memcg - kOomMemcg.size())
                                          : std::string_view{},
                     .task_memcg = paths.substr(memcg + kTaskMemcg.size()),
                     .comm = comm});
    }
  }
  return out;
}

// Keeps those that hold, unless none does: then the condition says nothing.
template <typename Condition>
void prefer(std::vector<Reading>& all, Condition holds) {
  if (std::none_of(all.begin(), all.end(), holds)) return;
  all.erase(std::remove_if(all.begin(), all.end(), std::not_fn(holds)), all.end());
}

Opt<std::string> agreed(const std::vector<Reading>& all, std::string_view Reading::*field) {
  if (all.empty() || (all.front().*field).empty()) return std::nullopt;
  for (const Reading& one : all) {
    if (one.*field != all.front().*field) return std::nullopt;
  }
  return std::string(all.front().*field);
}

void read_memcg_part(std::string_view text, const SummaryContext& context, Summary& out) {
  Scan scan(text);
  scan.skip(",global_oom");
  std::vector<Reading> all = readings(scan.rest());
  if (context.oom_memcg) {
    prefer(all, [&](const Reading& one) { return one.oom_memcg == *context.oom_memcg; });
  }
  if (context.victim_comm && context.victim_pid == out.pid) {
    prefer(all, [&](const Reading& one) { return one.comm == *context.victim_comm; });
  }
  // The victim lives below the limit that was hit.
  prefer(all, [](const Reading& one) { return one.nested(); });
  out.oom_memcg = agreed(all, &Reading::oom_memcg);
  out.task_memcg = agreed(all, &Reading::task_memcg);
  out.comm = agreed(all, &Reading::comm);
}

// ",oom_memcg=/L,task_memcg=/V" whose end is missing: only L is whole.
void read_cut_memcg_part(std::string_view rest, const SummaryContext& context, Summary& out) {
  if (!rest.starts_with(kOomMemcg)) return;
  rest.remove_prefix(kOomMemcg.size());
  const std::size_t end = rest.find(",task_memcg=/");
  if (end == std::string_view::npos ||
      rest.find(",task_memcg=/", end + 1) != std::string_view::npos)
    return;
  const std::string path(rest.substr(0, end));
  if (!context.oom_memcg || context.oom_memcg == path) out.oom_memcg = path;
}

}  // namespace

Opt<std::uint32_t> summary_pid(std::string_view text) {
  const auto tail = cut_tail(text);
  return tail ? tail->pid : std::nullopt;
}

Summary parse_summary_line(std::string_view text, const SummaryContext& context) {
  Summary out;
  const auto whole = cut_tail(text);
  const Tail tail = whole ? *whole : cut_damaged_tail(text);
  out.pid = tail.pid;
  out.uid = tail.uid;
  out.whole = whole && out.uid;
  Scan scan(text);
  if (!scan.skip("oom-kill:constraint=")) return out;
  const std::size_t comma = scan.rest().find(",nodemask=");
  if (comma == std::string_view::npos) return out;
  out.constraint = constraint_word(scan.rest().substr(0, comma));
  std::string_view rest = scan.rest().substr(comma + ",nodemask="sv.size());
  const bool no_mask = rest.starts_with("(null)");
  if (no_mask) rest.remove_prefix("(null)"sv.size());
  const std::string_view nodes = no_mask ? std::string_view{} : cut_node_list(rest);
  if (!rest.starts_with(",cpuset=") && !at_memcg_part(rest)) return out;  // cut: more nodes?
  if (!nodes.empty()) out.nodemask = nodes;
  if (!cut_cpuset(rest, out)) return out;
  const auto start = static_cast<std::size_t>(rest.data() - text.data());
  if (start <= tail.before.size() && !tail.before.empty()) {
    read_memcg_part(tail.before.substr(start), context, out);
    if (!tail.has_comm) out.comm.reset();
  } else if (tail.before.empty()) {
    read_cut_memcg_part(rest, context, out);
  }
  // 5.0 to 5.2 print CONSTRAINT_NONE for the limit of a memory cgroup too.
  if (rest.starts_with(kOomMemcg)) out.constraint = "memcg";
  return out;
}

}  // namespace oomwitness
