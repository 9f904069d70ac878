// SPDX-License-Identifier: BSD-2-Clause
// Compares text with a file below tests/data/golden. OOMWITNESS_UPDATE_GOLDEN=1 in the environment
// writes the files instead (and skips): look at the difference before committing it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

namespace oomwitness {

inline void expect_golden(const std::filesystem::path& file, const std::string& actual) {
  const std::filesystem::path path = std::filesystem::path(GOLDEN_DIR) / file;
  // Nothing in a test changes the environment.  NOLINTNEXTLINE(concurrency-mt-unsafe)
  if (std::getenv("OOMWITNESS_UPDATE_GOLDEN") != nullptr) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << actual;
    GTEST_SKIP() << "written: " << path;
  }
  std::ifstream in(path, std::ios::binary);
  ASSERT_TRUE(in) << path << ": run once with OOMWITNESS_UPDATE_GOLDEN=1";
  const std::string expected{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(actual, expected) << path;
}

}  // namespace oomwitness
