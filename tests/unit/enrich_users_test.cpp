// SPDX-License-Identifier: BSD-2-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "enrich/users.h"
#include "enrich_tree.h"

namespace oomwitness {
namespace {

TEST(FindUserTest, TakesTheFirstLineWithTheUid) {
  const char* const passwd =
      "root:x:0:0:root:/root:/bin/sh\n"
      "# daemon:x:7:7::/:/bin/false\n"
      "+nis:x:8:8::/:\n"
      "toor:x:0:0::/root:/bin/sh\n"
      ":x:9:9::/:\n"
      "broken\n"
      "half:x:\n"
      "big:x:4294967296:1::/:\n"
      "minus:x:-1:1::/:\n"
      "mongodb:x:110:65534::/nonexistent:/usr/sbin/nologin";
  EXPECT_EQ(find_user(passwd, 0), "root");
  EXPECT_EQ(find_user(passwd, 110), "mongodb");
  for (const std::uint32_t uid : {7U, 8U, 9U, 1U, 4294967295U})
    EXPECT_EQ(find_user(passwd, uid), std::nullopt) << uid;
}

TEST(UserNameTest, ReadsThePasswdOfTheRoot) {
  const test::MadeTree tree;
  EXPECT_FALSE(user_name(tree.roots(), 110));
  tree.write("etc/passwd", "mongodb:x:110:65534::/:/bin/sh\n");
  EXPECT_EQ(user_name(tree.roots(), 110), "mongodb");
  const auto unknown = user_name(tree.roots(), 111);
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message(), testing::HasSubstr("uid 111 is not in"));
}

}  // namespace
}  // namespace oomwitness
