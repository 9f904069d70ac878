// SPDX-License-Identifier: BSD-2-Clause
// The kernel's log, live (/dev/kmsg: kernel/printk/printk.c, Documentation/ABI/testing/dev-kmsg).
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "support/owned_fd.h"
#include "support/result.h"

namespace oomwitness {

// "6,339,5140900,-;text\n SUBSYSTEM=acpi\n": what one read() gives.
struct KmsgRecord {
  std::uint32_t facility = 0;  // 0: the kernel itself
  std::uint64_t sequence = 0;
  std::uint64_t at_ns = 0;  // see Kmsg::drain
  std::string text;         // without the \xNN escapes: any bytes, newlines too
};

// Absent: not a record.
std::optional<KmsgRecord> parse_kmsg_record(std::string_view raw);

class Kmsg {
 public:
  using Read = std::function<ssize_t(int, void*, std::size_t)>;
  using Take = std::function<void(std::uint64_t at_ns, std::string_view text)>;
  enum class From { kNow, kOldest };

  // Begins after what the log holds now, or with the oldest message in it. Errors: EPERM with
  // kernel.dmesg_restrict without CAP_SYSLOG, EACCES, ENOENT.
  static Result<Kmsg> open(const std::string& path = "/dev/kmsg", From from = From::kNow);
  // `read`: ::read, or what stands in for it.
  Kmsg(OwnedFd fd, Read read);

  // Leaves out what was logged before the message with this number; of those from it on that have
  // been overwritten, lost() tells. To be called before the first drain().
  void begin_at(std::uint64_t sequence);

  // To poll. POLLERR beside POLLIN means that messages were lost: drain() counts them.
  int fd() const { return fd_.get(); }

  // Gives the kernel's messages until there are no more, at most 16384 in one call. Messages that
  // user space wrote to /dev/kmsg go to `foreign`, where that is given; the kernel does not let it
  // write with its own facility, so nobody can forge a kill.
  // `at_ns` is the kernel's stamp, of its local_clock() in whole microseconds. It counts from boot
  // like CLOCK_MONOTONIC and stops with it during a suspend, but time adjustment does not steer it:
  // they drift apart, by some ms to a few s after days. Good for ordering and for differences.
  // Errors: read() fails otherwise than by EAGAIN, EINTR, EPIPE or EINVAL.
  Status drain(const Take& take, const Take& foreign = {});

  // Messages overwritten before they could be read, so far; a caller tells its LogParser to flush.
  std::uint64_t lost() const { return lost_; }

  // The number of the first message read, counted from boot: not 0 when older ones have been
  // overwritten; absent when none has been read. And that of the next.
  std::optional<std::uint64_t> first() const { return first_; }
  std::optional<std::uint64_t> next() const { return expected_; }

 private:
  void count_gap(std::uint64_t sequence);
  void give(std::string_view raw, const Take& take, const Take& foreign);

  OwnedFd fd_;
  Read read_;
  std::uint64_t lost_ = 0;
  bool overrun_ = false;  // since the last record
  std::uint64_t begin_ = 0;
  std::optional<std::uint64_t> first_;
  std::optional<std::uint64_t> expected_;  // the next record's sequence number
};

}  // namespace oomwitness
