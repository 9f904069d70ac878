// SPDX-License-Identifier: BSD-2-Clause
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>

#include "capture/log/open_log.h"
#include "capture/log/pieces.h"
#include "packed.h"

namespace oomwitness {
namespace {

using ::testing::HasSubstr;

class LogPieces : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& name, std::string_view text) const {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  std::string folder_ = ::testing::TempDir() + "pieces-" + std::to_string(::getpid());
};

// All of a log, each byte once, while `again` bytes are asked for again.
std::string all_of(Pieces& pieces, std::size_t again) {
  std::string text;
  std::size_t kept = 0;
  for (;;) {
    const auto piece = pieces.next(kept);
    EXPECT_TRUE(piece) << piece.error().message();
    if (!piece) return text;
    EXPECT_EQ(piece->substr(0, kept), std::string_view(text).substr(text.size() - kept));
    if (piece->size() == kept) return text;
    text += piece->substr(kept);
    kept = std::min(again, piece->size());
  }
}

std::string numbered(std::size_t bytes) {
  std::string text;
  for (int i = 0; text.size() < bytes; ++i) text += std::to_string(i) + "\n";
  return text;
}

TEST_F(LogPieces, GiveEveryByteOnceAndTheLastOnesAgain) {
  const std::string text = numbered(5'000'000);
  const std::string plain = file("plain", text);
  const std::string packed = file("packed", gzip(text));
  for (const std::size_t again : {0U, 1U, 4096U, 5000U, 160'000U}) {
    for (const std::string& path : {plain, packed}) {
      auto opened = open_log(path);
      ASSERT_TRUE(opened);
      EXPECT_EQ(all_of(*opened->pieces, again), text) << path << " " << again;
    }
  }
}

TEST_F(LogPieces, SizesAroundAWindow) {
  for (const std::size_t size : {1U, 4095U, 4096U, 4097U, 2U << 20U, (2U << 20U) + 1}) {
    const std::string text(size, 'x');
    auto opened = open_log(file("a", text));
    ASSERT_TRUE(opened);
    EXPECT_EQ(all_of(*opened->pieces, 10), text) << size;
  }
}

TEST_F(LogPieces, NothingInAnEmptyFileAndInDevNull) {
  for (const std::string& path : {file("empty", ""), std::string("/dev/null")}) {
    auto opened = open_log(path);
    ASSERT_TRUE(opened) << path;
    EXPECT_EQ(all_of(*opened->pieces, 10), "");
  }
}

TEST_F(LogPieces, FilesWithoutASizeAreRead) {
  auto opened = open_log("/proc/self/status");
  ASSERT_TRUE(opened);
  EXPECT_THAT(all_of(*opened->pieces, 10), HasSubstr("VmHWM"));
}

// Truncated between two pieces, and under a window that is in use: neither may end in SIGBUS.
TEST_F(LogPieces, AFileThatShrinksIsAnError) {
  const std::string path = file("a", std::string(6'000'000, 'x'));
  auto opened = open_log(path);
  ASSERT_TRUE(opened);
  const auto piece = opened->pieces->next(0);
  ASSERT_TRUE(piece);
  ASSERT_EQ(::truncate(path.c_str(), 5000), 0);
  std::size_t zeros = 0;
  for (const char c : *piece) zeros += c == '\0' ? 1 : 0;
  EXPECT_GE(zeros, piece->size() - 8192);
  const auto next = opened->pieces->next(0);
  ASSERT_FALSE(next);
  EXPECT_THAT(next.error().message(), HasSubstr("shrank"));
}

TEST_F(LogPieces, WhatIsAppendedMeanwhileIsRead) {
  const std::string path = file("a", "one\n");
  auto opened = open_log(path);
  ASSERT_TRUE(opened);
  ASSERT_EQ(opened->pieces->next(0).value(), "one\n");
  std::ofstream(path, std::ios::app) << "two\n";
  EXPECT_EQ(opened->pieces->next(0).value(), "two\n");
  EXPECT_EQ(opened->pieces->next(0).value(), "");
}

TEST_F(LogPieces, WhatIsNoLogSaysSo) {
  EXPECT_THAT(open_log(folder_).error().message(), HasSubstr("Is a directory"));
  EXPECT_THAT(open_log(folder_ + "/none").error().message(), HasSubstr("No such file"));
  EXPECT_THAT(open_log(file("b", "BZh91AY&SY")).error().message(), HasSubstr("bzip2"));
}

// What unpacks to far more than it is, is read in the same room as anything else.
TEST_F(LogPieces, ABombStaysSmall) {
  constexpr std::size_t kBytes = std::size_t{200} << 20U;
  for (const std::string& packed :
       {gzip(std::string(kBytes, 'x')), zstd(std::string(kBytes, 'x'))}) {
    auto opened = open_log(file("bomb", packed));
    ASSERT_TRUE(opened);
    std::size_t total = 0;
    for (;;) {
      const auto piece = opened->pieces->next(0);
      ASSERT_TRUE(piece);
      if (piece->empty()) break;
      ASSERT_LE(piece->size(), 2U << 20U);
      total += piece->size();
    }
    EXPECT_EQ(total, kBytes);
  }
}

}  // namespace
}  // namespace oomwitness
