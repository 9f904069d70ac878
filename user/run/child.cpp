// SPDX-License-Identifier: BSD-2-Clause
#include "run/child.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

namespace oomwitness {
namespace {

constexpr int kCannotStart = 125;

struct Pipe {
  OwnedFd read_end;
  OwnedFd write_end;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(errno, "make a pipe");
  return Pipe{OwnedFd(ends[0]), OwnedFd(ends[1])};
}

// clone3(2) with no more than fork(2) does, into a cgroup of version 2.
pid_t fork_into_cgroup(int cgroup_fd) {
  clone_args args{};
  args.flags = CLONE_INTO_CGROUP;
  args.exit_signal = SIGCHLD;
  args.cgroup = static_cast<__u64>(cgroup_fd);
  return static_cast<pid_t>(::syscall(SYS_clone3, &args, sizeof(args)));
}

// What the child needs, ready before the fork: after it nothing is allocated.
struct Orders {
  std::vector<char*> argv;
  int join_fd = -1;  // cgroup.procs, when the child has to join by itself
  int gate = -1;
  int failure = -1;
  pid_t parent = 0;
  const ChildOptions* options = nullptr;
};

[[noreturn]] void give_up(const Orders& orders, int error) {
  [[maybe_unused]] const ssize_t told = ::write(orders.failure, &error, sizeof(error));
  ::_exit(kCannotStart);
}

[[noreturn]] void become_command(const Orders& orders) {
  const ChildOptions& options = *orders.options;
  if (options.own_group) ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != orders.parent) ::_exit(kCannotStart);
  if (orders.join_fd >= 0 && ::write(orders.join_fd, "0", 1) != 1) give_up(orders, errno);
  char byte = 0;
  ssize_t got = 0;
  do {
    got = ::read(orders.gate, &byte, 1);
  } while (got < 0 && errno == EINTR);
  if (got != 1) ::_exit(kCannotStart);
  if (options.silent) {
    const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(nothing, fd);
  }
  ::signal(SIGPIPE, options.on_sigpipe == nullptr ? SIG_DFL : options.on_sigpipe);
  ::pthread_sigmask(SIG_SETMASK, &options.signal_mask, nullptr);
  // NOLINTNEXTLINE(concurrency-mt-unsafe): the child has one thread
  ::execvp(orders.argv[0], orders.argv.data());
  give_up(orders, errno);
}

}  // namespace

Result<Child> Child::fork_into(const Box* box, const ChildOptions& options) {
  TRY(auto gate, make_pipe());
  TRY(auto failure, make_pipe());
  const bool join = box != nullptr && !box->shared();
  OwnedFd procs;
  if (join) {
    const std::string path = box->folder() + "/cgroup.procs";
    procs = OwnedFd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (procs.get() < 0) return fail(errno, "open " + path);
  }
  std::vector<std::string> words = options.argv;
  Orders orders{.argv = {},
                .join_fd = procs.get(),
                .gate = gate.read_end.get(),
                .failure = failure.write_end.get(),
                .parent = ::getpid(),
                .options = &options};
  for (std::string& word : words) orders.argv.push_back(word.data());
  orders.argv.push_back(nullptr);

  pid_t pid = -1;
  if (join && !box->v1()) {
    pid = fork_into_cgroup(box->dir_fd());
    // It is there already.
    if (pid == 0) orders.join_fd = -1;
  }
  if (pid < 0) pid = ::fork();
  if (pid < 0) return fail(errno, "fork");
  if (pid == 0) {
    // Or its own end would keep the gate open.
    ::close(gate.write_end.get());
    become_command(orders);
  }
  return Child(pid, std::move(gate.write_end), std::move(failure.read_end));
}

int Child::open_gate() {
  // It may be gone (SIGPIPE is ignored): its wait status will tell.
  [[maybe_unused]] const ssize_t told = ::write(gate_.get(), "g", 1);
  int error = 0;
  ssize_t got = 0;
  do {
    got = ::read(failure_.get(), &error, sizeof(error));
  } while (got < 0 && errno == EINTR);
  return got == static_cast<ssize_t>(sizeof(error)) ? error : 0;
}

}  // namespace oomwitness
