// SPDX-License-Identifier: BSD-2-Clause
// The kernel's and the user-space killers' entries in systemd's journal, through libsystemd
// (sd-journal(3)). The library is loaded when it is needed: a trace starts without it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "capture/log/byte_stream.h"

namespace oomwitness {

struct JournalQuery {
  std::vector<std::string> files;   // empty: this host's journal
  std::string folder;               // all the files in and below it instead; empty: not so
  std::optional<std::string> boot;  // a boot id, "0" for the newest, "-1" for the one before
  std::optional<std::int64_t> since_unix_ns;
  std::optional<std::int64_t> until_unix_ns;
  // Entries that the journal took before that time are left out; CLOCK_MONOTONIC of their boot.
  std::uint64_t since_monotonic_ns = 0;
  bool kernel_only = false;  // not the user-space killers
  bool follow = false;
  int stop_fd = -1;
};

// The entries as `journalctl -o json` prints them, one a line, oldest first: a message keeps its
// newlines, and what user space wrote into the kernel's buffer its facility. Errors, with a hint:
// there is no libsystemd.so.0, the binary is static, no journal can be read, no such boot.
Result<std::unique_ptr<ByteStream>> open_journal(const JournalQuery& options);

// The boots it has entries of, oldest first: ids of 32 hexadecimal digits. Looks at `files` and
// `folder` alone; errors as above.
Result<std::vector<std::string>> journal_boots(const JournalQuery& options);

}  // namespace oomwitness
