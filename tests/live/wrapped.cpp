// SPDX-License-Identifier: BSD-2-Clause
#include "wrapped.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "fd.h"

namespace oomwitness::live {
namespace {

std::string make_folder() {
  std::string name = "/tmp/owrun-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "no folder in /tmp";
  return name;
}

Spawn spawn_of(const std::string& folder, const std::vector<std::string>& options,
               const std::vector<std::string>& command, const Cgroup* inside) {
  Spawn spawn;
  spawn.exe = tracer_path();
  spawn.argv = {"oomwitness", "run", "--json", folder + "/run.json"};
  spawn.argv.insert(spawn.argv.end(), options.begin(), options.end());
  spawn.argv.emplace_back("--");
  spawn.argv.insert(spawn.argv.end(), command.begin(), command.end());
  spawn.cgroup = inside;
  return spawn;
}

// Kept for the run that validates all records by the schema.
void keep_record(const std::string& text) {
  const char* incidents = std::getenv("OOMWITNESS_INCIDENTS");
  if (incidents == nullptr) return;
  const auto folder = std::filesystem::path(incidents).parent_path() / "runs";
  static int count = 0;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  const std::string name = std::to_string(getpid()) + "-" + std::to_string(count++) + ".json";
  const std::unique_ptr<FILE, int (*)(FILE*)> file(fopen((folder / name).c_str(), "w"), fclose);
  if (file) fputs(text.c_str(), file.get());
}

}  // namespace

std::vector<std::string> shell(const std::string& line) {
  return {"sh", "-c", line};
}

std::string eat(const std::string& mib) {
  return provoker_path() + " adj=1000 go=1 alloc=" + mib + " </dev/null >/dev/null";
}

Wrapping::Wrapping(const std::vector<std::string>& options, const std::vector<std::string>& command,
                   const Cgroup* inside)
    : folder_(make_folder()), process_(spawn_of(folder_, options, command, inside)) {
  process_.close_stdin();
}

Wrapping::~Wrapping() {
  std::error_code gone;
  std::filesystem::remove_all(folder_, gone);
}

std::string Wrapping::line() {
  const auto line = process_.out().line();
  EXPECT_TRUE(line) << "the command wrote nothing more";
  if (line) out_ += *line + "\n";
  return line.value_or("");
}

Wrapped Wrapping::finish() {
  Wrapped wrapped;
  while (const auto line = process_.out().line()) out_ += *line + "\n";
  wrapped.out = out_;
  while (const auto line = process_.err().line()) wrapped.err += *line + "\n";
  const int status = process_.wait();
  wrapped.code = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  const std::string text = read_file(folder_ + "/run.json");
  if (!text.empty()) {
    keep_record(text);
    wrapped.record = json::parse(text, nullptr, false);
    EXPECT_TRUE(wrapped.record.is_object()) << text;
  }
  EXPECT_TRUE(cgroups_of_run(process_.pid()).empty()) << cgroups_of_run(process_.pid()).front();
  return wrapped;
}

Wrapped wrap(const std::vector<std::string>& options, const std::vector<std::string>& command,
             const Cgroup* inside) {
  return Wrapping(options, command, inside).finish();
}

std::vector<std::string> cgroups_of_run(pid_t pid) {
  std::vector<std::string> found;
  const auto memory = Hierarchy::find("memory");
  if (!memory) return found;
  std::error_code error;
  std::filesystem::recursive_directory_iterator entry(memory->mount, error);
  while (!error && entry != std::filesystem::recursive_directory_iterator()) {
    const std::string name = entry->path().filename();
    for (const char* kind : {"oomwitness-run-", "oomwitness-self-"}) {
      const std::string mine = kind + std::to_string(pid);
      if (name == mine || name.starts_with(mine + "-")) found.push_back(entry->path());
    }
    entry.increment(error);
  }
  return found;
}

bool wait_gone(pid_t pid) {
  const auto until = std::chrono::steady_clock::now() + kDeadline;
  while (std::chrono::steady_clock::now() < until) {
    // It may have become a child of ours.
    while (waitpid(pid, nullptr, WNOHANG) > 0) {
    }
    if (kill(pid, 0) != 0 && errno == ESRCH) return true;
    poll(nullptr, 0, 10);
  }
  return false;
}

}  // namespace oomwitness::live
