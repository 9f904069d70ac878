// SPDX-License-Identifier: BSD-2-Clause
#include "agent.h"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

namespace oomwitness::live {
namespace {

std::string write_config(const Folder& folder, const std::string& more) {
  const std::string path = folder.file("agent.toml");
  put_file(path, "[store]\npath = \"" + store_of(folder) + "\"\n" + more);
  return path;
}

Spawn spawn_of(const Folder& folder, const RunningAgent::How& how) {
  Spawn spawn;
  spawn.exe = agent_path();
  spawn.argv = {"oomwitness-agent", "--config", write_config(folder, how.config)};
  spawn.capabilities = how.capabilities;
  spawn.env = how.env;
  return spawn;
}

std::map<pid_t, std::size_t> count(const std::vector<json>& incidents) {
  std::map<pid_t, std::size_t> told;
  for (const json& incident : incidents)
    for (const json& victim : incident.at("victims")) ++told[victim.value("pid", 0)];
  return told;
}

}  // namespace

Folder::Folder(const std::string& above) {
  std::filesystem::path parent(above);
  if (above.empty()) parent = std::filesystem::temp_directory_path();
  std::string path = (parent / "oomwitness-agent-XXXXXX").string();
  EXPECT_NE(::mkdtemp(path.data()), nullptr);
  path_ = path;
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

RunningAgent::RunningAgent(const Folder& folder, const How& how) : process_(spawn_of(folder, how)) {
  while (const auto line = process_.err().line()) {
    said_ += *line + "\n";
    if (line->find("watching: ") == std::string::npos) continue;
    watching_ = true;
    return;
  }
}

void RunningAgent::send(int signal) const {
  EXPECT_EQ(::kill(process_.pid(), signal), 0);
}

int RunningAgent::wait() {
  const int status = process_.wait();
  while (const auto line = process_.err().line()) said_ += *line + "\n";
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int RunningAgent::stop() {
  send(SIGTERM);
  return wait();
}

void RunningAgent::take_lines() {
  constexpr std::chrono::milliseconds kALook{2};
  while (process_.err().fill(std::chrono::steady_clock::now() + kALook) == Fill::kMore) {
  }
  while (const auto line = process_.err().buffered()) said_ += *line + "\n";
}

std::string RunningAgent::wait_for_line(const std::string& text) {
  while (const auto line = process_.err().line()) {
    said_ += *line + "\n";
    if (line->find(text) != std::string::npos) return *line;
  }
  ADD_FAILURE() << "the agent never said '" << text << "', but:\n" << said_;
  return "";
}

void put_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  EXPECT_TRUE(file.flush()) << path;
}

std::string agent_path() {
  const auto path = std::filesystem::path(tracer_path()).parent_path() / "oomwitness-agent";
  return ::access(path.c_str(), X_OK) == 0 ? path.string() : "";
}

std::string store_of(const Folder& folder) {
  return folder.file("incidents.db");
}

std::vector<json> history(const Folder& folder, const std::vector<std::string>& filters) {
  std::vector<std::string> args{"history", "--json",  "--limit",
                                "100000",  "--store", store_of(folder)};
  args.insert(args.end(), filters.begin(), filters.end());
  const Finished finished = run_oomwitness(args);
  EXPECT_TRUE(finished.code == 0 || finished.code == 3) << finished.err;
  std::vector<json> incidents;
  for (const std::string& line : finished.lines) incidents.push_back(json::parse(line));
  return incidents;
}

void wait_for_kills(const Folder& folder, const std::vector<pid_t>& pids) {
  const Fd watch(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  ASSERT_GE(::inotify_add_watch(watch.get(), folder.path().c_str(), IN_MODIFY), 0);
  const auto until = std::chrono::steady_clock::now() + kDeadline;
  for (;;) {
    const auto told = count(history(folder));
    const auto missing =
        std::count_if(pids.begin(), pids.end(), [&](pid_t pid) { return !told.contains(pid); });
    if (missing == 0) return;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    pollfd news{watch.get(), POLLIN, 0};
    if (left.count() <= 0 || ::poll(&news, 1, static_cast<int>(left.count())) <= 0) {
      ADD_FAILURE() << missing << " of " << pids.size() << " kills never came into the store";
      return;
    }
    std::array<char, 4096> events{};
    while (::read(watch.get(), events.data(), events.size()) > 0) {
    }
  }
}

std::vector<std::size_t> times_told(const std::vector<json>& incidents,
                                    const std::vector<pid_t>& pids) {
  auto told = count(incidents);
  std::vector<std::size_t> times;
  for (const pid_t pid : pids) times.push_back(told[pid]);
  return times;
}

}  // namespace oomwitness::live
