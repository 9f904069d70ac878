// SPDX-License-Identifier: BSD-2-Clause
#include "cgroup.h"

#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <sstream>
#include <utility>

#include <gtest/gtest.h>

#include "fd.h"

namespace oomwitness::live {
namespace {

bool has_word(const std::string& text, const std::string& word, char separator) {
  std::istringstream words(text);
  for (std::string each; std::getline(words, each, separator);)
    if (each == word) return true;
  return false;
}

// One line of mountinfo; proc(5): id parent dev root mount options... - type source super-options
struct Mount {
  std::string root;
  std::string point;
  std::string type;
  std::string options;
};

Mount parse_mount(const std::string& line) {
  Mount mount;
  std::istringstream head(line);
  std::string skip;
  head >> skip >> skip >> skip >> mount.root >> mount.point;
  const std::size_t dash = line.find(" - ");
  if (dash == std::string::npos) return {};
  std::istringstream tail(line.substr(dash + 3));
  tail >> mount.type >> skip >> mount.options;
  return mount;
}

bool v2_offers(const std::string& mount, const std::string& controller) {
  std::string offered = read_file(mount + "/cgroup.controllers");
  if (!offered.empty() && offered.back() == '\n') offered.pop_back();
  if (!has_word(offered, controller, ' ')) return false;
  return write_file(mount + "/cgroup.subtree_control", "+" + controller);
}

}  // namespace

std::optional<Hierarchy> Hierarchy::find(const std::string& controller) {
  std::istringstream lines(read_file("/proc/self/mountinfo"));
  for (std::string line; std::getline(lines, line);) {
    const Mount mount = parse_mount(line);
    const bool v1 = mount.type == "cgroup" && has_word(mount.options, controller, ',');
    const bool v2 = mount.type == "cgroup2" && v2_offers(mount.point, controller);
    if (v1 || v2)
      return Hierarchy{v2, mount.point, mount.root == "/" ? "" : mount.root, controller};
  }
  return std::nullopt;
}

std::string Cgroup::unique(const std::string& name) {
  static int count = 0;
  return prefix() + std::to_string(count++) + "-" + name;
}

std::string Cgroup::prefix() {
  return "owtest-" + std::to_string(getpid()) + "-";
}

Cgroup::Cgroup(Hierarchy hierarchy, std::string dir, std::string path)
    : hierarchy_(std::move(hierarchy)), dir_(std::move(dir)), path_(std::move(path)) {
  if (mkdir(dir_.c_str(), 0755) != 0)
    ADD_FAILURE() << "mkdir " << dir_ << ": " << std::strerror(errno);
}

Cgroup::Cgroup(const Hierarchy& hierarchy, const std::string& name)
    : Cgroup(hierarchy, hierarchy.mount + "/" + name, hierarchy.root + "/" + name) {
  // Before 5.11 a version 1 limit only covers the children when this is set before they are made.
  if (!v2() && hierarchy.controller == "memory") write_file(dir_ + "/memory.use_hierarchy", "1");
}

Cgroup::Cgroup(Cgroup& parent, const std::string& name)
    : Cgroup((parent.v2() ? parent.set("cgroup.subtree_control", "+" + parent.hierarchy_.controller)
                          : void(),
              parent.hierarchy_),
             parent.dir_ + "/" + name, parent.path_ + "/" + name) {}

void Cgroup::set(const std::string& file, const std::string& text) {
  if (!write_file(dir_ + "/" + file, text))
    ADD_FAILURE() << "write '" << text << "' to " << dir_ << "/" << file << ": "
                  << std::strerror(errno);
}

void Cgroup::limit(std::uint64_t bytes) {
  const std::string text = std::to_string(bytes);
  if (!v2()) {
    set("memory.limit_in_bytes", text);
    write_file(dir_ + "/memory.swappiness", "0");
    return;
  }
  set("memory.max", text);
  write_file(dir_ + "/memory.swap.max", "0");  // absent without swap accounting
}

void Cgroup::kill_as_group() {
  set("memory.oom.group", "1");
}

void Cgroup::end_processes() const {
  std::istringstream pids(read_file(procs()));
  for (pid_t pid = 0; pids >> pid;) {
    if (pid <= 1) continue;  // 0: a process of another pid namespace
    kill(pid, SIGKILL);
    while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
}

Cgroup::~Cgroup() {
  end_processes();
  // The kernel may hold the folder busy for a moment after the last process is reaped, and in
  // version 1 nothing tells when that is over.
  for (int tries = 0; rmdir(dir_.c_str()) != 0 && errno == EBUSY && tries < 500; ++tries) {
    end_processes();
    poll(nullptr, 0, 10);
  }
  if (access(dir_.c_str(), F_OK) == 0) ADD_FAILURE() << dir_ << " could not be removed";
}

}  // namespace oomwitness::live
