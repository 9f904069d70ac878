// SPDX-License-Identifier: BSD-2-Clause
#include "pipeline/late_reads.h"

#include <poll.h>

#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "enrich_tree.h"

namespace oomwitness {
namespace {

using test::make_process;
using testing::Pair;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class LateReadsTest : public testing::Test {
 protected:
  // Waits for the answer of one read.
  Observation answer(LateReads& late) {
    pollfd answered{.fd = late.result_fd(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&answered, 1, 60'000), 1);
    auto results = late.take_results();
    EXPECT_THAT(results, SizeIs(1));
    return results.at(0);
  }
  // What is read of a victim that a hook has shown.
  ProcFacts facts_of(bool argv_in_kernel) {
    tree_.link("proc/1/ns/pid", "pid:[4026531836]");
    test::MadeProcess process{.pid = 42, .comm = "mongod", .exe = "/usr/bin/mongod"};
    process.cmdline = std::string("mongod\0-v\0", 10);
    process.arg_end = process.arg_start + process.cmdline.size();
    make_process(tree_, process);
    auto late = LateReads::start(tree_.roots(), argv_in_kernel).value();
    VictimTask task;
    task.id = 1;
    task.pid = 42;
    task.start_boottime_ns = 50'001'234'567;
    late.follow(Observation(task));
    return std::get<ProcFacts>(answer(late));
  }
  test::MadeTree tree_;
};

TEST_F(LateReadsTest, ArgumentsAreReadWhereNoHookReadsThem) {
  EXPECT_TRUE(facts_of(false).cmdline);
}

TEST_F(LateReadsTest, ArgumentsThatAHookReadsAreLeftAlone) {
  EXPECT_FALSE(facts_of(true).cmdline);
}

TEST_F(LateReadsTest, AnAddressWithoutANameIsAnswered) {
  tree_.write("proc/kallsyms", "ffffffff81200100 T oom_badness\n");
  auto late = LateReads::start(tree_.roots(), true).value();
  late.name({0xffffffff81200110, 0xffffffffc0000010});
  EXPECT_TRUE(std::holds_alternative<Stacks>(answer(late)));
  EXPECT_THAT(late.take_symbols(),
              UnorderedElementsAre(Pair(0xffffffff81200110, "oom_badness+0x10"),
                                   Pair(0xffffffffc0000010, "")));
}

TEST_F(LateReadsTest, WhereNothingCanBeLookedUpNothingIsAnswered) {
  auto late = LateReads::start(tree_.roots(), true).value();
  late.name({0xffffffff81200110});
  EXPECT_TRUE(std::holds_alternative<Stacks>(answer(late)));
  EXPECT_THAT(late.take_symbols(), SizeIs(0));
}

}  // namespace
}  // namespace oomwitness
