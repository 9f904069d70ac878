// SPDX-License-Identifier: BSD-2-Clause
#include "run/descendants.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <map>
#include <set>
#include <system_error>

#include "enrich/number.h"
#include "enrich/procfs.h"

namespace oomwitness {
namespace {

constexpr int kRoundMs = 10;

std::multimap<pid_t, pid_t> children_by_parent(const std::string& proc) {
  std::multimap<pid_t, pid_t> children;
  std::error_code error;
  std::filesystem::directory_iterator entry(proc, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    if (!parse_number<pid_t>(entry->path().filename().string())) continue;
    auto text = read_at_most(AT_FDCWD, entry->path().string() + "/stat", kMaxStateFileBytes);
    const auto stat =
        text ? parse_proc_stat(text->content) : tl::make_unexpected(std::move(text).error());
    if (stat && stat->state != 'Z' && stat->state != 'X')
      children.emplace(static_cast<pid_t>(stat->ppid), static_cast<pid_t>(stat->pid));
  }
  return children;
}

void reap_all() {
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}

}  // namespace

std::vector<pid_t> descendants_of(pid_t ancestor, const std::string& proc) {
  const auto children = children_by_parent(proc);
  std::vector<pid_t> found{ancestor};
  for (std::size_t at = 0; at < found.size(); ++at) {
    const auto [from, to] = children.equal_range(found[at]);
    for (auto child = from; child != to; ++child)
      // A pid that was given anew while /proc was read could close a circle.
      if (std::find(found.begin(), found.end(), child->second) == found.end())
        found.push_back(child->second);
  }
  found.erase(found.begin());
  return found;
}

std::size_t end_descendants(const std::string& proc, int rounds) {
  std::set<pid_t> ended;
  for (int round = 0; round <= rounds; ++round) {
    reap_all();
    const auto left = descendants_of(::getpid(), proc);
    if (left.empty()) break;
    for (const pid_t pid : left)
      if (::kill(pid, SIGKILL) == 0) ended.insert(pid);
    ::poll(nullptr, 0, kRoundMs);
  }
  reap_all();
  return ended.size();
}

}  // namespace oomwitness
