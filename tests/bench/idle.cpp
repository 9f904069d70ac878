// SPDX-License-Identifier: BSD-2-Clause
#include "idle.h"

#include <dirent.h>
#include <poll.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "cgroup.h"

namespace oomwitness::bench {
namespace {

using nlohmann::json;

std::int64_t field(const std::string& status, const std::string& name) {
  const std::size_t at = status.find("\n" + name + ":");
  if (at == std::string::npos) return 0;
  return std::strtoll(status.c_str() + at + name.size() + 2, nullptr, 10);
}

// proc(5): the 14th and 15th field, counted behind the name, which may hold blanks.
std::int64_t ticks_of(const std::string& stat) {
  const std::size_t paren = stat.rfind(')');
  if (paren == std::string::npos) return 0;
  std::istringstream rest(stat.substr(paren + 1));
  std::string skip;
  for (int i = 0; i < 11; ++i) rest >> skip;
  std::int64_t user = 0;
  std::int64_t system = 0;
  rest >> user >> system;
  return user + system;
}

std::vector<std::string> tasks_of(pid_t pid) {
  std::vector<std::string> tasks;
  const std::string folder = "/proc/" + std::to_string(pid) + "/task";
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir(folder.c_str()), closedir);
  while (const dirent* entry = dir ? readdir(dir.get()) : nullptr)
    if (entry->d_name[0] != '.') tasks.push_back(folder + "/" + entry->d_name);
  return tasks;
}

json memory_of(pid_t pid) {
  const std::string status = read_file("/proc/" + std::to_string(pid) + "/status");
  json memory;
  for (const char* name : {"VmRSS", "RssAnon", "RssFile", "RssShmem", "VmHWM"})
    memory[std::string(name) + "_bytes"] = field(status, name) * 1024;
  memory["threads"] = field(status, "Threads");
  return memory;
}

json difference(const Activity& before, const Activity& after) {
  return {{"threads", after.threads},
          {"voluntary_switches", after.voluntary_switches - before.voluntary_switches},
          {"involuntary_switches", after.involuntary_switches - before.involuntary_switches},
          {"cpu_ticks", after.ticks - before.ticks}};
}

}  // namespace

Activity activity_of(pid_t pid) {
  Activity sum;
  for (const std::string& task : tasks_of(pid)) {
    const std::string status = read_file(task + "/status");
    ++sum.threads;
    sum.voluntary_switches += field(status, "voluntary_ctxt_switches");
    sum.involuntary_switches += field(status, "nonvoluntary_ctxt_switches");
    sum.ticks += ticks_of(read_file(task + "/stat"));
  }
  return sum;
}

std::int64_t cpu_ns(pid_t pid) {
  std::int64_t sum = 0;
  for (const std::string& task : tasks_of(pid))
    sum += std::strtoll(read_file(task + "/schedstat").c_str(), nullptr, 10);
  return sum;
}

json measure_idle(const Tools& tools, int seconds) {
  Tracing tracing(tools);
  const pid_t ours = tracing.child().pid();
  json out = {{"seconds", seconds}, {"oomwitness", memory_of(ours)}};
  std::optional<Child> peer;
  if (!tools.peer.empty()) {
    peer.emplace(tools.peer, Stdout::kTerminal);
    wait_for_text(peer->out(), "Tracing OOM kills");
    poll(nullptr, 0, 3000);
    out["libbpf-tools"] = memory_of(peer->pid());
  }
  const Activity before = activity_of(ours);
  const Activity peer_before = peer ? activity_of(peer->pid()) : Activity{};
  poll(nullptr, 0, seconds * 1000);
  out["oomwitness"].update(difference(before, activity_of(ours)));
  if (peer) out["libbpf-tools"].update(difference(peer_before, activity_of(peer->pid())));
  return out;
}

}  // namespace oomwitness::bench
