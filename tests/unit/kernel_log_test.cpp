// SPDX-License-Identifier: BSD-2-Clause
#include "pipeline/kernel_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <string>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace oomwitness {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// A log whose records are written into a pipe, one packet each, as /dev/kmsg gives them.
class MadeLog {
 public:
  MadeLog() {
    std::array<int, 2> ends{-1, -1};
    EXPECT_EQ(::pipe2(ends.data(), O_DIRECT | O_NONBLOCK | O_CLOEXEC), 0);
    writer_ = OwnedFd(ends[1]);
    log_.emplace(Kmsg(OwnedFd(ends[0]), ::read));
  }

  void write(const std::string& text, unsigned priority = 4) {
    const std::string record = std::to_string(priority) + "," + std::to_string(sequence_) + "," +
                               std::to_string(1000 * sequence_) + ",-;" + text + "\n";
    ++sequence_;
    ASSERT_EQ(::write(writer_.get(), record.data(), record.size()),
              static_cast<ssize_t>(record.size()));
  }
  void overwrite(std::uint64_t records) { sequence_ += records; }
  void kill(std::uint32_t pid, unsigned priority = 3) {
    write("Memory cgroup out of memory: Killed process " + std::to_string(pid) +
              " (hog) total-vm:62428kB, anon-rss:29696kB, file-rss:816kB, shmem-rss:0kB, UID:0 "
              "pgtables:108kB oom_score_adj:0",
          priority);
  }

  KernelLog& log() { return *log_; }

 private:
  OwnedFd writer_;
  std::optional<KernelLog> log_;
  std::uint64_t sequence_ = 0;
};

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
