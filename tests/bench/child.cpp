// SPDX-License-Identifier: BSD-2-Clause
#include "child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "cgroup.h"
#include "idle.h"
#include "statistics.h"

namespace oomwitness::bench {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

struct Channel {
  int ours = -1;
  int theirs = -1;
};

Channel open_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) die("pipe2");
  return {ends[0], ends[1]};
}

Channel open_terminal() {
  const int ours = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  std::array<char, 64> name{};
  if (ours < 0 || grantpt(ours) != 0 || unlockpt(ours) != 0 ||
      ptsname_r(ours, name.data(), name.size()) != 0)
    die("a pseudo terminal");
  const int theirs = open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (theirs < 0) die(name.data());
  return {ours, theirs};
}

[[noreturn]] void exec_child(const std::vector<char*>& argv, int out, int err) {
  // Nothing is left behind when the bench is ended.
  prctl(PR_SET_PDEATHSIG, SIGINT);
  const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  dup2(null, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  execv(argv[0], argv.data());
  _exit(127);
}

std::vector<std::string> tracer_of(const Tools& tools, const std::string& cgroup) {
  std::vector<std::string> argv = tools.tracer;
  if (!cgroup.empty()) argv.insert(argv.end(), {"--cgroup", cgroup});
  return argv;
}

}  // namespace

Child::Child(std::vector<std::string> argv, Stdout stdout_kind) {
  const Channel out = stdout_kind == Stdout::kPipe ? open_pipe() : open_terminal();
  const Channel err = open_pipe();
  std::vector<char*> words;
  for (std::string& word : argv) words.push_back(word.data());
  words.push_back(nullptr);
  started_ns_ = now_ns();
  pid_ = fork();
  if (pid_ < 0) die("fork");
  if (pid_ == 0) exec_child(words, out.theirs, err.theirs);
  close(out.theirs);
  close(err.theirs);
  out_ = out.ours;
  err_ = err.ours;
}

Child::~Child() {
  stop();
  close(out_);
  close(err_);
}

int Child::stop() {
  if (pid_ < 0) return 0;
  kill(pid_, SIGINT);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return status;
}

std::int64_t wait_for_text(int fd, const std::string& text) {
  const std::int64_t deadline = now_ns() + 60 * kSecond;
  std::string seen;
  std::array<char, 4096> chunk{};
  while (now_ns() < deadline) {
    pollfd wanted{fd, POLLIN, 0};
    if (poll(&wanted, 1, 1000) <= 0) continue;
    const ssize_t got = read(fd, chunk.data(), chunk.size());
    const std::int64_t now = now_ns();
    if (got <= 0) break;
    seen.append(chunk.data(), static_cast<std::size_t>(got));
    if (seen.find(text) != std::string::npos) return now;
  }
  errno = ETIMEDOUT;
  die("waiting for '" + text + "', had '" + seen + "'");
}

void wait_at_rest(pid_t pid) {
  const std::int64_t deadline = now_ns() + 60 * kSecond;
  Activity before = activity_of(pid);
  for (int quiet = 0; quiet < 3;) {
    poll(nullptr, 0, 1000);
    const Activity now = activity_of(pid);
    quiet = now == before ? quiet + 1 : 0;
    before = now;
    if (now_ns() > deadline) {
      errno = ETIMEDOUT;
      die("waiting for a tracer to come to rest");
    }
  }
}

Tracing::Tracing(const Tools& tools, const std::string& cgroup)
    : child_(tracer_of(tools, cgroup), Stdout::kPipe) {
  wait_for_text(child_.err(), "ready:");
  wait_at_rest(child_.pid());
}

}  // namespace oomwitness::bench
