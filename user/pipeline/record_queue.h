// SPDX-License-Identifier: BSD-2-Clause
// Records from the thread that empties the BPF ring to the one that makes incidents of them. One
// writer, one reader, no lock, no allocation: the room is mapped once and touched only when used.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "support/result.h"

namespace oomwitness {

class RecordQueue {
 public:
  // `bytes`: a power of two.
  static Result<RecordQueue> make(std::size_t bytes);
  RecordQueue(RecordQueue&& other) noexcept;
  RecordQueue(const RecordQueue&) = delete;
  RecordQueue& operator=(const RecordQueue&) = delete;
  RecordQueue& operator=(RecordQueue&&) = delete;
  ~RecordQueue();

  // The writer's. False, and counted in dropped(), when there is no room.
  bool push(std::span<const std::byte> record) noexcept;
  // The reader's: the oldest record into `out`; false when there is none.
  bool pop(std::vector<std::byte>& out);
  bool empty() const noexcept {
    return read_.load(std::memory_order_relaxed) == written_.load(std::memory_order_acquire);
  }
  std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }

 private:
  RecordQueue(std::byte* room, std::size_t bytes) : room_(room), bytes_(bytes) {}
  void copy_in(std::uint64_t at, std::span<const std::byte> bytes) noexcept;
  void copy_out(std::uint64_t at, std::span<std::byte> bytes) const noexcept;

  std::byte* room_;
  std::size_t bytes_;
  std::atomic<std::uint64_t> written_{0};  // bytes ever written; the index is modulo bytes_
  std::atomic<std::uint64_t> read_{0};
  std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace oomwitness
