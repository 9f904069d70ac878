// SPDX-License-Identifier: BSD-2-Clause
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <optional>

#include "kills.h"
#include "measures.h"
#include "statistics.h"

namespace oomwitness::bench {
namespace {

using nlohmann::json;

constexpr int kKillsARound = 3;

// The cgroup's idle population: one process and its children, all ended with the object.
class Crowd {
 public:
  Crowd(const Cgroup& cgroup, int processes) : dir_(cgroup.dir()) {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) die("pipe");
    parent_ = fork_into(cgroup, [processes, ends] { breed(processes, ends[1]); });
    close(ends[1]);
    char byte = 0;
    if (read(ends[0], &byte, 1) != 1) die("forking the crowd");
    close(ends[0]);
  }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;
  Crowd(Crowd&&) = delete;
  Crowd& operator=(Crowd&&) = delete;
  ~Crowd() {
    write_file(dir_ + "/cgroup.kill", "1");
    kill(parent_, SIGKILL);
    waitpid(parent_, nullptr, 0);
    // The children are init's to reap; the cgroup is empty when it has.
    for (int tries = 0; tries < 2000 && !read_file(dir_ + "/cgroup.procs").empty(); ++tries)
      poll(nullptr, 0, 10);
  }

 private:
  static void breed(int processes, int done) {
    for (int i = 1; i < processes; ++i) {
      const pid_t pid = fork();
      if (pid < 0) die("fork of a candidate");
      if (pid == 0)
        for (;;) pause();
    }
    if (write(done, "", 1) != 1) die("the crowd's parent");
    for (;;) pause();
  }

  std::string dir_;
  pid_t parent_ = -1;
};

// The hog's stall: from the page that it could not have to its end.
double kill_ms(const Cgroup& cgroup, int shared_fd, const volatile std::int64_t* last) {
  reap_killed(start_hog(cgroup, 0, shared_fd));
  return static_cast<double>(now_ns() - *last) / 1e6;
}

}  // namespace

json measure_candidates(const Tools& tools, int processes, int rounds) {
  const Cgroup cgroup("bench-crowd");
  const Crowd crowd(cgroup, processes);
  // What the crowd's page tables and kernel stacks take is charged too.
  cgroup.limit(cgroup.usage() + 16 * kMiB);
  const int shared_fd = memfd_create("stall", 0);
  if (shared_fd < 0 || ftruncate(shared_fd, 4096) != 0) die("memfd_create");
  void* shared = mmap(nullptr, 4096, PROT_READ, MAP_SHARED, shared_fd, 0);
  if (shared == MAP_FAILED) die("mmap");
  const auto* last = static_cast<const volatile std::int64_t*>(shared);

  json out = {{"processes", processes}};
  for (const bool dump : {true, false}) {
    write_file("/proc/sys/vm/oom_dump_tasks", dump ? "1" : "0");
    std::vector<double> with;
    std::vector<double> without;
    kill_ms(cgroup, shared_fd, last);
    for (int round = 0; round < rounds; ++round) {
      std::vector<double> plain;
      std::vector<double> traced;
      for (int i = 0; i < kKillsARound; ++i) plain.push_back(kill_ms(cgroup, shared_fd, last));
      Tracing tracing(tools);
      LineReader reader(tracing.child().out());
      for (int i = 0; i < kKillsARound; ++i) traced.push_back(kill_ms(cgroup, shared_fd, last));
      tracing.child().stop();
      without.push_back(median(plain));
      with.push_back(median(traced));
    }
    const double added_ms = median(with) - median(without);
    out[dump ? "with_dump" : "without_dump"] = {
        {"with_ms", summary(with, true)},
        {"without_ms", summary(without, true)},
        {"ratio_of_medians", median(with) / median(without)},
        {"median_ratio", median_ratio(with, without)},
        {"added_ns_per_candidate", added_ms * 1e6 / processes}};
  }
  write_file("/proc/sys/vm/oom_dump_tasks", "1");
  return out;
}

}  // namespace oomwitness::bench
