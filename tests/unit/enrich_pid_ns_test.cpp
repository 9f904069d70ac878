// SPDX-License-Identifier: BSD-2-Clause
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "enrich/pid_ns.h"
#include "enrich_tree.h"

namespace oomwitness {
namespace {

using testing::HasSubstr;

constexpr std::uint32_t kOther = 4026532189;

TEST(ParseNsLinkTest, TakesPidNamespacesOnly) {
  EXPECT_EQ(parse_ns_link("pid:[4026531836]"), kInitialPidNs);
  for (const char* link :
       {"", "pid:[]", "pid:[x]", "mnt:[4026531836]", "pid:[4026531836", "pid:[1]x"})
    EXPECT_FALSE(parse_ns_link(link)) << link;
}

class ProcPidNsTest : public testing::Test {
 protected:
  test::MadeTree tree_;
};

TEST_F(ProcPidNsTest, ProcessOneLivesInTheMountsNamespace) {
  tree_.link("proc/1/ns/pid", "pid:[4026531836]");
  // A tool in a container that looks at the host's /proc, mounted elsewhere.
  tree_.link("proc/self/ns/pid", "pid:[4026532189]");
  tree_.write("proc/self/status", "NSpid:\t812\t5\n");
  EXPECT_EQ(proc_pid_ns(tree_.roots()), kInitialPidNs);
  EXPECT_TRUE(proc_is_initial_pid_ns(tree_.roots()));
}

TEST_F(ProcPidNsTest, OursIsTheMountsWhenItKnowsOnePidOfUs) {
  tree_.link("proc/self/ns/pid", "pid:[4026532189]");
  tree_.write("proc/self/status", "Name:\tx\nNSpid:\t5\n");
  EXPECT_EQ(proc_pid_ns(tree_.roots()), kOther);
  EXPECT_FALSE(proc_is_initial_pid_ns(tree_.roots()));
  // Two: the mount is of a namespace above ours.
  tree_.write("proc/self/status", "Name:\tx\nNSpid:\t812\t5\n");
  EXPECT_FALSE(proc_pid_ns(tree_.roots()));
}

TEST_F(ProcPidNsTest, NothingReadableIsNotTheInitialOne) {
  EXPECT_FALSE(proc_pid_ns(tree_.roots()));
  EXPECT_FALSE(proc_is_initial_pid_ns(tree_.roots()));
}

TEST(PidInProcTest, TheHostsProcShowsHostPids) {
  EXPECT_EQ(pid_in_proc(kInitialPidNs, 123, {}), 123U);
  EXPECT_EQ(pid_in_proc(kInitialPidNs, 123, {{4, kOther}, {123, kInitialPidNs}}), 123U);
}

TEST(PidInProcTest, AnotherNamespacesProcShowsThatOnesPid) {
  // Three levels deep; we are on the middle one.
  EXPECT_EQ(pid_in_proc(kOther, 123, {{1, 77}, {4, kOther}, {123, kInitialPidNs}}), 4U);
  const auto unseen = pid_in_proc(kOther, 123, {{1, 77}, {123, kInitialPidNs}});
  ASSERT_FALSE(unseen);
  EXPECT_EQ(unseen.error().message(),
            "the tool runs in a pid namespace that does not show host pid 123");
  EXPECT_FALSE(pid_in_proc(kOther, 123, {}));
  const auto unknown = pid_in_proc(fail(EACCES, "read link 1/ns/pid"), 123, {});
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message(), HasSubstr("Permission denied"));
}

}  // namespace
}  // namespace oomwitness
