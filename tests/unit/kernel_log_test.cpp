// SPDX-License-Identifier: BSD-2-Clause
#include "pipeline/kernel_log.h"

#include <variant>
#include <vector>

#include <gmock/gmock.h>

#include "made_log.h"

namespace oomwitness {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

struct Told {
  std::vector<std::uint32_t> pids;
  std::vector<bool> from_backlog;
};

Told told(const Result<std::vector<Observation>>& read) {
  Told out;
  EXPECT_TRUE(read);
  for (const Observation& observation : *read) {
    const auto& report = std::get<LogReport>(observation);
    out.pids.push_back(report.victims.at(0).pid.value_or(0));
    out.from_backlog.push_back(report.from_backlog);
  }
  return out;
}

TEST(KernelLogTest, KillsBeforeTheWatchAndThoseAfter) {
  MadeLog made;
  made.write("Linux version 6.1.0", 5);
  made.kill(10);
  made.kill(11);
  const Told past = told(made.log().read_backlog());
  EXPECT_THAT(past.pids, ElementsAre(10, 11));
  EXPECT_THAT(past.from_backlog, ElementsAre(true, true));
  EXPECT_FALSE(made.log().begins_late());
  made.kill(12);
  const Told live = told(made.log().read());
  EXPECT_THAT(live.pids, ElementsAre(12));
  EXPECT_THAT(live.from_backlog, ElementsAre(false));
  EXPECT_THAT(told(made.log().read()).pids, IsEmpty());
}

TEST(KernelLogTest, AKillThatIsBeingToldBelongsToTheWatch) {
  MadeLog made;
  made.write("hog invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0");
  EXPECT_THAT(told(made.log().read_backlog()).pids, IsEmpty());
  made.kill(10);
  const auto read = made.log().read();
  const Told live = told(read);
  EXPECT_THAT(live.from_backlog, ElementsAre(false));
  EXPECT_EQ(std::get<LogReport>(read->at(0)).invoker.comm, "hog");
}

TEST(KernelLogTest, ABacklogThatHasLostItsBeginningSaysSo) {
  MadeLog made;
  made.overwrite(5);
  made.kill(10);
  EXPECT_THAT(told(made.log().read_backlog()).pids, ElementsAre(10));
  EXPECT_TRUE(made.log().begins_late());
}

TEST(KernelLogTest, ForgedKillsAreCountedAndNoKills) {
  MadeLog made;
  made.kill(10, 11);  // facility user, as the kernel makes of every write to /dev/kmsg
  made.write("systemd[1]: hello", 30);  // facility daemon
  made.kill(11);
  EXPECT_THAT(told(made.log().read()).pids, ElementsAre(11));
  EXPECT_EQ(made.log().forged(), 1U);
}

TEST(KernelLogTest, OverwrittenMessagesAreLosses) {
  MadeLog made;
  made.write("hog invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0");
  EXPECT_THAT(told(made.log().read()).pids, IsEmpty());
  made.overwrite(40);
  made.kill(12);
  EXPECT_THAT(told(made.log().read()).pids, ElementsAre(12));
  EXPECT_EQ(made.log().lost(), 40U);
}

}  // namespace
}  // namespace oomwitness
