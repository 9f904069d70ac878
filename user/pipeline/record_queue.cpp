// SPDX-License-Identifier: BSD-2-Clause
#include "pipeline/record_queue.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace oomwitness {

Result<RecordQueue> RecordQueue::make(std::size_t bytes) {
  void* room = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (room == MAP_FAILED) return fail(errno, "map " + std::to_string(bytes) + " bytes");
  return RecordQueue(static_cast<std::byte*>(room), bytes);
}

RecordQueue::RecordQueue(RecordQueue&& other) noexcept
    : room_(std::exchange(other.room_, nullptr)),
      bytes_(other.bytes_),
      written_(other.written_.load()),
      read_(other.read_.load()),
      dropped_(other.dropped_.load()) {}

RecordQueue::~RecordQueue() {
  if (room_ != nullptr) ::munmap(room_, bytes_);
}

void RecordQueue::copy_in(std::uint64_t at, std::span<const std::byte> bytes) noexcept {
  const std::size_t index = at & (bytes_ - 1);
  const std::size_t first = std::min(bytes.size(), bytes_ - index);
  std::memcpy(room_ + index, bytes.data(), first);
  std::memcpy(room_, bytes.data() + first, bytes.size() - first);
}

void RecordQueue::copy_out(std::uint64_t at, std::span<std::byte> bytes) const noexcept {
  const std::size_t index = at & (bytes_ - 1);
  const std::size_t first = std::min(bytes.size(), bytes_ - index);
  std::memcpy(bytes.data(), room_ + index, first);
  std::memcpy(bytes.data() + first, room_, bytes.size() - first);
}

bool RecordQueue::push(std::span<const std::byte> record) noexcept {
  const auto size = static_cast<std::uint32_t>(record.size());
  const std::uint64_t at = written_.load(std::memory_order_relaxed);
  const std::uint64_t used = at - read_.load(std::memory_order_acquire);
  if (used + sizeof(size) + size > bytes_) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  copy_in(at, std::as_bytes(std::span(&size, 1)));
  copy_in(at + sizeof(size), record);
  written_.store(at + sizeof(size) + size, std::memory_order_release);
  return true;
}

bool RecordQueue::pop(std::vector<std::byte>& out) {
  const std::uint64_t at = read_.load(std::memory_order_relaxed);
  if (at == written_.load(std::memory_order_acquire)) return false;
  std::uint32_t size = 0;
  copy_out(at, std::as_writable_bytes(std::span(&size, 1)));
  out.resize(size);
  copy_out(at + sizeof(size), out);
  read_.store(at + sizeof(size) + size, std::memory_order_release);
  return true;
}

}  // namespace oomwitness
