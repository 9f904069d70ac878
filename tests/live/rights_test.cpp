// SPDX-License-Identifier: BSD-2-Clause
// What the tracer may do and where it runs: without rights it says what is missing, in a pid
// namespace it still names host pids.
#include <linux/capability.h>
#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>

#include "live_test.h"

#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#define CAP_BPF 39
#endif

namespace oomwitness::live {
namespace {

class Rights : public LiveTest {};

TEST_F(Rights, TracerIsReadyForRoot) {
  Tracer tracer;
  SKIP_UNLESS_READY(tracer);
  for (const char* hook : {"oom_kill_process", "__oom_kill_process", "out_of_memory", "oom_badness",
                           "mark_victim", "signal_deliver", "sched_process_exit", "reaper"})
    EXPECT_NE(tracer.way(hook), "") << hook << " is not named in: " << tracer.ready_line();
  EXPECT_TRUE(tracer.is_on("mark_victim")) << tracer.ready_line();
  EXPECT_EQ(tracer.stop(), 0);
  EXPECT_TRUE(tracer.left_over().empty()) << "nothing was killed";
}

// Where everybody may read the kernel's log, that is what is left; else it is an error.
void expect_clear_refusal(Tracer& tracer) {
  if (tracer.ready()) {
    ASSERT_TRUE(tracer.log_alone()) << tracer.ready_line();
    EXPECT_EQ(tracer.stop(), 0);
  } else {
    EXPECT_EQ(tracer.wait(), 1);
  }
  const std::string said = tracer.stderr_text();
  EXPECT_NE(said.find(tracer.ready() ? "warning:" : "error:"), std::string::npos) << said;
  EXPECT_NE(said.find("mark_victim"), std::string::npos) << "names the hook: " << said;
  EXPECT_TRUE(said.find("Operation not permitted") != std::string::npos ||
              said.find("Permission denied") != std::string::npos)
      << "gives the reason: " << said;
  EXPECT_NE(said.find("hint:"), std::string::npos) << said;
  EXPECT_NE(said.find("CAP_BPF"), std::string::npos) << "says what to do: " << said;
  EXPECT_TRUE(tracer.left_over().empty());
}

TEST_F(Rights, WithoutCapabilitiesTheErrorSaysWhatToDo) {
  Tracer tracer(Conditions{.args = {}, .capabilities = 0});
  expect_clear_refusal(tracer);
}

TEST_F(Rights, WithOnlyCapBpfTheErrorSaysWhatToDo) {
  Tracer tracer(Conditions{.args = {}, .capabilities = 1ULL << CAP_BPF});
  expect_clear_refusal(tracer);
}

// BPF maps count against RLIMIT_MEMLOCK before Linux 5.11 (d5299b67dd59): the hint says so.
bool counts_bpf_memory() {
  utsname names{};
  unsigned major = 0;
  unsigned minor = 0;
  EXPECT_EQ(uname(&names), 0);
  EXPECT_EQ(std::sscanf(static_cast<const char*>(names.release), "%u.%u", &major, &minor), 2);
  return major < 5 || (major == 5 && minor < 11);
}

// What the hint promises must hold.
TEST_F(Rights, CapBpfAndCapPerfmonAreEnough) {
  std::uint64_t granted = 1ULL << CAP_BPF | 1ULL << CAP_PERFMON;
  if (counts_bpf_memory()) granted |= 1ULL << CAP_SYS_RESOURCE;
  Tracer tracer(Conditions{.args = {}, .capabilities = granted});
  ASSERT_TRUE(tracer.ready()) << tracer.stderr_text();
  Cgroup box(memory(), Cgroup::unique("rights"));
  box.limit(16 * kMiB);
  Provoked hog({.words = "adj=1000 uid=4711 alloc=max", .cgroup = &box});
  hog.go();
  hog.wait_killed();
  expect_victim(tracer.incident(), {.pid = hog.pid(), .uid = 4711, .cgroup = box.path()});
}

class Namespace : public LiveTest {
 protected:
  void expect_host_pids(const Conditions& run) const {
    Tracer tracer(run);
    if (!tracer.ready()) {
      const std::string said = tracer.stderr_text();
      EXPECT_EQ(tracer.wait(), 1) << said;
      EXPECT_NE(said.find("namespace"), std::string::npos) << "says that it cannot: " << said;
      return;
    }
    Cgroup box(memory(), Cgroup::unique("namespace"));
    box.limit(16 * kMiB);
    Provoked hog({.words = "adj=1000 alloc=max", .cgroup = &box, .argv = {"hog", "in", "sight"}});
    hog.go();
    hog.wait_killed();
    expect_victim(tracer.incident(),
                  {.pid = hog.pid(), .cmdline = {"hog", "in", "sight"}, .cgroup = box.path()});
    EXPECT_EQ(tracer.stop(), 0);
  }
};

TEST_F(Namespace, TracerInAPidNamespaceNamesHostPids) {
  expect_host_pids({.args = {}, .namespaces = CLONE_NEWPID});
}

TEST_F(Namespace, TracerInAPidNamespaceWithItsOwnProcNamesHostPids) {
  expect_host_pids({.args = {}, .namespaces = CLONE_NEWPID | CLONE_NEWNS, .own_proc = true});
}

}  // namespace
}  // namespace oomwitness::live
