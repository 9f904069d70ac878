// SPDX-License-Identifier: BSD-2-Clause
#include "cli/libexec.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "cli/terminal.h"

namespace oomwitness {

Error become(const std::string& program, std::vector<std::string> arguments) {
  std::error_code unread;
  const auto folder = std::filesystem::read_symlink("/proc/self/exe", unread).parent_path();
  if (unread) return {unread, "find " + program + ": read /proc/self/exe", ""};
  arguments.insert(arguments.begin(), program);
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  argv.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const auto installed = folder.parent_path() / "libexec" / "oomwitness" / program;
  for (const auto& path : {folder / program, installed}) {
    ::execv(path.c_str(), argv.data());
    if (errno != ENOENT) return {{errno, std::generic_category()}, "run " + path.string(), ""};
  }
  return {{ENOENT, std::generic_category()},
          "run " + installed.string(),
          "this command is a program of its own: install it, or build it (cmake --build)"};
}

Result<Piped> run_beside(const std::string& program, std::vector<std::string> arguments) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(errno, "run " + program + ": pipe");
  OwnedFd out(ends[0]);
  const OwnedFd in(ends[1]);
  const pid_t pid = ::fork();
  if (pid < 0) return fail(errno, "run " + program + ": fork");
  if (pid == 0) {
    ::dup2(in.get(), STDOUT_FILENO);
    print_error(become(program, std::move(arguments)));
    ::_exit(1);
  }
  return Piped{std::move(out), pid};
}

int wait_for_end(const Piped& piped) {
  int status = 0;
  while (::waitpid(piped.pid, &status, 0) < 0 && errno == EINTR) {
  }
  constexpr int kSignalled = 128;
  return WIFEXITED(status) ? WEXITSTATUS(status) : kSignalled + WTERMSIG(status);
}

}  // namespace oomwitness
