// SPDX-License-Identifier: BSD-2-Clause
#include "run/janitor.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace oomwitness {
namespace {

constexpr int kEndRounds = 500;  // 5 s

[[noreturn]] void keep_watch(Box& box, int line) {
  ::setsid();
  ::prctl(PR_SET_NAME, "oomwitness-wait");
  sigset_t all;
  sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, nullptr);  // NOLINT(concurrency-mt-unsafe): one thread
  // Whoever waits for the end of what we have open must not wait for this process.
  ::dup2(line, STDIN_FILENO);
  ::close_range(STDOUT_FILENO, ~0U, 0);
  char byte = 0;
  ssize_t got = 0;
  do {
    got = ::read(STDIN_FILENO, &byte, 1);
  } while (got < 0 && errno == EINTR);
  if (got == 0 && box.end_processes(kEndRounds)) {
    // Nobody is left to be told.
    [[maybe_unused]] const Status removed = box.remove();
  }
  ::_exit(0);
}

}  // namespace

Result<Janitor> Janitor::fork_for(Box& box) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(errno, "make a pipe");
  OwnedFd read_end(ends[0]);
  OwnedFd write_end(ends[1]);
  const pid_t pid = ::fork();
  if (pid < 0) return fail(errno, "fork");
  if (pid == 0) {
    ::close(write_end.get());
    keep_watch(box, read_end.get());
  }
  return Janitor(pid, std::move(write_end));
}

void Janitor::dismiss() {
  [[maybe_unused]] const ssize_t told = ::write(line_.get(), "w", 1);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace oomwitness
