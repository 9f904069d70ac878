// SPDX-License-Identifier: BSD-2-Clause
#include "run/cgroup_files.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <system_error>

#include "enrich/bounded_read.h"
#include "enrich/number.h"
#include "enrich/text_scan.h"
#include "support/owned_fd.h"

namespace oomwitness {
namespace {

constexpr int kRoundMs = 10;

std::string content(const std::string& path) {
  auto bytes = read_at_most(AT_FDCWD, path, kMaxStateFileBytes);
  return bytes ? std::move(bytes->content) : std::string();
}

// Nothing tells when a cgroup of version 1 is empty, or when the kernel lets go of an empty one.
void rest() {
  ::poll(nullptr, 0, kRoundMs);
}

}  // namespace

Status write_cgroup_file(const std::string& path, std::string_view text) {
  const OwnedFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file.get() < 0) return fail(errno, "open " + path);
  if (::write(file.get(), text.data(), text.size()) < 0)
    return fail(errno, "write '" + std::string(text) + "' to " + path);
  return {};
}

bool lists_word(const std::string& path, std::string_view word) {
  const std::string text = content(path);
  std::string_view words = trim(text);
  while (!words.empty())
    if (next_piece(words, ' ') == word) return true;
  return false;
}

std::vector<std::string> cgroup_tree(const std::string& folder) {
  std::vector<std::string> tree{folder};
  for (std::size_t at = 0; at < tree.size(); ++at) {
    std::error_code error;
    std::filesystem::directory_iterator entry(tree[at], error);
    while (!error && entry != std::filesystem::directory_iterator()) {
      std::error_code unknown;
      if (entry->symlink_status(unknown).type() == std::filesystem::file_type::directory)
        tree.push_back(entry->path().string());
      entry.increment(error);
    }
  }
  return tree;
}

std::vector<pid_t> processes_in_tree(const std::string& folder) {
  std::vector<pid_t> pids;
  for (const std::string& each : cgroup_tree(folder)) {
    const std::string text = content(each + "/cgroup.procs");
    std::string_view lines = text;
    while (!lines.empty()) {
      // 0: of a pid namespace that is not shown here.
      const auto pid = parse_number<pid_t>(next_piece(lines, '\n'));
      if (pid && *pid > 0) pids.push_back(*pid);
    }
  }
  return pids;
}

bool kill_tree(const std::string& folder, int rounds) {
  for (int round = 0; round <= rounds; ++round) {
    const std::vector<pid_t> pids = processes_in_tree(folder);
    if (pids.empty()) return true;
    // Since 5.14; also takes what forks meanwhile.
    if (!write_cgroup_file(folder + "/cgroup.kill", "1"))
      for (const pid_t pid : pids) ::kill(pid, SIGKILL);
    rest();
  }
  return processes_in_tree(folder).empty();
}

Status remove_tree(const std::string& folder, int rounds) {
  std::vector<std::string> tree = cgroup_tree(folder);
  std::reverse(tree.begin(), tree.end());
  for (const std::string& each : tree) {
    int left = rounds;
    while (::rmdir(each.c_str()) != 0 && errno != ENOENT) {
      if (errno != EBUSY || left-- <= 0) return fail(errno, "remove the cgroup " + each);
      rest();
    }
  }
  return {};
}

}  // namespace oomwitness
