// SPDX-License-Identifier: BSD-2-Clause
// The service with real kills: each is in the store once, whatever happens to the agent.
#include "agent.h"

#include <linux/capability.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <utility>

#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#define CAP_BPF 39
#endif

namespace oomwitness::live {
namespace {

class AgentTest : public LiveTest {
 protected:
  void SetUp() override {
    LiveTest::SetUp();
    if (IsSkipped()) return;
    if (agent_path().empty()) GTEST_SKIP() << "the agent is not part of this build";
  }

  pid_t kill_one(const std::vector<std::string>& argv = {"provoke"}) {
    Cgroup box(memory(), Cgroup::unique("agent"));
    box.limit(16 * kMiB);
    Provoked hog({.words = "adj=1000 alloc=max", .cgroup = &box, .argv = argv});
    hog.go();
    hog.wait_killed();
    return hog.pid();
  }

  json told_of(pid_t pid) {
    json found;
    for (const json& incident : history(folder_))
      if (victim_with_or_null(incident, pid)) found = incident;
    return found;
  }

  static bool victim_with_or_null(const json& incident, pid_t pid) {
    for (const json& victim : incident.at("victims"))
      if (victim.value("pid", 0) == pid) return true;
    return false;
  }

  Folder folder_;
};

std::string status_of(pid_t pid, const std::string& key) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(key + ":")) return line.substr(key.size() + 1);
  return "";
}

TEST_F(AgentTest, AKillIsStoredAndHistoryAndExplainTellIt) {
  RunningAgent agent(folder_);
  ASSERT_TRUE(agent.watching()) << agent.said();
  const pid_t pid = kill_one({"provoke", "--password", "hunter2"});
  wait_for_kills(folder_, {pid});
  const json incident = told_of(pid);
  const json victim = victim_with(incident, pid);
  EXPECT_EQ(victim.at("comm"), "provoke");
  EXPECT_EQ(victim.at("cmdline"), json::array({"provoke", "--password", "*******"}));
  // The flight recorder was there before the kill.
  const json& samples = incident.at("history").at("samples");
  EXPECT_TRUE(samples.at(0).contains("host_available_bytes")) << samples.dump();
  EXPECT_LE(samples.back().at("monotonic_ns"), incident.at("monotonic_ns"));
  const std::string id = incident.at("id");
  EXPECT_EQ(run_oomwitness({"explain", id, "--store", store_of(folder_)}).code, 0);
  EXPECT_EQ(history(folder_, {"--cgroup", victim.at("cgroup")}).size(), 1U);
  EXPECT_EQ(agent.stop(), 0) << agent.said();
}

TEST_F(AgentTest, ItGivesUpItsRightsOnceItWatches) {
  RunningAgent agent(folder_);
  ASSERT_TRUE(agent.watching()) << agent.said();
  constexpr std::uint64_t kReading =
      1ULL << CAP_BPF | 1ULL << CAP_SYSLOG | 1ULL << CAP_SYS_PTRACE | 1ULL << CAP_DAC_READ_SEARCH;
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/" + std::to_string(agent.pid()) + "/task")) {
    const pid_t tid = std::stoi(task.path().filename());
    EXPECT_EQ(std::stoull(status_of(tid, "CapEff"), nullptr, 16) & ~kReading, 0U) << tid;
    EXPECT_EQ(std::stoi(status_of(tid, "Seccomp")), 2) << tid;
    EXPECT_EQ(std::stoi(status_of(tid, "NoNewPrivs")), 1) << tid;
  }
  EXPECT_EQ(agent.stop(), 0);
}

TEST_F(AgentTest, KillsWhileItWasDownAreFoundInTheLogOnce) {
  pid_t seen = 0;
  {
    RunningAgent agent(folder_);
    ASSERT_TRUE(agent.watching()) << agent.said();
    seen = kill_one();
    wait_for_kills(folder_, {seen});
    EXPECT_EQ(agent.stop(), 0);
  }
  const pid_t missed = kill_one();
  for (int start = 0; start < 2; ++start) {
    RunningAgent agent(folder_);
    ASSERT_TRUE(agent.watching()) << agent.said();
    wait_for_kills(folder_, {seen, missed});
    EXPECT_EQ(agent.stop(), 0);
  }
  EXPECT_EQ(times_told(history(folder_), {seen, missed}), (std::vector<std::size_t>{1, 1}));
  EXPECT_EQ(told_of(missed).at("/provenance/sources"_json_pointer), json::array({"kmsg"}));
}

TEST_F(AgentTest, WithoutBpfTheLogAloneIsStoredOnceToo) {
  const pid_t before = kill_one();
  pid_t after = 0;
  for (int start = 0; start < 2; ++start) {
    RunningAgent agent(folder_, {.config = {}, .capabilities = 1ULL << CAP_SYSLOG, .env = {}});
    ASSERT_TRUE(agent.watching()) << agent.said();
    if (start == 0) after = kill_one();
    wait_for_kills(folder_, {before, after});
    EXPECT_EQ(agent.stop(), 0) << agent.said();
  }
  EXPECT_EQ(times_told(history(folder_), {before, after}), (std::vector<std::size_t>{1, 1}));
}

TEST_F(AgentTest, ReloadTakesTheNewRulesAndKeepsTheOldOnesOnAnError) {
  RunningAgent agent(folder_);
  ASSERT_TRUE(agent.watching()) << agent.said();
  const std::string head = "[store]\npath = \"" + store_of(folder_) + "\"\n";
  put_file(folder_.file("agent.toml"), head + "[redact]\nall = true\n");
  agent.send(SIGHUP);
  agent.wait_for_line("reloaded");
  put_file(folder_.file("agent.toml"), head + "[redact]\nal = true\n");
  agent.send(SIGHUP);
  agent.wait_for_line("stays as it was");
  EXPECT_NE(agent.said().find("agent.toml:4: unknown key 'redact.al'"), std::string::npos)
      << agent.said();
  const pid_t pid = kill_one({"provoke", "visible"});
  wait_for_kills(folder_, {pid});
  EXPECT_EQ(victim_with(told_of(pid), pid).at("cmdline"), json::array({"provoke", "*******"}));
  EXPECT_EQ(agent.stop(), 0);
}

TEST_F(AgentTest, ADamagedStoreIsSetAside) {
  put_file(store_of(folder_), std::string(8192, 'x'));
  RunningAgent agent(folder_);
  ASSERT_TRUE(agent.watching()) << agent.said();
  EXPECT_NE(agent.said().find("damaged store is kept as"), std::string::npos) << agent.said();
  const pid_t pid = kill_one();
  wait_for_kills(folder_, {pid});
  EXPECT_EQ(agent.stop(), 0);
}

// What systemd hears of a service, and when.
TEST_F(AgentTest, SystemdIsToldWhenItWatchesReloadsAndEnds) {
  const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = folder_.file("notify");
  path.copy(static_cast<char*>(address.sun_path), sizeof(address.sun_path) - 1);
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  const timeval deadline{.tv_sec = kDeadline.count(), .tv_usec = 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline));
  const auto hear = [&](const std::string& word) {
    std::array<char, 4096> text{};
    for (ssize_t got = 0; (got = ::recv(socket.get(), text.data(), text.size(), 0)) >= 0;)
      if (std::string(text.data(), static_cast<std::size_t>(got)).find(word) != std::string::npos)
        return true;
    return false;
  };
  RunningAgent agent(
      folder_,
      {.config = {}, .capabilities = {}, .env = {"NOTIFY_SOCKET=" + path, "WATCHDOG_USEC=200000"}});
  ASSERT_TRUE(agent.watching()) << agent.said();
  EXPECT_TRUE(hear("READY=1"));
  for (int beat = 0; beat < 3; ++beat) EXPECT_TRUE(hear("WATCHDOG=1"));
  agent.send(SIGHUP);
  EXPECT_TRUE(hear("RELOADING=1"));
  EXPECT_TRUE(hear("READY=1"));
  agent.send(SIGTERM);
  EXPECT_TRUE(hear("STOPPING=1"));
  EXPECT_EQ(agent.wait(), 0);
}

// A disk of its own that a test can fill, and make read-only.
class SmallDisk {
 public:
  explicit SmallDisk(std::string path) : path_(std::move(path)) {
    std::filesystem::create_directory(path_);
    mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, kSize) == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  SmallDisk(SmallDisk&&) = delete;
  SmallDisk& operator=(SmallDisk&&) = delete;

  bool mounted() const { return mounted_; }
  void fill() const {
    std::ofstream ballast(path_ + "/ballast", std::ios::binary);
    while (ballast << std::string(1024, 'x') << std::flush) {
    }
  }
  void empty() const { std::filesystem::remove(path_ + "/ballast"); }

 private:
  static constexpr const char* kSize = "size=64m";
  std::string path_;
  bool mounted_ = false;
};

TEST_F(AgentTest, WhileTheDiskIsFullIncidentsWaitAndThenTheyAreWritten) {
  const SmallDisk disk(folder_.file("disk"));
  if (!disk.mounted()) GTEST_SKIP() << "no file system can be mounted here";
  const Folder store(folder_.file("disk"));
  RunningAgent agent(store);
  ASSERT_TRUE(agent.watching()) << agent.said();
  const pid_t before = kill_one();
  wait_for_kills(store, {before});
  disk.fill();
  std::vector<pid_t> killed;
  // The log of the database has some room of its own.
  while (agent.said().find("incidents wait in memory") == std::string::npos) {
    killed.push_back(kill_one());
    agent.take_lines();
    ASSERT_LT(killed.size(), 400U) << "it never told of a full disk: " << agent.said();
  }
  EXPECT_NE(agent.said().find("free space"), std::string::npos) << agent.said();
  disk.empty();
  killed.push_back(kill_one());
  killed.push_back(before);
  wait_for_kills(store, killed);
  const auto times = times_told(history(store), killed);
  EXPECT_EQ(times, std::vector<std::size_t>(killed.size(), 1));
  EXPECT_EQ(agent.stop(), 0) << agent.said();
}

long resident_kib(pid_t pid) {
  return std::stol(status_of(pid, "RssAnon"));
}

// OOMWITNESS_AGENT_STORM=10000 for the long run.
TEST_F(AgentTest, AStormIsStoredWholeInTheSameMemory) {
  const char* named = std::getenv("OOMWITNESS_AGENT_STORM");
  const int kills = named != nullptr ? std::atoi(named) : 300;
  RunningAgent agent(folder_);
  ASSERT_TRUE(agent.watching()) << agent.said();
  Cgroup box(memory(), Cgroup::unique("agent-flood"));
  box.limit(8 * kMiB);
  Provoked storm({.words = "mode=storm n=" + std::to_string(kills) + " procs=" + box.procs()});
  storm.go();
  std::vector<pid_t> killed;
  for (int i = 0; i < kills; ++i) killed.push_back(storm.next_pid());
  // Some hundred cases are open at a time, however many have been.
  constexpr long kBoundKib = 16 * 1024;
  EXPECT_LE(resident_kib(agent.pid()), kBoundKib);
  wait_for_kills(folder_, killed);
  EXPECT_EQ(agent.stop(), 0) << agent.said();
  EXPECT_EQ(times_told(history(folder_), killed), std::vector<std::size_t>(killed.size(), 1));
}

// OOMWITNESS_AGENT_ROUNDS=100 for the long run.
int rounds() {
  const char* named = std::getenv("OOMWITNESS_AGENT_ROUNDS");
  return named != nullptr ? std::atoi(named) : 5;
}

TEST_F(AgentTest, KilledAtAnyMomentOfAStormItLosesNothingAndDoublesNothing) {
  constexpr int kEach = 30;
  std::mt19937 random(20261125);
  Cgroup box(memory(), Cgroup::unique("agent-storm"));
  box.limit(8 * kMiB);
  std::vector<pid_t> killed;
  for (int round = 0; round < rounds(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    RunningAgent agent(folder_);
    ASSERT_TRUE(agent.watching()) << agent.said();
    Provoked storm({.words = "mode=storm n=" + std::to_string(kEach) + " procs=" + box.procs()});
    storm.go();
    const int last = std::uniform_int_distribution<>(0, kEach - 1)(random);
    for (int i = 0; i < kEach; ++i) {
      if (i == last) agent.send(SIGKILL);
      killed.push_back(storm.next_pid());
    }
    storm.wait_done();
    EXPECT_EQ(agent.wait(), -SIGKILL);
  }
  RunningAgent agent(folder_);
  ASSERT_TRUE(agent.watching()) << agent.said();
  wait_for_kills(folder_, killed);
  EXPECT_EQ(agent.stop(), 0);
  const auto times = times_told(history(folder_), killed);
  EXPECT_EQ(std::count(times.begin(), times.end(), 1U), static_cast<std::ptrdiff_t>(killed.size()))
      << "each of the kills is told once";
}

}  // namespace
}  // namespace oomwitness::live
