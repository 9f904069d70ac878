// SPDX-License-Identifier: BSD-2-Clause
#include "follower.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <sstream>
#include <utility>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace oomwitness::cli {

std::vector<int> pids(const std::string& json_lines) {
  std::vector<int> found;
  std::istringstream in(json_lines);
  for (std::string line; std::getline(in, line);) {
    const auto incident = nlohmann::json::parse(line, nullptr, false);
    EXPECT_TRUE(incident.is_object()) << line;
    for (const auto& victim : incident.value("victims", nlohmann::json::array())) {
      found.push_back(victim.value("pid", 0));
    }
  }
  return found;
}

Follower::Follower(std::vector<std::string> args) {
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  EXPECT_EQ(::pipe2(in.data(), O_CLOEXEC), 0);
  EXPECT_EQ(::pipe2(out.data(), O_CLOEXEC), 0);
  args.insert(args.begin(), "oomwitness");
  pid_ = ::fork();
  if (pid_ == 0) {
    ::dup2(in[0], STDIN_FILENO);
    ::dup2(out[1], STDOUT_FILENO);
    std::vector<char*> words;
    for (std::string& word : args) words.push_back(word.data());
    words.push_back(nullptr);
    ::execv(OW_BIN, words.data());
    ::_exit(127);
  }
  ::close(in[0]);
  ::close(out[1]);
  in_ = in[1];
  out_ = ::fdopen(out[0], "r");
}

Follower::~Follower() {
  if (pid_ > 0) stop();
  ::close(in_);
  ::fclose(out_);
}

std::vector<int> Follower::next() {
  char* line = nullptr;
  std::size_t room = 0;
  const ssize_t size = ::getline(&line, &room, out_);
  std::vector<int> found;
  if (size > 0) found = pids({line, static_cast<std::size_t>(size)});
  ::free(line);  // NOLINT: getline's
  return found;
}

void Follower::type(const std::string& text) {
  EXPECT_EQ(::write(in_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

int Follower::stop() {
  ::kill(pid_, SIGTERM);
  int status = 0;
  const pid_t pid = std::exchange(pid_, 0);
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace oomwitness::cli
