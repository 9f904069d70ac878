// SPDX-License-Identifier: BSD-2-Clause
// Folders and small files without allocation: for a recorder that must not ask for memory while
// there is none.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "support/owned_fd.h"

namespace oomwitness {

// Enough for what is read here: the largest is /proc/meminfo, with 1.5 KiB.
using SmallBuffer = std::array<char, 8192>;

// A file's content from its beginning, as much as there is room for; nothing when it cannot be read
// (its process or cgroup has gone).
std::optional<std::string_view> read_again(int fd, SmallBuffer& buffer);

OwnedFd open_below(int folder_fd, const char* path, int flags);
// Opens, reads and closes.
std::optional<std::string_view> read_below(int folder_fd, const char* path, SmallBuffer& buffer);

// A function that is called, not kept.
template <typename Call>
class FunctionRef;
template <typename... Args>
class FunctionRef<void(Args...)> {
 public:
  template <typename Callable>
  // NOLINTNEXTLINE(google-explicit-constructor): stands for the callable at the call
  FunctionRef(const Callable& callable)
      : object_(&callable), call_([](const void* object, Args... args) {
          (*static_cast<const Callable*>(object))(args...);
        }) {}
  void operator()(Args... args) const { call_(object_, args...); }

 private:
  const void* object_;
  void (*call_)(const void*, Args...);
};

// Every name in the folder but "." and "..", NUL-terminated, and whether it is a folder itself.
void for_each_entry(int folder_fd, FunctionRef<void(const char* name, bool folder)> take);

}  // namespace oomwitness
