// SPDX-License-Identifier: BSD-2-Clause
#include "tracer.h"

#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string_view>

#include <gtest/gtest.h>

#include "live_test.h"

namespace oomwitness::live {
namespace {

std::string test_name() {
  const auto* current = ::testing::UnitTest::GetInstance()->current_test_info();
  std::string name = std::string(current->test_suite_name()) + "." + current->name();
  std::replace(name.begin(), name.end(), '/', '_');
  return name;
}

// For the independent check of every line against the schema.
void keep(const std::string& line) {
  const char* folder = std::getenv("OOMWITNESS_INCIDENTS");
  if (folder == nullptr) return;
  std::ofstream(std::string(folder) + "/" + test_name() + ".jsonl", std::ios::app) << line << '\n';
}

int exit_code(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

Spawn spawn_of(const Conditions& run) {
  Spawn spawn;
  spawn.exe = tracer_path();
  spawn.argv = {"oomwitness", "trace", "--json"};
  spawn.argv.insert(spawn.argv.end(), run.args.begin(), run.args.end());
  // Emulated victims take their time to die, and most tests are about their end.
  if (std::find(run.args.begin(), run.args.end(), "--settle") == run.args.end())
    spawn.argv.insert(spawn.argv.end(), {"--settle", "100000"});
  spawn.namespaces = run.namespaces;
  spawn.own_proc = run.own_proc;
  spawn.capabilities = run.capabilities;
  return spawn;
}

}  // namespace

std::vector<std::string> without_function_hooks() {
  return {"--hook", "oom_kill_process=none", "--hook", "__oom_kill_process=none",
          "--hook", "out_of_memory=none",    "--hook", "oom_badness=none"};
}

std::string tracer_path() {
  const char* named = std::getenv("OOMWITNESS_BIN");
  return named != nullptr ? named : OW_DEFAULT_BIN;
}

Tracer::Tracer(const Conditions& run) : process_(spawn_of(run)) {
  while (const auto line = process_.err().line()) {
    log_ += *line + "\n";
    if (!line->starts_with("ready:")) continue;
    ready_line_ = *line;
    return;
  }
  code_ = exit_code(process_.wait());
  if (*code_ < 0) ADD_FAILURE() << "the tracer was ended by signal " << -*code_;
}

Tracer::~Tracer() {
  if (!::testing::Test::HasFailure()) return;
  std::cerr << "--- the tracer " << (ready() ? "was ready" : "never got ready") << "; its stderr\n"
            << stderr_text() << "--- its JSON lines\n";
  for (const std::string& line : lines_) std::cerr << line << '\n';
  std::cerr << "---\n";
}

std::string Tracer::way(const std::string& hook) const {
  std::istringstream words(ready_line_);
  for (std::string word; words >> word;)
    if (word.starts_with(hook + "=")) return word.substr(hook.size() + 1);
  return "";
}

bool Tracer::is_on(const std::string& hook) const {
  const std::string used = way(hook);
  return !used.empty() && used != "none";
}

namespace {

// Somebody else's kill on the same host is none of our business; in a guest all are ours.
bool is_ours(const json& incident) {
  const std::string mine = Cgroup::prefix();
  if (!incident.contains("victims") || std::getenv("OOMWITNESS_GUEST") != nullptr) return true;
  const json& victims = incident["victims"];
  return victims.empty() || std::any_of(victims.begin(), victims.end(), [&](const json& victim) {
           return !victim.contains("cgroup") ||
                  bytes_of(victim["cgroup"]).find(mine) != std::string::npos;
         });
}

}  // namespace

namespace {

bool is_update(const json& incident) {
  const auto revision = incident.find("revision");
  return revision != incident.end() && *revision > 0;
}

}  // namespace

std::optional<json> Tracer::take(const std::string& line) {
  json parsed = json::parse(line, nullptr, false);
  if (!parsed.is_object()) {
    ADD_FAILURE() << "not a JSON object: " << line;
    return json::object();
  }
  keep(line);
  lines_.push_back(line);
  if (!is_ours(parsed)) return std::nullopt;
  return parsed;
}

json Tracer::next(bool update) {
  while (const auto line = process_.out().line()) {
    auto taken = take(*line);
    if (taken && is_update(*taken) == update) return *std::move(taken);
  }
  ADD_FAILURE() << (update ? "no further update" : "no further incident");
  return json::object();
}

std::vector<json> Tracer::left_over() {
  std::vector<json> all;
  while (const auto line = process_.out().line())
    if (auto taken = take(*line); taken && !is_update(*taken)) all.push_back(*std::move(taken));
  EXPECT_EQ(process_.out().rest(), "") << "half a line at the end";
  return all;
}

std::uint64_t Tracer::dropped_runs() const {
  constexpr std::string_view kField = "recursion_misses:";
  std::uint64_t total = 0;
  for (const auto& fd :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid()) + "/fdinfo")) {
    std::ifstream info(fd.path());
    for (std::string line; std::getline(info, line);)
      if (line.starts_with(kField)) total += std::stoull(line.substr(kField.size()));
  }
  return total;
}

int Tracer::stop() {
  kill(process_.pid(), SIGINT);
  return wait();
}

int Tracer::wait() {
  if (code_) return *code_;
  // What it still has to say must find room in the pipe, or it cannot end.
  const auto until = std::chrono::steady_clock::now() + kDeadline;
  while (process_.out().fill(until) == Fill::kMore) {
  }
  return exit_code(process_.wait());
}

std::string Tracer::stderr_text() {
  const auto now = std::chrono::steady_clock::now();
  while (process_.err().fill(now + std::chrono::milliseconds(1)) == Fill::kMore) {
  }
  while (const auto line = process_.err().buffered()) log_ += *line + "\n";
  return log_;
}

Finished run_oomwitness(const std::vector<std::string>& args) {
  Spawn spawn;
  spawn.exe = tracer_path();
  spawn.argv = {"oomwitness"};
  spawn.argv.insert(spawn.argv.end(), args.begin(), args.end());
  Process process(spawn);
  process.close_stdin();
  Finished finished;
  while (auto line = process.out().line()) finished.lines.push_back(*std::move(line));
  while (const auto line = process.err().line()) finished.err += *line + "\n";
  finished.code = exit_code(process.wait());
  return finished;
}

}  // namespace oomwitness::live
