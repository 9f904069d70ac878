// SPDX-License-Identifier: BSD-2-Clause
// `oomwitness run`: real commands that leak, burst, fork, hide the kill, hang, daemonise and die.
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>

#include <gmock/gmock.h>

#include "live_test.h"
#include "wrapped.h"

namespace oomwitness::live {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kLimit = "32M";

class Run : public LiveTest {};

void expect_oom(const Wrapped& ran) {
  EXPECT_EQ(ran.verdict(), "oom") << ran.err;
  ASSERT_FALSE(ran.record.is_null());
  EXPECT_THAT(ran.err, HasSubstr("oomwitness: OOM kill: "));
  EXPECT_FALSE(ran.record.at("kills").empty()) << ran.record.dump();
}

void expect_named(const Wrapped& ran, const std::string& comm) {
  const json& kill = ran.record.at("kills").at(0);
  // In a storm of kills, whoever's, the kernel's log alone does not tell either.
  if (ran.depth() == "cgroup" || (ran.depth() == "kernel-log" && !kill.contains("comm"))) {
    EXPECT_FALSE(kill.contains("comm")) << kill.dump();
    EXPECT_TRUE(ran.record.at("missing").contains("kills"));
    return;
  }
  EXPECT_EQ(kill.value("comm", ""), comm) << ran.record.dump();
  EXPECT_GT(kill.value("pid", 0), 1);
  // Where only the kernel's log tells of the limit, the kernel does so ten times in 5 s at most.
  if (kill.contains("limit_bytes")) {
    EXPECT_EQ(kill.at("limit_bytes"), 32 * kMiB) << kill.dump();
  }
  EXPECT_EQ(kill.at("incident"), ran.record.at("incidents").at(0).at("id"));
  EXPECT_THAT(ran.err,
              AnyOf(HasSubstr("was killed at the memory limit of the run, 32 MiB"),
                    HasSubstr("the lowest memory limit over it is 32 MiB, that of the run")));
  if (ran.depth() == "bpf") {
    EXPECT_THAT(kill.value("cmdline", json::array()).dump(), HasSubstr("alloc="));
  }
}

TEST_F(Run, SuccessIsQuietAndKeepsItsOutput) {
  const Wrapped ran = wrap({"--quiet"}, shell("echo out; echo err >&2"));
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.out, "out\n");
  EXPECT_EQ(ran.err, "err\n");
  EXPECT_EQ(ran.verdict(), "success");
  EXPECT_EQ(ran.record.at("oom_kills"), 0);
  // Under systemd, where this test is not alone in its cgroup.
  EXPECT_THAT(ran.record.at("cgroup").at("way"), AnyOf("new", "systemd")) << ran.record.dump();
}

TEST_F(Run, LeakIsAnOomKillWithPeakAndLimit) {
  const Wrapped ran = wrap({"--memory-max", kLimit}, shell("exec " + eat("max")));
  EXPECT_EQ(ran.code, 137);
  expect_oom(ran);
  expect_named(ran, "provoke");
  EXPECT_EQ(ran.record.at("command_signal"), SIGKILL);
  EXPECT_EQ(ran.record.at("limits").at("memory_max_bytes"), 32 * kMiB);
  EXPECT_EQ(ran.record.at("limits").at("effective_bytes"), 32 * kMiB);
  // Without memory.peak (before 5.19) there may not even have been time for a sample.
  const json& usage = ran.record.at("usage");
  if (usage.value("peak_source", "samples") != "samples")
    expect_between(usage.at("peak_bytes"), 28 * kMiB, 32 * kMiB, "peak");
  EXPECT_GT(ran.record.at("usage").at("limit_hits"), 0);
}

TEST_F(Run, KillThatTheShellHides) {
  const Wrapped ran = wrap({"--memory-max", kLimit}, shell(eat("max") + " || true"));
  EXPECT_EQ(ran.code, 137);
  expect_oom(ran);
  expect_named(ran, "provoke");
  EXPECT_EQ(ran.record.at("command_exit_code"), 0);
}

TEST_F(Run, KillInABurstOfForks) {
  const std::string one = eat("12") + " & ";
  const Wrapped ran =
      wrap({"--memory-max", kLimit}, shell(one + one + one + one + one + one + "wait; exit 0"));
  EXPECT_EQ(ran.code, 137);
  expect_oom(ran);
  EXPECT_EQ(ran.record.at("command_exit_code"), 0);
}

// In version 1 the kill is counted there, and not in the run's cgroup.
TEST_F(Run, KillInACgroupOfTheCommandsOwn) {
  if (!memory().root.empty()) GTEST_SKIP() << "the mount shows a part of the hierarchy";
  const std::string own =
      "$(sed -n 's/^[0-9]*:[memory]*:\\(.*oomwitness-run.*\\)/\\1/p' /proc/self/cgroup)";
  const Wrapped ran =
      wrap({"--memory-max", kLimit},
           shell("inner=" + memory().mount + own + "/inner; mkdir $inner && { sh -c \"echo 0 > " +
                 "$inner/cgroup.procs; exec " + eat("max") + "\"; true; }"));
  EXPECT_EQ(ran.code, 137) << ran.err;
  expect_oom(ran);
}

TEST_F(Run, KillThatMakeIgnores) {
  if (access("/usr/bin/make", X_OK) != 0) GTEST_SKIP() << "no make here";
  const std::string makefile = "/tmp/owrun-makefile-" + std::to_string(getpid());
  ASSERT_TRUE(write_file(makefile, "") || errno == ENOENT);
  const Wrapped ran = wrap({"--memory-max", "64M"},
                           shell("printf 'all:\\n\\t-" + eat("max") + "\\n\\t@echo built\\n' > " +
                                 makefile + "; make -f " + makefile + "; rm " + makefile));
  EXPECT_EQ(ran.code, 137) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("built"));
  expect_oom(ran);
}

TEST_F(Run, KillOfAPoolsWorker) {
  if (access("/usr/bin/python3", X_OK) != 0) GTEST_SKIP() << "no Python here";
  if (wrap({}, {"/usr/bin/python3", "-c", "import concurrent.futures"}).code != 0)
    GTEST_SKIP() << "no more than a bare Python here";
  const std::string script =
      "import concurrent.futures as f\n"
      "if __name__ == '__main__':\n"
      "  with f.ProcessPoolExecutor(2) as pool:\n"
      "    try: pool.submit(bytes, 1 << 30).result()\n"
      "    except f.process.BrokenProcessPool: print('broken')\n";
  const Wrapped ran = wrap({"--memory-max", "128M"}, {"/usr/bin/python3", "-c", script});
  EXPECT_EQ(ran.code, 137) << ran.err;
  EXPECT_EQ(ran.out, "broken\n");
  expect_oom(ran);
}

TEST_F(Run, OomPolicies) {
  const auto hidden = shell(eat("max") + " || exit 3");
  EXPECT_EQ(wrap({"--memory-max", kLimit, "--oom-exit-code", "99"}, hidden).code, 99);
  const Wrapped allowed = wrap({"--memory-max", kLimit, "--allow-oom"}, hidden);
  EXPECT_EQ(allowed.code, 3);
  expect_oom(allowed);
}

TEST_F(Run, EndsOfTheCommandsOwn) {
  const Wrapped failure = wrap({}, shell("exit 3"));
  EXPECT_EQ(failure.code, 3);
  EXPECT_EQ(failure.verdict(), "failure");
  const Wrapped fault = wrap({}, shell("kill -SEGV $$"));
  EXPECT_EQ(fault.code, 139);
  EXPECT_EQ(fault.verdict(), "signal");
  EXPECT_THAT(fault.err, HasSubstr("died of SIGSEGV"));
  // The same code as an OOM kill, and none.
  const Wrapped killed = wrap({"--memory-max", kLimit}, shell("kill -KILL $$"));
  EXPECT_EQ(killed.code, 137);
  EXPECT_EQ(killed.verdict(), "signal");
  EXPECT_THAT(killed.err, HasSubstr("was not an OOM kill"));
  EXPECT_EQ(wrap({}, shell("exit 137")).verdict(), "failure");
}

TEST_F(Run, CommandsThatCannotBeStarted) {
  const Wrapped missing = wrap({}, {"no-such-command-anywhere"});
  EXPECT_EQ(missing.code, 127);
  EXPECT_EQ(missing.verdict(), "not-run");
  EXPECT_THAT(missing.err, HasSubstr("not run: no-such-command-anywhere: No such file"));
  EXPECT_EQ(wrap({}, {"/etc/passwd"}).code, 126);
}

TEST_F(Run, TimeoutEndsEvenWhatIgnoresSigterm) {
  const Wrapped polite = wrap({"--timeout", "200ms"}, {"sleep", "1000"});
  EXPECT_EQ(polite.code, 124);
  EXPECT_EQ(polite.verdict(), "timeout");
  EXPECT_EQ(polite.record.at("command_signal"), SIGTERM);
  const Wrapped deaf = wrap({"--timeout", "200ms", "--kill-after", "200ms"},
                            shell("trap '' TERM; while :; do sleep 1000; done"));
  EXPECT_EQ(deaf.code, 124);
  EXPECT_EQ(deaf.record.at("command_signal"), SIGKILL);
}

TEST_F(Run, DaemonsEndWithTheCommand) {
  Wrapping run({}, shell("setsid sleep 1000 >/dev/null 2>&1 & echo $!"));
  const pid_t daemon = std::atoi(run.line().c_str());
  ASSERT_GT(daemon, 1);
  const Wrapped ran = run.finish();
  EXPECT_EQ(ran.code, 0);
  EXPECT_GE(ran.record.at("ended_processes"), 1);
  EXPECT_TRUE(kill(daemon, 0) != 0 && errno == ESRCH) << "is still there";
}

TEST_F(Run, SignalsArePassedOn) {
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2}) {
    Wrapping run({"--depth", "cgroup"},
                 shell("trap 'exit 42' TERM INT HUP QUIT USR1 USR2; echo up; "
                       "while :; do sleep 0.05; done"));
    ASSERT_EQ(run.line(), "up");
    kill(run.process().pid(), number);
    const Wrapped ran = run.finish();
    EXPECT_EQ(ran.code, 42) << "signal " << number << ": " << ran.err;
    if (number != SIGUSR1 && number != SIGUSR2) {
      EXPECT_EQ(ran.record.value("passed_signal", 0), number);
    }
  }
}

// The command's terminal is oomwitness's own: what a key sends comes from there, and only once.
TEST_F(Run, TerminalIsPassedOn) {
  int terminal = -1;
  const pid_t pid = forkpty(&terminal, nullptr, nullptr, nullptr);
  if (pid == 0) {
    execl(tracer_path().c_str(), "oomwitness", "run", "--quiet", "--depth", "cgroup", "--", "sh",
          "-c",
          "trap 'echo caught' INT; test -t 0 && echo up; read -r word; echo got $word; exit 5",
          nullptr);
    _exit(127);
  }
  ASSERT_GT(pid, 0);
  LineReader screen{Fd(terminal)};
  const auto written = [&](const std::string& text) {
    return write(terminal, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  };
  EXPECT_EQ(screen.line().value_or(""), "up\r");
  EXPECT_TRUE(written("\x03"));
  std::string seen;
  while (const auto line = screen.line()) {
    seen += *line + "\n";
    if (line->find("caught") != std::string::npos) {
      EXPECT_TRUE(written("word\n"));
    }
    if (line->find("got") != std::string::npos) break;
  }
  EXPECT_THAT(seen, HasSubstr("got"));
  EXPECT_EQ(seen.find("caught"), seen.rfind("caught")) << "once: " << seen;
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_EQ(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 5);
}

TEST_F(Run, NothingIsLeftWhenOomwitnessIsKilledOutright) {
  Wrapping run({"--depth", "cgroup"}, shell("sleep 1000 & echo $!; sleep 1000"));
  const pid_t grandchild = std::atoi(run.line().c_str());
  ASSERT_GT(grandchild, 1);
  const pid_t pid = run.process().pid();
  EXPECT_FALSE(cgroups_of_run(pid).empty());
  kill(pid, SIGKILL);
  run.process().wait();
  EXPECT_TRUE(wait_gone(grandchild));
  const auto until = std::chrono::steady_clock::now() + kDeadline;
  while (!cgroups_of_run(pid).empty() && std::chrono::steady_clock::now() < until)
    poll(nullptr, 0, 10);
  EXPECT_TRUE(cgroups_of_run(pid).empty());
}

TEST_F(Run, DepthsAllGiveTheVerdict) {
  for (const char* depth : {"cgroup", "log", "auto"}) {
    const Wrapped ran =
        wrap({"--memory-max", kLimit, "--depth", depth}, shell(eat("max") + " || true"));
    EXPECT_EQ(ran.code, 137) << depth;
    expect_oom(ran);
    expect_named(ran, "provoke");
    if (std::string(depth) == "cgroup") {
      EXPECT_EQ(ran.depth(), "cgroup");
      EXPECT_TRUE(ran.record.at("missing").contains("kills"));
    } else if (std::string(depth) == "log") {
      EXPECT_THAT(ran.depth(), AnyOf("kernel-log", "cgroup"));
    } else {
      EXPECT_EQ(ran.depth() == "bpf", has_bpf()) << ran.err;
    }
  }
}

// As in a container that may make no cgroup: the one that is there is watched.
TEST_F(Run, CgroupThatIsShared) {
  Cgroup box(memory(), Cgroup::unique("container"));
  box.limit(48 * kMiB);
  const Wrapped ran = wrap({"--cgroup", "own"}, shell(eat("max") + " || true"), &box);
  EXPECT_EQ(ran.code, 137) << ran.err;
  expect_oom(ran);
  EXPECT_EQ(ran.record.at("cgroup").at("way"), "own");
  EXPECT_EQ(ran.record.at("limits").at("effective_bytes"), 48 * kMiB);
  const Wrapped limited = wrap({"--cgroup", "own", "--memory-max", kLimit}, {"true"}, &box);
  EXPECT_EQ(limited.code, 125);
  EXPECT_THAT(limited.err, HasSubstr("hint: "));
}

int adj_of(const std::string& text, std::size_t line) {
  std::istringstream in(text);
  std::string word;
  for (std::size_t i = 0; i <= line; ++i) std::getline(in, word);
  return std::atoi(word.c_str());
}

// In one cgroup with the command, and chosen after it where that is allowed (CAP_SYS_RESOURCE); the
// command is as likely to be chosen as it was.
TEST_F(Run, WitnessIsSparedAndTheCommandIsNot) {
  const std::string own = read_file("/proc/self/oom_score_adj");
  const Wrapped ran =
      wrap({}, shell("cat /proc/self/oom_score_adj; cat /proc/$PPID/oom_score_adj"));
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(adj_of(ran.out, 0), std::atoi(own.c_str()));
  const bool allowed =
      std::ofstream("/proc/self/oom_score_adj") << -901 << std::flush ? true : false;
  if (allowed) std::ofstream("/proc/self/oom_score_adj") << own;
  EXPECT_EQ(adj_of(ran.out, 1), allowed ? -900 : std::atoi(own.c_str()));
}

// Version 2 by delegation: alone in its cgroup, it moves into a leaf and back.
TEST_F(Run, CgroupBelowItsOwn) {
  Cgroup box(memory(), Cgroup::unique("delegated"));
  box.limit(64 * kMiB);
  const Wrapped ran = wrap({"--memory-max", kLimit}, shell(eat("max") + " || true"), &box);
  EXPECT_EQ(ran.code, 137) << ran.err;
  expect_oom(ran);
  EXPECT_EQ(ran.record.at("cgroup").at("way"), "new");
  EXPECT_THAT(ran.record.at("cgroup").at("path").get<std::string>(), StartsWith(box.path() + "/"));
  // The limit above holds too.
  EXPECT_EQ(wrap({}, shell(eat("max") + " || true"), &box).code, 137);
}

TEST_F(Run, OutputsForCi) {
  const std::string folder = "/tmp/owrun-ci-" + std::to_string(getpid());
  const Wrapped ran = wrap({"--memory-max", kLimit, "--junit", folder + ".xml", "--html",
                            folder + ".html", "--github", "--github-summary", folder + ".md"},
                           shell(eat("max") + " || true"));
  EXPECT_EQ(ran.code, 137);
  EXPECT_THAT(ran.err, HasSubstr("\n::error title=OOM kill::OOM kill: "));
  EXPECT_THAT(read_file(folder + ".xml"), HasSubstr("<failure type=\"oom\""));
  EXPECT_THAT(read_file(folder + ".md"), HasSubstr("### OOM kill"));
  EXPECT_THAT(read_file(folder + ".html"), HasSubstr("<!DOCTYPE html>"));
  unlink((folder + ".html").c_str());
  unlink((folder + ".xml").c_str());
  unlink((folder + ".md").c_str());
}

struct Mixed {
  const char* verdict;
  int code;
  std::vector<std::string> options;
  std::string line;
};

std::vector<Mixed> mixed() {
  return {{"oom", 137, {"--memory-max", "16M"}, "exec " + eat("max")},
          {"oom", 137, {"--memory-max", "16M"}, eat("max") + " || true"},
          {"oom", 137, {"--memory-max", "16M"}, "{ " + eat("max") + "; } & wait; exit 5"},
          {"failure", 3, {"--memory-max", "16M"}, "exit 3"},
          {"failure", 137, {}, "exit 137"},
          {"timeout", 124, {"--timeout", "100ms"}, "exec sleep 1000"},
          {"signal", 139, {}, "kill -SEGV $$"},
          {"signal", 137, {"--memory-max", "16M"}, "kill -KILL $$"},
          {"success", 0, {"--memory-max", "64M"}, "exec " + eat("8")},
          {"success", 0, {}, "true"}};
}

// OOMWITNESS_RUNS=200 for the figure in docs/benchmarks.md.
TEST_F(Run, VerdictsOnMixedRunsAreRight) {
  const char* set = std::getenv("OOMWITNESS_RUNS");
  // Emulated machines take a second a run.
  const int usual = std::getenv("OOMWITNESS_GUEST") == nullptr ? 20 : 6;
  const int runs = set == nullptr ? usual : std::atoi(set);
  const auto kinds = mixed();
  std::mt19937 random(20261125);
  int right = 0;
  for (int n = 0; n < runs; ++n) {
    const Mixed& kind = kinds[random() % kinds.size()];
    std::vector<std::string> options = kind.options;
    // Without the trace, which takes most of the time, in all but every fifth.
    if (n % 5 != 0) options.insert(options.end(), {"--depth", "cgroup"});
    const Wrapped ran = wrap(options, shell(kind.line));
    const bool good = ran.verdict() == kind.verdict && ran.code == kind.code;
    right += good ? 1 : 0;
    EXPECT_TRUE(good) << kind.line << ": " << ran.verdict() << " " << ran.code << "\n" << ran.err;
  }
  RecordProperty("verdicts_right", right);
  EXPECT_EQ(right, runs);
}

}  // namespace
}  // namespace oomwitness::live
