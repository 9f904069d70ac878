// SPDX-License-Identifier: BSD-2-Clause
// A log's text, piece by piece, each with as much of the piece before as its reader still needs.
// However large the log, some MiB are in memory.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "capture/log/byte_stream.h"
#include "support/owned_fd.h"
#include "support/result.h"

namespace oomwitness {

class Pieces {
 public:
  Pieces() = default;
  Pieces(const Pieces&) = delete;
  Pieces& operator=(const Pieces&) = delete;
  Pieces(Pieces&&) = delete;
  Pieces& operator=(Pieces&&) = delete;
  virtual ~Pieces() = default;

  // The last `again` bytes of the piece before, then what is new; nothing new: the end, or with a
  // stream that is followed, nothing yet. Valid until the next call.
  virtual Result<std::string_view> next(std::size_t again) = 0;

  // As of ByteStream.
  virtual Result<Wake> wait(std::optional<std::chrono::milliseconds> /*quiet_after*/) {
    return Wake::kStop;
  }
  virtual bool take_gap() { return false; }
  virtual std::uint64_t consumed() const = 0;
};

// What a stream gives, in a buffer.
class StreamPieces : public Pieces {
 public:
  explicit StreamPieces(std::unique_ptr<ByteStream> stream);

  Result<std::string_view> next(std::size_t again) override;
  Result<Wake> wait(std::optional<std::chrono::milliseconds> quiet_after) override {
    return stream_->wait(quiet_after);
  }
  bool take_gap() override { return stream_->take_gap(); }
  std::uint64_t consumed() const override { return stream_->consumed(); }

 private:
  std::unique_ptr<ByteStream> stream_;
  std::vector<char> buffer_;
  std::size_t size_ = 0;
};

// A regular file, mapped a window at a time: to copy it would take longer than to search it. A
// file that shrinks meanwhile is an error, not a SIGBUS. One at a time in a process.
class MappedPieces : public Pieces {
 public:
  // Where mapping the file is not possible: StreamPieces on the same descriptor.
  static std::unique_ptr<Pieces> open(OwnedFd fd, std::string name);

  MappedPieces(OwnedFd fd, std::string name);
  ~MappedPieces() override;
  MappedPieces(const MappedPieces&) = delete;
  MappedPieces& operator=(const MappedPieces&) = delete;
  MappedPieces(MappedPieces&&) = delete;
  MappedPieces& operator=(MappedPieces&&) = delete;

  Result<std::string_view> next(std::size_t again) override;
  std::uint64_t consumed() const override { return end_; }

 private:
  Result<std::uint64_t> size_now() const;
  Status map(std::uint64_t begin, std::uint64_t end);
  void unmap();

  OwnedFd fd_;
  std::string name_;
  std::uint64_t end_ = 0;  // of the window, in the file
  char* window_ = nullptr;
  std::size_t window_bytes_ = 0;
};

}  // namespace oomwitness
