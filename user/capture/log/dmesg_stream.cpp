// SPDX-License-Identifier: BSD-2-Clause
#include "capture/log/dmesg_stream.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "capture/kmsg.h"

namespace oomwitness {
namespace {

// PRINTK_MESSAGE_MAX is 2048, and an escaped byte takes four.
constexpr std::size_t kRecordBytes = 16384;
constexpr std::size_t kQueueBytes = 1U << 16U;

}  // namespace

Result<std::unique_ptr<ByteStream>> DmesgStream::open(const std::string& path,
                                                      DmesgOptions options) {
  OwnedFd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (fd.get() < 0) {
    const int error = errno;
    return fail(error, "open " + path,
                error == EPERM || error == EACCES
                    ? "run as root or with CAP_SYSLOG: kernel.dmesg_restrict hides the kernel's log"
                    : "");
  }
  return std::unique_ptr<ByteStream>(
      std::make_unique<DmesgStream>(std::move(fd), std::move(options), ::read));
}

// False: there is no more for now.
Result<bool> DmesgStream::read_record() {
  std::array<char, kRecordBytes> bytes;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  const ssize_t got = read_(fd_.get(), bytes.data(), bytes.size());
  if (got == 0) return false;
  if (got < 0) {
    const int error = errno;
    if (error == EAGAIN) return false;
    if (error != EPIPE && error != EINTR) return fail(error, "read the kernel's log");
    gap_ = gap_ || error == EPIPE;  // the record we stood at has been overwritten
    return true;
  }
  const auto record = parse_kmsg_record({bytes.data(), static_cast<std::size_t>(got)});
  if (!record || record->facility != 0) return true;
  append_line(queue_.lines(), {.unix_ns = options_.unix_minus_monotonic_ns +
                                          static_cast<std::int64_t>(record->at_ns),
                               .host = options_.host,
                               .tag = "kernel",
                               .monotonic_ns = record->at_ns,
                               .text = record->text});
  return true;
}

Result<std::size_t> DmesgStream::read(std::span<char> room) {
  for (bool more = true; more && !gap_ && queue_.lines().size() < kQueueBytes;) {
    TRY(more, read_record());
  }
  return queue_.take(room);
}

Result<Wake> DmesgStream::wait(std::optional<std::chrono::milliseconds> quiet_after) {
  if (!options_.follow) return Wake::kStop;
  return wait_for(fd_.get(), options_.stop_fd, quiet_after);
}

}  // namespace oomwitness
