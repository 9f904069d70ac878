// SPDX-License-Identifier: BSD-2-Clause
#include "process.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <utility>

#include <gtest/gtest.h>

namespace oomwitness::live {
namespace {

[[noreturn]] void die_in_child(const char* what) {
  dprintf(STDERR_FILENO, "%s: %s\n", what, std::strerror(errno));
  _exit(127);
}

void raise_limit(__rlimit_resource_t resource, std::uint64_t bytes) {
  const rlimit limit{bytes, bytes};
  if (setrlimit(resource, &limit) != 0) die_in_child("setrlimit");
}

void keep_capabilities(std::uint64_t kept) {
  for (unsigned cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; ++cap)
    if ((kept >> cap & 1) == 0 && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0)
      die_in_child("drop a capability");
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> all;
  all.reserve(strings.size() + 1);
  for (const std::string& each : strings) all.push_back(const_cast<char*>(each.c_str()));
  all.push_back(nullptr);
  return all;
}

std::vector<std::string> environment(const Spawn& spawn) {
  std::vector<std::string> env = spawn.env;
  for (char** each = environ; !spawn.bare_env && *each != nullptr; ++each) env.emplace_back(*each);
  return env;
}

void enter_child(const Spawn& spawn) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  signal(SIGINT, SIG_DFL);
  if (spawn.own_proc && (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
                         mount("proc", "/proc", "proc", 0, nullptr) != 0))
    die_in_child("mount a /proc");
  if (spawn.stack_bytes != 0) raise_limit(RLIMIT_STACK, spawn.stack_bytes);
  if (spawn.cgroup != nullptr && !write_file(spawn.cgroup->procs(), "0"))
    die_in_child("join the cgroup");
  // Last: mount and the cgroup need what is dropped.
  if (spawn.capabilities) keep_capabilities(*spawn.capabilities);
}

pid_t start(const Spawn& spawn, const std::array<int, 3>& stdio) {
  const std::vector<std::string> env = environment(spawn);
  const std::vector<char*> argv = pointers(spawn.argv);
  const std::vector<char*> envp = pointers(env);
  const unsigned long flags = spawn.namespaces | SIGCHLD;
  const auto pid =
      static_cast<pid_t>(syscall(SYS_clone, flags, nullptr, nullptr, nullptr, nullptr));
  if (pid != 0) return pid;
  for (int fd = 0; fd < 3; ++fd) dup2(stdio[static_cast<std::size_t>(fd)], fd);
  enter_child(spawn);
  execve(spawn.exe.c_str(), argv.data(), envp.data());
  die_in_child("exec");
}

}  // namespace

Process::Process(const Spawn& spawn) : out_{Fd()}, err_{Fd()} {
  Pipe in = make_pipe();
  Pipe out = make_pipe();
  Pipe err = make_pipe();
  pid_ = start(spawn, {in.read_end.get(), out.write_end.get(), err.write_end.get()});
  if (pid_ < 0) {
    ADD_FAILURE() << "cannot start " << spawn.exe << ": " << std::strerror(errno);
    reaped_ = true;
  }
  in_ = std::move(in.write_end);
  out_ = LineReader(std::move(out.read_end));
  err_ = LineReader(std::move(err.read_end));
}

Process::Process(Process&& other) noexcept
    : pid_(other.pid_),
      reaped_(std::exchange(other.reaped_, true)),
      in_(std::move(other.in_)),
      out_(std::move(other.out_)),
      err_(std::move(other.err_)) {}

Process::~Process() {
  if (reaped_) return;
  kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, __WALL) < 0 && errno == EINTR) {
  }
}

void Process::send_byte() {
  // A process that is gone already fails the test where its death is asserted, not with SIGPIPE.
  if (write(in_.get(), "g", 1) != 1) ADD_FAILURE() << "stdin of process " << pid_ << " is closed";
}

int Process::wait(std::chrono::seconds deadline) {
  const Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  pollfd waited{pidfd.get(), POLLIN, 0};
  const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(deadline);
  if (poll(&waited, 1, static_cast<int>(limit.count())) != 1) {
    ADD_FAILURE() << "process " << pid_ << " is still there after " << deadline.count() << " s";
    return -1;
  }
  int status = 0;
  if (waitpid(pid_, &status, __WALL) != pid_) return -1;
  reaped_ = true;
  return status;
}

namespace {

Spawn spawn_of(const Plan& plan, const std::string& exe) {
  Spawn spawn;
  spawn.exe = exe;
  spawn.argv = plan.argv;
  spawn.env = {"OW_PROVOKE=" + plan.words};
  spawn.cgroup = plan.cgroup;
  spawn.namespaces = plan.namespaces;
  spawn.bare_env = true;
  spawn.stack_bytes = plan.stack_bytes;
  return spawn;
}

}  // namespace

Provoked::Provoked(const Plan& plan)
    : exe_(plan.exe.empty() ? provoker_path() : plan.exe), process_(spawn_of(plan, exe_)) {
  const auto line = process_.out().line();
  std::istringstream words(line.value_or(""));
  std::string ready;
  pid_t own_pid = 0;
  words >> ready >> own_pid >> tid_ >> sharer_;
  if (ready != "ready")
    ADD_FAILURE() << "the provoker (" << plan.words << ") is not ready: "
                  << process_.err().line(std::chrono::seconds(1)).value_or("no reason given");
}

void Provoked::wait_killed(std::chrono::seconds deadline) {
  const int status = process_.wait(deadline);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
      << "process " << pid() << " was not killed: wait status " << status;
}

void Provoked::wait_done() {
  EXPECT_EQ(process_.out().line(), "done") << "process " << pid();
}

pid_t Provoked::next_pid() {
  const auto line = process_.out().line();
  const long number = std::strtol(line.value_or("").c_str(), nullptr, 10);
  if (number <= 0)
    ADD_FAILURE() << "the storm ended early: "
                  << process_.err().line(std::chrono::seconds(1)).value_or("no reason given");
  return static_cast<pid_t>(number);
}

Detained::Detained(pid_t pid) : pid_(pid) {
  EXPECT_EQ(ptrace(PTRACE_SEIZE, pid, nullptr, PTRACE_O_TRACEEXIT), 0) << std::strerror(errno);
}

void Detained::wait_dying() const {
  int status = 0;
  ASSERT_EQ(waitpid(pid_, &status, __WALL), pid_);
  ASSERT_EQ(status >> 8, SIGTRAP | PTRACE_EVENT_EXIT << 8) << status;
}

void Detained::let_go() const {
  EXPECT_EQ(ptrace(PTRACE_CONT, pid_, nullptr, 0), 0) << std::strerror(errno);
}

std::string provoker_path() {
  const char* named = std::getenv("OOMWITNESS_PROVOKE");
  const std::string path = named != nullptr ? named : OW_DEFAULT_PROVOKE;
  // As the kernel will name it: without symbolic links.
  std::array<char, PATH_MAX> real{};
  return realpath(path.c_str(), real.data()) != nullptr ? real.data() : path;
}

std::string hex(const std::string& bytes) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text;
  for (const char each : bytes) {
    const auto byte = static_cast<unsigned char>(each);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace oomwitness::live
