// SPDX-License-Identifier: BSD-2-Clause
// Where the bytes of a log come from: a file, a pipe, a decompressor, the journal.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "support/owned_fd.h"
#include "support/result.h"

namespace oomwitness {

enum class Wake {
  kMore,   // there is something to read, or the end
  kQuiet,  // nothing came for as long as asked
  kStop,   // the user wants no more
};

class ByteStream {
 public:
  ByteStream() = default;
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;
  ByteStream(ByteStream&&) = delete;
  ByteStream& operator=(ByteStream&&) = delete;
  virtual ~ByteStream() = default;

  // Up to `room` bytes, at least one; 0: the end, or with a stream that is followed, nothing yet.
  virtual Result<std::size_t> read(std::span<char> room) = 0;

  // For who follows a log: sleeps until there is more, at most for `quiet_after`.
  virtual Result<Wake> wait(std::optional<std::chrono::milliseconds> /*quiet_after*/) {
    return Wake::kStop;
  }

  // Whether something is missing behind what has been read so far; asking again forgets it.
  virtual bool take_gap() { return false; }

  // Bytes of the file that have been used, compressed as they are.
  virtual std::uint64_t consumed() const { return 0; }
};

// poll(2) on `fd` and on `stop_fd` (-1: none).
Result<Wake> wait_for(int fd, int stop_fd, std::optional<std::chrono::milliseconds> quiet_after);

// Reads a descriptor; where it is a pipe, a socket or a terminal, read() waits for more.
class FdStream : public ByteStream {
 public:
  FdStream(OwnedFd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}

  Result<std::size_t> read(std::span<char> room) override;
  std::uint64_t consumed() const override { return consumed_; }

 private:
  OwnedFd fd_;
  std::string name_;
  std::uint64_t consumed_ = 0;
};

// A pipe, a socket or a terminal that is followed: only wait() waits, and ends when whoever writes
// is gone. `stop_fd`: readable when the user wants no more; -1: none.
class FollowedFd : public ByteStream {
 public:
  FollowedFd(OwnedFd fd, std::string name, int stop_fd)
      : fd_(std::move(fd)), name_(std::move(name)), stop_fd_(stop_fd) {}

  Result<std::size_t> read(std::span<char> room) override;
  Result<Wake> wait(std::optional<std::chrono::milliseconds> quiet_after) override;

 private:
  OwnedFd fd_;
  std::string name_;
  int stop_fd_;
  bool ended_ = false;
};

}  // namespace oomwitness
