// SPDX-License-Identifier: BSD-2-Clause
// The kernel's log as a source: the kills before the watch, and all of them where BPF is refused.
#include <fcntl.h>
#include <linux/capability.h>
#include <unistd.h>

#include <string>

#include "live_test.h"

namespace oomwitness::live {
namespace {

class Backlog : public LiveTest {
 protected:
  void SetUp() override {
    LiveTest::SetUp();
    const int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) GTEST_SKIP() << "the kernel's log cannot be read here";
    close(fd);
  }

  // Each test has a user of its own, so that nobody else's kills are among its own.
  void use_uid(int number) { uid_ = std::to_string(1'000'000 + 8 * getpid() + number); }

  pid_t kill_one() {
    Cgroup box(memory(), Cgroup::unique("backlog"));
    box.limit(16 * kMiB);
    Provoked hog({.words = "adj=1000 uid=" + uid_ + " alloc=max", .cgroup = &box});
    hog.go();
    hog.wait_killed();
    return hog.pid();
  }

  std::string uid_;
};

void expect_from_log(const json& incident, pid_t pid) {
  const json victim = victim_with(incident, pid);
  ASSERT_TRUE(victim.is_object()) << incident;
  EXPECT_EQ(victim["comm"], "provoke");
  EXPECT_EQ(incident["provenance"]["sources"], json::array({"kmsg"}));
  EXPECT_EQ(incident["scope"]["constraint"], "memcg");
}

TEST_F(Backlog, KillsBeforeTheWatchAreToldOnceAndThoseAfterThemToo) {
  use_uid(1);
  const pid_t before = kill_one();
  Tracer tracer({"--since-boot", "--uid", uid_});
  SKIP_UNLESS_READY(tracer);
  expect_from_log(tracer.incident(), before);
  const pid_t after = kill_one();
  const json seen = tracer.incident();
  EXPECT_TRUE(victim_with(seen, after).contains("cmdline")) << "seen by hooks: " << seen;
  EXPECT_EQ(tracer.stop(), 0);
  EXPECT_TRUE(tracer.left_over().empty());
}

TEST_F(Backlog, WithoutTheOptionTheyAreNotTold) {
  use_uid(2);
  kill_one();
  Tracer tracer({"--uid", uid_});
  SKIP_UNLESS_READY(tracer);
  EXPECT_EQ(tracer.stop(), 0);
  EXPECT_TRUE(tracer.left_over().empty());
}

TEST_F(Backlog, WhereBpfIsRefusedTheLogTellsOfKills) {
  use_uid(3);
  const pid_t before = kill_one();
  Tracer tracer(
      Conditions{.args = {"--since-boot", "--uid", uid_}, .capabilities = 1ULL << CAP_SYSLOG});
  ASSERT_TRUE(tracer.log_alone()) << tracer.stderr_text();
  const std::string said = tracer.stderr_text();
  EXPECT_NE(said.find("Operation not permitted"), std::string::npos) << "says why: " << said;
  EXPECT_NE(said.find("CAP_BPF"), std::string::npos) << "says what to do: " << said;
  expect_from_log(tracer.incident(), before);
  const pid_t after = kill_one();
  expect_from_log(tracer.incident(), after);
  EXPECT_EQ(tracer.stop(), 0);
  EXPECT_TRUE(tracer.left_over().empty());
}

TEST_F(Backlog, HooksAskedForByNameAreNotReplacedByTheLog) {
  Tracer tracer(
      Conditions{.args = {"--hook", "mark_victim=tracepoint"}, .capabilities = 1ULL << CAP_SYSLOG});
  EXPECT_FALSE(tracer.ready());
  EXPECT_EQ(tracer.wait(), 1);
}

}  // namespace
}  // namespace oomwitness::live
