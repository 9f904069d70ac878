// SPDX-License-Identifier: BSD-2-Clause
// What the kernel's own buffer holds (/dev/kmsg), as a log.
#pragma once

#include <functional>
#include <string>

#include "capture/log/byte_stream.h"
#include "capture/log/log_line.h"

namespace oomwitness {

struct DmesgOptions {
  std::string host;
  // Added to the kernel's stamps. They stop while the machine is suspended: what was logged before
  // a suspend seems later than it was (dmesg(1), -T).
  std::int64_t unix_minus_monotonic_ns = 0;
  bool follow = false;
  int stop_fd = -1;
};

// Lines that user space wrote into the buffer are left out: they have another facility.
class DmesgStream : public ByteStream {
 public:
  using Read = std::function<ssize_t(int, void*, std::size_t)>;

  // Errors: EPERM with kernel.dmesg_restrict without CAP_SYSLOG, EACCES, ENOENT.
  static Result<std::unique_ptr<ByteStream>> open(const std::string& path, DmesgOptions options);
  // `read`: ::read, or what stands in for it.
  DmesgStream(OwnedFd fd, DmesgOptions options, Read read)
      : fd_(std::move(fd)), options_(std::move(options)), read_(std::move(read)) {}

  Result<std::size_t> read(std::span<char> room) override;
  Result<Wake> wait(std::optional<std::chrono::milliseconds> quiet_after) override;
  bool take_gap() override { return std::exchange(gap_, false); }

 private:
  Result<bool> read_record();

  OwnedFd fd_;
  DmesgOptions options_;
  Read read_;
  LineQueue queue_;
  bool gap_ = false;
};

}  // namespace oomwitness
