// SPDX-License-Identifier: BSD-2-Clause
#include "sink/json_file.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "export_items.h"

namespace oomwitness {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class JsonFileTest : public testing::Test {
 protected:
  JsonFileTest() {
    std::string name = (fs::temp_directory_path() / "oomwitness.XXXXXX").string();
    folder = ::mkdtemp(name.data());
    path = folder / "incidents.json";
  }
  ~JsonFileTest() override { fs::remove_all(folder); }
  JsonFileTest(const JsonFileTest&) = delete;
  JsonFileTest& operator=(const JsonFileTest&) = delete;

  JsonFileOptions options(std::uint64_t rotate_bytes = 0, unsigned keep = 3) const {
    return {.path = path, .rotate_bytes = rotate_bytes, .keep = keep, .sync = false};
  }
  static std::string text_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static std::string lines_of(const std::vector<ExportItem>& items) {
    std::string out;
    for (const ExportItem& item : items) out += item.json + "\n";
    return out;
  }

  fs::path folder;
  fs::path path;
  const std::vector<ExportItem> batch = sample_batch();
};

TEST_F(JsonFileTest, WritesALineAnIncidentAndAppends) {
  const mode_t before = ::umask(0077);
  JsonFile file("file", options());
  const ExportOutcome outcome = file.send(batch, {});
  EXPECT_EQ(outcome.taken, batch.back().seq);
  EXPECT_EQ(outcome.settled, batch.back().seq);
  EXPECT_EQ(outcome.sent, batch.size());
  file.send(batch, {});
  EXPECT_EQ(text_of(path), lines_of(batch) + lines_of(batch));
  struct stat found {};
  ASSERT_EQ(::stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777U, 0640U);
  ::umask(before);
}

TEST_F(JsonFileTest, TurnsOverBeforeItGrowsTooLargeAndKeepsSoMany) {
  const std::vector<ExportItem> one{batch[0]};
  JsonFile file("file", options(2 * one[0].json.size() + 2, 2));
  for (int n = 0; n < 7; ++n) EXPECT_EQ(file.send(one, {}).sent, 1U);
  EXPECT_EQ(text_of(path), lines_of(one));
  EXPECT_EQ(text_of(path.string() + ".1"), lines_of(one) + lines_of(one));
  EXPECT_TRUE(fs::exists(path.string() + ".2"));
  EXPECT_FALSE(fs::exists(path.string() + ".3"));
}

TEST_F(JsonFileTest, FollowsAFileThatLogrotateMoved) {
  JsonFile file("file", options());
  file.send(batch, {});
  fs::rename(path, folder / "moved");
  file.send(batch, {});
  EXPECT_EQ(text_of(path), lines_of(batch));
  EXPECT_EQ(text_of(folder / "moved"), lines_of(batch));
}

TEST_F(JsonFileTest, OpensAnewWhenAsked) {
  JsonFile file("file", options());
  file.send(batch, {});
  fs::remove(path);
  file.reopen();
  file.send(batch, {});
  EXPECT_EQ(text_of(path), lines_of(batch));
}

TEST_F(JsonFileTest, WhatACrashLeftOfALineIsCutOff) {
  std::ofstream(path) << "{\"other\":1}\n" << batch[0].json.substr(0, 200);
  JsonFile file("file", options());
  file.send(batch, {});
  EXPECT_EQ(text_of(path), "{\"other\":1}\n" + lines_of(batch));
}

TEST_F(JsonFileTest, AnotherProgramsLastLineStays) {
  std::ofstream(path) << "not ours";
  JsonFile file("file", options());
  file.send(batch, {});
  EXPECT_EQ(text_of(path), "not ours\n" + lines_of(batch));
}

TEST_F(JsonFileTest, SaysWhyItCannotOpen) {
  JsonFileOptions wrong = options();
  wrong.path = folder / "none" / "file";
  const ExportOutcome outcome = JsonFile("file", wrong).send(batch, {});
  EXPECT_EQ(outcome.taken, 0);
  EXPECT_EQ(outcome.sent, 0U);
  EXPECT_THAT(outcome.reason, HasSubstr("No such file or directory"));
}

TEST_F(JsonFileTest, WritesThroughNoLink) {
  fs::create_symlink(folder / "elsewhere", path);
  EXPECT_NE(JsonFile("file", options()).send(batch, {}).reason, "");
  EXPECT_FALSE(fs::exists(folder / "elsewhere"));
}

TEST_F(JsonFileTest, AFullDiskKeepsNoHalfLineAndGoesOnByItself) {
  if (::mount("none", folder.c_str(), "tmpfs", 0, "size=64k") != 0)
    GTEST_SKIP() << "a file system to fill needs the right to mount";
  {
    std::ofstream(folder / "ballast") << std::string(60 * 1024, 'x');
    const std::vector<ExportItem> one{batch[0]};
    JsonFile file("file", options());
    std::size_t written = 0;
    ExportOutcome outcome = file.send(one, {});
    for (; outcome.sent == 1; outcome = file.send(one, {})) ++written;
    EXPECT_THAT(outcome.reason, HasSubstr("No space left on device"));
    std::string expected;
    for (std::size_t n = 0; n < written; ++n) expected += lines_of(one);
    EXPECT_EQ(text_of(path), expected) << "whole lines only";
    fs::remove(folder / "ballast");
    EXPECT_EQ(file.send(one, {}).sent, 1U);
    EXPECT_EQ(text_of(path), expected + lines_of(one));
  }
  ::umount(folder.c_str());
}

}  // namespace
}  // namespace oomwitness
