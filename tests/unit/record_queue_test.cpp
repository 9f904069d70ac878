// SPDX-License-Identifier: BSD-2-Clause
// The two threads' test is worth most under ThreadSanitizer (preset tsan).
#include "pipeline/record_queue.h"

#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace oomwitness {
namespace {

constexpr std::size_t kRoom = 4096;
constexpr std::size_t kLength = sizeof(std::uint32_t);  // goes before each record

// Of any size from 8 up: its number, then bytes that follow from it.
std::vector<std::byte> numbered(std::uint64_t number, std::size_t size) {
  std::vector<std::byte> record(size, static_cast<std::byte>(number * 7 + size));
  std::memcpy(record.data(), &number, sizeof(number));
  return record;
}

std::uint64_t number_of(const std::vector<std::byte>& record) {
  std::uint64_t number = 0;
  std::memcpy(&number, record.data(), sizeof(number));
  return number;
}

RecordQueue queue_of(std::size_t bytes = kRoom) {
  auto queue = RecordQueue::make(bytes);
  EXPECT_TRUE(queue);
  return *std::move(queue);
}

TEST(RecordQueue, StartsEmpty) {
  RecordQueue queue = queue_of();
  std::vector<std::byte> out(3);
  EXPECT_TRUE(queue.empty());
  EXPECT_FALSE(queue.pop(out));
  EXPECT_EQ(out.size(), 3U);
  EXPECT_EQ(queue.dropped(), 0U);
}

TEST(RecordQueue, FirstInFirstOutWithTheirOwnSizes) {
  RecordQueue queue = queue_of();
  for (const std::size_t size : {8U, 100U, 9U}) EXPECT_TRUE(queue.push(numbered(size, size)));
  std::vector<std::byte> out;
  for (const std::size_t size : {8U, 100U, 9U}) {
    EXPECT_FALSE(queue.empty());
    ASSERT_TRUE(queue.pop(out));
    EXPECT_EQ(out, numbered(size, size));
  }
  EXPECT_TRUE(queue.empty());
  EXPECT_FALSE(queue.pop(out));
}

TEST(RecordQueue, EveryPlaceOfTheWrap) {
  // The room moves on by 12 and more bytes a record: lengths and records alike lie over its end.
  RecordQueue queue = queue_of();
  std::vector<std::byte> out;
  for (std::uint64_t number = 0; number < 5000; ++number) {
    const auto record = numbered(number, 8 + number % 301);
    ASSERT_TRUE(queue.push(record));
    ASSERT_TRUE(queue.pop(out));
    ASSERT_EQ(out, record);
  }
  EXPECT_EQ(queue.dropped(), 0U);
}

// The kernel maps one queue's room right beside the other's: who writes past its end is seen.
TEST(RecordQueue, WrapsInsideItsOwnRoom) {
  constexpr std::size_t kQueues = 8;
  std::vector<std::byte> out;
  for (std::size_t wraps = 0; wraps < kQueues; ++wraps) {
    std::vector<RecordQueue> queues;
    queues.reserve(kQueues);
    for (std::size_t i = 0; i < kQueues; ++i) {
      queues.push_back(queue_of());
      EXPECT_TRUE(queues.back().push(numbered(i, 2000)));
    }
    EXPECT_TRUE(queues[wraps].push(numbered(20, 2000)));
    ASSERT_TRUE(queues[wraps].pop(out));
    EXPECT_TRUE(queues[wraps].push(numbered(30, 1500)));  // over the end of its room
    for (std::size_t i = 0; i < kQueues; ++i) {
      ASSERT_TRUE(queues[i].pop(out));
      EXPECT_EQ(out, numbered(i == wraps ? 20 : i, 2000));
    }
    ASSERT_TRUE(queues[wraps].pop(out));
    EXPECT_EQ(out, numbered(30, 1500));
  }
}

TEST(RecordQueue, TakesWhatFillsItToTheLastByte) {
  RecordQueue queue = queue_of();
  const auto record = numbered(1, kRoom - kLength);
  EXPECT_FALSE(queue.push(numbered(2, kRoom - kLength + 1)));
  EXPECT_EQ(queue.dropped(), 1U);
  EXPECT_TRUE(queue.push(record));
  std::vector<std::byte> out;
  ASSERT_TRUE(queue.pop(out));
  EXPECT_EQ(out, record);
}

TEST(RecordQueue, WhatDoesNotFitIsCountedAndChangesNothing) {
  RecordQueue queue = queue_of();
  std::uint64_t pushed = 0;
  while (queue.push(numbered(pushed, 124))) ++pushed;
  EXPECT_EQ(pushed, kRoom / (124 + kLength));
  EXPECT_FALSE(queue.push(numbered(99, 124)));
  EXPECT_EQ(queue.dropped(), 2U);
  std::vector<std::byte> out;
  for (std::uint64_t number = 0; number < pushed; ++number) {
    ASSERT_TRUE(queue.pop(out));
    EXPECT_EQ(out, numbered(number, 124));
  }
  EXPECT_FALSE(queue.pop(out));
  EXPECT_TRUE(queue.push(numbered(7, 124)));
  ASSERT_TRUE(queue.pop(out));
  EXPECT_EQ(number_of(out), 7U);
}

TEST(RecordQueue, MovesWithItsRecordsAndItsCount) {
  RecordQueue queue = queue_of();
  EXPECT_TRUE(queue.push(numbered(5, 64)));
  EXPECT_FALSE(queue.push(numbered(6, kRoom)));
  RecordQueue moved = std::move(queue);
  EXPECT_EQ(moved.dropped(), 1U);
  std::vector<std::byte> out;
  ASSERT_TRUE(moved.pop(out));
  EXPECT_EQ(out, numbered(5, 64));
}

TEST(RecordQueue, NoRoomToMapIsAnError) {
  EXPECT_FALSE(RecordQueue::make(std::size_t{1} << 62U));
}

TEST(RecordQueue, TwoThreads) {
  constexpr std::uint64_t kRecords = 20'000;
  RecordQueue queue = queue_of();
  std::thread writer([&queue] {
    for (std::uint64_t number = 0; number < kRecords; ++number) {
      const auto record = numbered(number, 8 + number % 257);
      // The reader always empties it: there will be room.
      while (!queue.push(record)) std::this_thread::yield();
    }
  });
  std::vector<std::byte> out;
  std::uint64_t wrong = 0;
  for (std::uint64_t number = 0; number < kRecords;) {
    if (!queue.pop(out)) {
      std::this_thread::yield();
      continue;
    }
    if (out != numbered(number, 8 + number % 257)) ++wrong;
    ++number;
  }
  writer.join();
  EXPECT_EQ(wrong, 0U);
  EXPECT_FALSE(queue.pop(out));
}

TEST(RecordQueue, AReaderThatFallsBehindGetsWhatWasNotDropped) {
  constexpr std::uint64_t kRecords = 20'000;
  RecordQueue queue = queue_of();
  std::atomic<bool> written{false};
  std::thread writer([&] {
    for (std::uint64_t number = 0; number < kRecords; ++number) queue.push(numbered(number, 64));
    written.store(true, std::memory_order_release);
  });
  std::vector<std::byte> out;
  std::uint64_t got = 0;
  std::uint64_t wrong = 0;
  std::uint64_t next = 0;
  for (;;) {
    const bool last = written.load(std::memory_order_acquire);
    if (!queue.pop(out)) {
      if (last) break;
      std::this_thread::yield();
      continue;
    }
    ++got;
    const std::uint64_t number = number_of(out);
    if (number < next || out != numbered(number, 64)) ++wrong;
    next = number + 1;
  }
  writer.join();
  EXPECT_EQ(wrong, 0U);
  EXPECT_EQ(got + queue.dropped(), kRecords);
}

}  // namespace
}  // namespace oomwitness
