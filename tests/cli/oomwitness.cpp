// SPDX-License-Identifier: BSD-2-Clause
#include "oomwitness.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <utility>

#include <gtest/gtest.h>

namespace oomwitness::cli {
namespace {

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (std::string& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

std::string take(int fd) {
  std::string text;
  std::array<char, 4096> part{};
  ::lseek(fd, 0, SEEK_SET);
  for (ssize_t got = 0; (got = ::read(fd, part.data(), part.size())) > 0;) {
    text.append(part.data(), static_cast<std::size_t>(got));
  }
  ::close(fd);
  return text;
}

// Files in memory: a full pipe cannot stop the program, whatever it writes first.
[[noreturn]] void become(Invocation invocation, int out, int err) {
  if (invocation.to == Stdout::kFull) out = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ::dup2(::open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  if (invocation.to == Stdout::kClosed) ::close(STDOUT_FILENO);
  invocation.args.insert(invocation.args.begin(), "oomwitness");
  ::execve(OW_BIN, pointers(invocation.args).data(), pointers(invocation.environment).data());
  ::_exit(127);
}

}  // namespace

Ran run(const Invocation& invocation) {
  const int out = ::memfd_create("stdout", MFD_CLOEXEC);
  const int err = ::memfd_create("stderr", MFD_CLOEXEC);
  const pid_t pid = ::fork();
  if (pid == 0) become(invocation, out, err);
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  Ran ran{.code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status)};
  ran.out = take(out);
  ran.err = take(err);
  return ran;
}

Ran run(std::vector<std::string> args) {
  return run(Invocation{.args = std::move(args), .environment = {}, .to = Stdout::kKept});
}

}  // namespace oomwitness::cli
