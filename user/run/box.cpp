// SPDX-License-Identifier: BSD-2-Clause
#include "run/box.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <ctime>
#include <utility>

#include <fmt/format.h>

#include "enrich/bounded_read.h"
#include "enrich/number.h"
#include "enrich/text_scan.h"
#include "run/cgroup_files.h"

namespace oomwitness {
namespace {

constexpr std::string_view kPrefix = "oomwitness-run-";
constexpr std::string_view kLeafPrefix = "oomwitness-self-";
constexpr int kRemoveRounds = 300;  // 3 s
constexpr int kSweepRounds = 50;
constexpr std::size_t kMaxSiblings = 10'000;

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos || slash == 0 ? "/" : path.substr(0, slash);
}

std::string below(const std::string& path, const std::string& name) {
  return Roots::join(path, name);
}

std::optional<std::uint64_t> limit_of(const std::string& folder, bool v1) {
  const auto text = read_at_most(AT_FDCWD, folder + (v1 ? "/memory.limit_in_bytes" : "/memory.max"),
                                 kMaxStateFileBytes);
  return text ? limit_in(text->content) : std::nullopt;
}

Status alone_in(const std::string& folder) {
  TRY(const auto procs, read_at_most(AT_FDCWD, folder + "/cgroup.procs", kMaxStateFileBytes));
  if (trim(procs.content) == std::to_string(::getpid())) return {};
  return fail(EBUSY, "turn on the memory controller below " + folder +
                         ": other processes are in that cgroup");
}

Status set_number(const std::string& path, std::uint64_t bytes) {
  return write_cgroup_file(path, std::to_string(bytes));
}

Status limit_v1(const std::string& folder, const BoxLimits& limits) {
  if (limits.memory_max_bytes)
    CHECK_OK(set_number(folder + "/memory.limit_in_bytes", *limits.memory_max_bytes));
  if (!limits.swap_max_bytes) return {};
  if (!limits.memory_max_bytes)
    return fail("cgroup version 1 limits memory and swap together",
                "give --memory-max with --swap-max");
  const std::string together = folder + "/memory.memsw.limit_in_bytes";
  if (::access(together.c_str(), F_OK) == 0)
    return set_number(together, *limits.memory_max_bytes + *limits.swap_max_bytes);
  // Without swap accounting nothing can be counted, but swapping can be left.
  if (*limits.swap_max_bytes == 0) return write_cgroup_file(folder + "/memory.swappiness", "0");
  return fail("this kernel does not account swap to cgroups",
              "--swap-max 0 works, and so does swapaccount=1 on the kernel's command line");
}

Status limit_v2(const std::string& folder, const BoxLimits& limits) {
  if (limits.memory_max_bytes)
    CHECK_OK(set_number(folder + "/memory.max", *limits.memory_max_bytes));
  if (!limits.swap_max_bytes) return {};
  const std::string swap = folder + "/memory.swap.max";
  // Without swap in the kernel there is no such file, and none to leave.
  if (*limits.swap_max_bytes == 0 && ::access(swap.c_str(), F_OK) != 0) return {};
  return set_number(swap, *limits.swap_max_bytes);
}

// "oomwitness-run-PID-MOMENT": the process that made it.
std::optional<pid_t> maker_of(std::string_view name, std::string_view prefix) {
  if (!eat_prefix(name, prefix)) return std::nullopt;
  return parse_number<pid_t>(next_piece(name, '-'));
}

// Not the name of any other box, whatever pid namespaces they were made in.
std::string unique_name() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const auto ns = static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
                  static_cast<std::uint64_t>(now.tv_nsec);
  return fmt::format("{}{}-{:x}", kPrefix, ::getpid(), ns);
}

bool is_leftover(const std::string& folder, pid_t maker) {
  if (maker == ::getpid() || ::kill(maker, 0) == 0 || errno != ESRCH) return false;
  // A maker of another pid namespace has no such number here, but it has the lock.
  const OwnedFd dir(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return dir.get() >= 0 && ::flock(dir.get(), LOCK_EX | LOCK_NB) == 0;
}

}  // namespace

Result<Box> Box::make(const OwnCgroup& own, BoxPlace place) {
  const std::string& folder = own.folder;
  if (place == BoxPlace::kBeside) {
    if (own.folder == own.top || own.layout.v1) return fail("there is no cgroup above to be seen");
    if (limit_of(folder, own.layout.v1))
      return fail("beside " + own.path + " its memory limit would not hold");
    return make_in(own, parent_of(folder), parent_of(own.path));
  }
  return make_in(own, folder, own.path);
}

Result<Box> Box::make_in(const OwnCgroup& own, const std::string& folder, const std::string& path) {
  Box box;
  box.own_ = own;
  box.parent_ = folder;
  if (!own.layout.v1) CHECK_OK(box.enable_memory());
  const std::string name = unique_name();
  box.folder_ = below(folder, name);
  box.path_ = below(path, name);
  const auto give_up = [&box](auto&& failure) -> Result<Box> {
    // What was changed is put back; the first failure is what counts.
    [[maybe_unused]] const Status undone = box.remove();
    return std::forward<decltype(failure)>(failure);
  };
  constexpr mode_t kMode = 0755;
  if (::mkdir(box.folder_.c_str(), kMode) != 0)
    return give_up(fail(errno, "make the cgroup " + std::exchange(box.folder_, "")));
  // Before 5.11 a limit covers the cgroups below only when this is set before they are made.
  if (own.layout.v1) {
    [[maybe_unused]] const Status set =
        write_cgroup_file(box.folder_ + "/memory.use_hierarchy", "1");
  }
  box.dir_ = OwnedFd(::open(box.folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (box.dir_.get() < 0 || ::flock(box.dir_.get(), LOCK_EX | LOCK_NB) != 0)
    return give_up(fail(errno, "open the cgroup " + box.folder_));
  auto counters = MemoryCounters::open(box.folder_, own.layout);
  if (!counters) return give_up(tl::make_unexpected(std::move(counters).error()));
  box.counters_ = *std::move(counters);
  return box;
}

Result<Box> Box::share(const OwnCgroup& own) {
  Box box;
  box.own_ = own;
  box.shared_ = true;
  box.folder_ = own.folder;
  box.path_ = own.path;
  TRY(box.counters_, MemoryCounters::open(own.folder, own.layout));
  return box;
}

// Version 2: a cgroup with controllers for those below holds no processes itself (the "no internal
// process constraint", Documentation/admin-guide/cgroup-v2.rst), the root apart.
Status Box::enable_memory() {
  if (!lists_word(parent_ + "/cgroup.controllers", "memory"))
    return fail("the cgroup " + parent_ + " has no memory controller");
  const std::string control = parent_ + "/cgroup.subtree_control";
  if (lists_word(control, "memory")) return {};
  Status enabled = write_cgroup_file(control, "+memory");
  if (!enabled && enabled.error().code().value() == EBUSY && parent_ == own_.folder) {
    CHECK_OK(enter_leaf());
    enabled = write_cgroup_file(control, "+memory");
  }
  memory_enabled_ = enabled.has_value();
  if (!enabled && !leaf_.empty()) {
    [[maybe_unused]] const Status undone = remove();
  }
  return enabled;
}

Status Box::enter_leaf() {
  CHECK_OK(alone_in(parent_));
  std::string leaf = below(parent_, std::string(kLeafPrefix) + std::to_string(::getpid()));
  constexpr mode_t kMode = 0755;
  if (::mkdir(leaf.c_str(), kMode) != 0) return fail(errno, "make the cgroup " + leaf);
  if (Status moved = write_cgroup_file(leaf + "/cgroup.procs", "0"); !moved) {
    ::rmdir(leaf.c_str());
    return moved;
  }
  leaf_ = std::move(leaf);
  return {};
}

Status Box::limit(const BoxLimits& limits) const {
  if (!limits.any()) return {};
  if (shared_) return fail("the cgroup " + path_ + " is not of this run alone: no limit is set");
  return v1() ? limit_v1(folder_, limits) : limit_v2(folder_, limits);
}

std::optional<std::pair<std::uint64_t, std::string>> Box::effective_limit() const {
  std::optional<std::pair<std::uint64_t, std::string>> lowest;
  std::string folder = folder_;
  std::string path = path_;
  for (;;) {
    const auto limit = limit_of(folder, v1());
    if (limit && (!lowest || *limit < lowest->first)) lowest.emplace(*limit, path);
    if (folder.size() <= own_.top.size()) return lowest;
    folder = parent_of(folder);
    path = parent_of(path);
  }
}

std::vector<pid_t> Box::processes() const {
  return shared_ ? std::vector<pid_t>() : processes_in_tree(folder_);
}

bool Box::end_processes(int rounds) const {
  return shared_ || kill_tree(folder_, rounds);
}

Status Box::remove() {
  if (shared_) return {};
  Status status;
  const auto keep_first = [&status](Status done) {
    if (status && !done) status = std::move(done);
  };
  if (!folder_.empty()) keep_first(remove_tree(std::exchange(folder_, ""), kRemoveRounds));
  if (std::exchange(memory_enabled_, false))
    keep_first(write_cgroup_file(parent_ + "/cgroup.subtree_control", "-memory"));
  if (leaf_.empty()) return status;
  keep_first(write_cgroup_file(parent_ + "/cgroup.procs", "0"));
  keep_first(remove_tree(std::exchange(leaf_, ""), kRemoveRounds));
  return status;
}

int sweep_leftovers(const std::string& folder) {
  const auto names = list_folder(folder, kMaxSiblings);
  if (!names) return 0;
  int swept = 0;
  for (const std::string& name : *names) {
    const std::string left = below(folder, name);
    // A leaf without its maker is empty; one that is not cannot be removed.
    if (maker_of(name, kLeafPrefix)) ::rmdir(left.c_str());
    const auto maker = maker_of(name, kPrefix);
    if (!maker || !is_leftover(left, *maker)) continue;
    if (kill_tree(left, kSweepRounds) && remove_tree(left, kSweepRounds)) ++swept;
  }
  return swept;
}

}  // namespace oomwitness
