// SPDX-License-Identifier: BSD-2-Clause
#include "kills.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <string_view>
#include <utility>

#include "statistics.h"

namespace oomwitness::bench {
namespace {

constexpr std::size_t kEndless = 1UL << 40;

// Born in the cgroup (v5.7, version 2): moving there costs an RCU grace period, more than the kill.
pid_t fork_there(const Cgroup& cgroup) {
  if (!Cgroup::is_v2()) {
    const pid_t pid = fork();
    if (pid == 0 && !write_file(cgroup.dir() + "/cgroup.procs", "0")) _exit(1);
    return pid;
  }
  const int dir = open(cgroup.dir().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  clone_args args{};
  args.flags = CLONE_INTO_CGROUP;
  args.exit_signal = SIGCHLD;
  args.cgroup = static_cast<__u64>(dir);
  const auto pid = static_cast<pid_t>(syscall(SYS_clone3, &args, sizeof args));
  close(dir);
  return pid;
}

}  // namespace

void hog_main(int shared_fd) {
  std::int64_t stamp = 0;
  volatile std::int64_t* last = &stamp;
  if (shared_fd >= 0) {
    void* shared = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, shared_fd, 0);
    if (shared == MAP_FAILED) _exit(1);
    last = static_cast<volatile std::int64_t*>(shared);
  }
  void* memory = mmap(nullptr, kEndless, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) _exit(1);
  madvise(memory, kEndless, MADV_NOHUGEPAGE);
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  for (std::size_t at = 0; at < kEndless; at += page) {
    *last = now_ns();
    static_cast<volatile char*>(memory)[at] = 1;
  }
  _exit(1);
}

pid_t fork_into(const Cgroup& cgroup, const std::function<void()>& body) {
  const pid_t pid = fork_there(cgroup);
  if (pid < 0) die("a process in " + cgroup.dir());
  if (pid > 0) return pid;
  // Nothing is left behind when the bench is ended.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  body();
  _exit(1);
}

pid_t start_hog(const Cgroup& cgroup, int serial, int shared_fd) {
  std::array<std::string, 3> words = {kHogName, std::to_string(serial), std::to_string(shared_fd)};
  return fork_into(cgroup, [&words] {
    write_file("/proc/self/oom_score_adj", "1000");
    std::array<char*, 4> argv = {words[0].data(), words[1].data(), words[2].data(), nullptr};
    execv("/proc/self/exe", argv.data());
  });
}

void reap_killed(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) return;
  errno = ECHILD;
  die("a hog was not killed");
}

void kill_one(const Cgroup& cgroup, int serial) {
  reap_killed(start_hog(cgroup, serial));
}

LineReader::LineReader(int fd) : fd_(fd), thread_([this] { run(); }) {}

LineReader::~LineReader() {
  if (thread_.joinable()) thread_.join();
}

void LineReader::run() {
  std::string partial;
  std::array<char, 65536> chunk{};
  for (ssize_t got = 0; (got = read(fd_, chunk.data(), chunk.size())) > 0;) {
    const std::int64_t now = now_ns();
    std::string_view rest(chunk.data(), static_cast<std::size_t>(got));
    const std::lock_guard lock(mutex_);
    for (std::size_t end = 0; (end = rest.find('\n')) != std::string_view::npos;) {
      partial += rest.substr(0, end);
      lines_.push_back({now, std::exchange(partial, {})});
      rest.remove_prefix(end + 1);
    }
    partial += rest;
    arrived_.notify_all();
  }
}

bool LineReader::wait_for(std::size_t count, int seconds) {
  std::unique_lock lock(mutex_);
  return arrived_.wait_for(lock, std::chrono::seconds(seconds),
                           [this, count] { return lines_.size() >= count; });
}

std::vector<Line> LineReader::rest() {
  thread_.join();
  return lines_;
}

}  // namespace oomwitness::bench
