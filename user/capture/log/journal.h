// SPDX-License-Identifier: BSD-2-Clause
// The kernel's and the user-space killers' lines in systemd's journal, through libsystemd
// (sd-journal(3)). The library is loaded when it is needed: a trace starts without it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "capture/log/byte_stream.h"

namespace oomwitness {

struct JournalOptions {
  std::vector<std::string> files;   // empty: this host's journal
  std::optional<std::string> boot;  // a boot id, "0" for the newest, "-1" for the one before
  std::optional<std::int64_t> since_unix_ns;
  std::optional<std::int64_t> until_unix_ns;
  bool follow = false;
  int stop_fd = -1;
};

// The entries as lines, oldest first. Errors, with a hint: there is no libsystemd.so.0, the binary
// is static, no journal can be read, no such boot.
Result<std::unique_ptr<ByteStream>> open_journal(const JournalOptions& options);

}  // namespace oomwitness
