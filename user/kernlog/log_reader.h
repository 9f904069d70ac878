// SPDX-License-Identifier: BSD-2-Clause
// A log file's lines in, one LogReport for each OOM kill out. Pure and streaming: whatever the log,
// it holds one open report a host and a few lines.
//
// Lines come as the file has them, with the prefixes of syslog, journalctl, dmesg, serial consoles
// and container logs. What user space logged is not the kernel's word, however it looks: lines that
// their prefix gives to another program or facility are left out.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "assemble/observation.h"

namespace oomwitness {

struct LogReaderOptions {
  // The newest time a line can have, in ns since 1970: gives stamps without a year theirs. 0: such
  // stamps give no time.
  std::int64_t newest_unix_ns = 0;
  // UTC seconds of a stamp without a zone, which is given as if it were UTC; empty: it is UTC.
  std::function<std::int64_t(std::int64_t)> to_utc;
};

class LogReader {
 public:
  explicit LogReader(LogReaderOptions options = {});
  LogReader(const LogReader&) = delete;
  LogReader& operator=(const LogReader&) = delete;
  LogReader(LogReader&&) noexcept;
  LogReader& operator=(LogReader&&) noexcept;
  ~LogReader();

  // One line without its newline; it may end in CR and hold any bytes.
  void line(std::string_view raw);

  // The reports that are complete, oldest first.
  std::vector<LogReport> take();

  // No report is open: lines may be left out until one near an anchor (anchors.h) comes.
  bool idle() const;

  // Every open report has its outcome: only lines with an anchor can still add to one.
  bool settled() const;

  // The caller left lines out between the last line and the next.
  void skipped();

  // The end of the log: what is open is complete. The next line() begins another log.
  void flush();

  // Lines that looked like the kernel's but were logged by user space.
  std::uint64_t forged() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace oomwitness
