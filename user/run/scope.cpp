// SPDX-License-Identifier: BSD-2-Clause
#include "run/scope.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <vector>

#include "enrich/bounded_read.h"
#include "enrich/roots.h"

namespace oomwitness {
namespace {

std::string runtime_folder() {
  return "/run/user/" + std::to_string(::geteuid());
}

}  // namespace

bool has_systemd_manager(const std::string& root) {
  const bool system = ::geteuid() == 0;
  const std::string socket = (system ? "/run" : runtime_folder()) + "/systemd/private";
  return ::access(Roots::join(root, socket).c_str(), W_OK) == 0 &&
         ::access(Roots::join(root, "usr/bin/systemd-run").c_str(), X_OK) == 0;
}

Status enter_scope(std::span<const std::string> argv) {
  TRY(const std::string self, read_link_at(AT_FDCWD, "/proc/self/exe"));
  std::vector<std::string> words{"systemd-run"};
  if (::geteuid() != 0) {
    words.emplace_back("--user");
    // Where it finds the user's manager; in a job that no login has begun nothing has set it.
    // NOLINTNEXTLINE(concurrency-mt-unsafe): before threads
    ::setenv("XDG_RUNTIME_DIR", runtime_folder().c_str(), 0);
  }
  for (const char* word : {"--scope", "--quiet", "--collect", "--property=Delegate=yes", "--"})
    words.emplace_back(word);
  words.push_back(self);
  words.insert(words.end(), argv.begin() + 1, argv.end());
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  ::execv("/usr/bin/systemd-run", pointers.data());
  return fail(errno, "start systemd-run");
}

}  // namespace oomwitness
