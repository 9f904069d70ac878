// SPDX-License-Identifier: BSD-2-Clause
// Parts of the agent against this kernel's own files. Not in guests: the agent is in no static
// build.
#include "agent/cgroup_kills.h"
#include "live_test.h"

namespace oomwitness::live {
namespace {

class AgentPartsTest : public ProvokingTest {
 protected:
  static Incident described(const Cgroup& box) {
    static int told = 0;
    Incident incident;
    incident.id = std::to_string(++told);
    Victim victim;
    victim.cgroup = box.path();
    incident.victims.push_back(victim);
    return incident;
  }
  static void kill_in(Cgroup& box) {
    Provoked hog({.words = "adj=1000 alloc=max", .cgroup = &box});
    hog.go();
    hog.wait_killed();
  }
};

TEST_F(AgentPartsTest, TheKernelsCountOfACgroupShowsTheKillThatNobodyDescribed) {
  CgroupKills kills((Roots()));
  std::uint64_t now_ns = 0;
  const auto reconciled = [&] {
    for (int look = 0; look < 2; ++look) kills.reconcile(now_ns += 10'000'000'000);
    return kills.undescribed();
  };
  {
    Cgroup box(memory(), Cgroup::unique("counted"));
    box.limit(16 * kMiB);
    kill_in(box);
    kills.add(described(box));
    ASSERT_EQ(kills.followed(), 1U) << "its counter can be read";
    kill_in(box);
    kills.add(described(box));
    EXPECT_EQ(reconciled(), 0U);
    kill_in(box);
    EXPECT_EQ(reconciled(), 1U);
  }
  EXPECT_EQ(reconciled(), 1U);
  EXPECT_EQ(kills.followed(), 0U) << "the cgroup is gone";
}

}  // namespace
}  // namespace oomwitness::live
