// SPDX-License-Identifier: BSD-2-Clause
// Any file that can hold a log, as its text.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "capture/log/pieces.h"

namespace oomwitness {

struct OpenedLog {
  std::unique_ptr<Pieces> pieces;
  std::uint64_t bytes = 0;  // of the file as it is; 0: not known, or it has none
};

OpenedLog make_opened(std::unique_ptr<ByteStream> stream);

// What need not be read. Only a hint.
struct LogRange {
  std::optional<std::int64_t> since_unix_ns;
  std::optional<std::int64_t> until_unix_ns;
};

// A text, compressed or not, or a file of systemd's journal, told by the first bytes; "-": stdin.
// Errors: those of open(2); EISDIR; a format that is not read.
Result<OpenedLog> open_log(const std::string& path, const LogRange& range = {});

// The same, and what is added to it; for Pieces::wait(). Errors: also EINVAL for what is compressed
// and does not grow. `stop_fd`: readable when the user wants no more; -1: none.
Result<OpenedLog> follow_log(const std::string& path, const LogRange& range, int stop_fd);

}  // namespace oomwitness
