// SPDX-License-Identifier: BSD-2-Clause
#include "cli/libexec.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace oomwitness {

Error become(const std::string& program, std::vector<std::string> arguments) {
  std::error_code unread;
  const auto folder = std::filesystem::read_symlink("/proc/self/exe", unread).parent_path();
  if (unread) return {unread, "find " + program + ": read /proc/self/exe", ""};
  arguments.insert(arguments.begin(), program);
  std::vector<char*> argv;
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

}  // namespace oomwitness
