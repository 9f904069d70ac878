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

// A text, compressed or not, or a file of systemd's journal, told by the first bytes; "-": stdin.
// The range is only a hint for what need not be read. Errors: those of open(2); EISDIR; a format
// that is not read.
OpenedLog make_opened(std::unique_ptr<ByteStream> stream);
Result<OpenedLog> open_log(const std::string& path, std::optional<std::int64_t> since_unix_ns = {},
                           std::optional<std::int64_t> until_unix_ns = {});

}  // namespace oomwitness
