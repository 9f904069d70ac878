// SPDX-License-Identifier: BSD-2-Clause
// Reading files that others write: sizes are bounded, only regular files are read (a FIFO put in
// the place of a state file would hang its reader), errors name the path.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "support/owned_fd.h"
#include "support/result.h"

namespace oomwitness {

inline constexpr std::size_t kMaxStateFileBytes = std::size_t{1} << 20U;

struct Bytes {
  std::string content;
  bool truncated = false;  // the file has more
};

// The first `max` bytes of `path`, relative to the folder `dir_fd` (or AT_FDCWD).
Result<Bytes> read_at_most(int dir_fd, const std::string& path, std::size_t max);

// A whole regular file of at most `max` bytes; a larger one is an error (EFBIG), and so is a last
// path component that is a symbolic link (ELOOP).
Result<std::string> read_state_file(const std::string& path, std::size_t max = kMaxStateFileBytes);

// The target of a symbolic link, at most PATH_MAX bytes.
Result<std::string> read_link_at(int dir_fd, const std::string& path);

// The names in a folder, "." and ".." left out, at most `max` of them.
Result<std::vector<std::string>> list_folder(const std::string& path, std::size_t max);

// True for a name that stays one component inside its folder: not empty, not "." or "..", no '/',
// no NUL.
bool is_single_component(std::string_view name);

}  // namespace oomwitness
