// SPDX-License-Identifier: BSD-2-Clause
// Child processes: started inside a cgroup, talked to over pipes, never left behind.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cgroup.h"
#include "fd.h"

namespace oomwitness::live {

struct Spawn {
  std::string exe;
  std::vector<std::string> argv;
  std::vector<std::string> env;
  const Cgroup* cgroup = nullptr;
  unsigned namespaces = 0;                    // CLONE_NEW*
  bool own_proc = false;                      // with CLONE_NEWPID | CLONE_NEWNS: a /proc to match
  bool bare_env = false;                      // nothing but `env`
  std::optional<std::uint64_t> capabilities;  // all it may have, ambient: bit n is capability n
  std::uint64_t stack_bytes = 0;              // RLIMIT_STACK, of which argv may be a quarter
};

class Process {
 public:
  explicit Process(const Spawn& spawn);
  Process(Process&& other) noexcept;
  Process& operator=(Process&&) = delete;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();  // kills and reaps

  pid_t pid() const { return pid_; }
  LineReader& out() { return out_; }
  LineReader& err() { return err_; }
  void send_byte();
  void close_stdin() { in_.reset(); }
  // The wait status; reports a test failure and gives -1 when the process outlives the deadline.
  int wait(std::chrono::seconds deadline = kDeadline);

 private:
  pid_t pid_ = -1;
  bool reaped_ = false;
  Fd in_;
  LineReader out_;
  LineReader err_;
};

// A running `provoke` (see provoke.cpp for the words).
struct Plan {
  std::string words;
  const Cgroup* cgroup = nullptr;
  std::vector<std::string> argv = {"provoke"};
  std::string exe;  // default: the provoker itself
  unsigned namespaces = 0;
  std::uint64_t stack_bytes = 0;
};

class Provoked {
 public:
  explicit Provoked(const Plan& plan);  // returns when the process is ready

  pid_t pid() const { return process_.pid(); }
  pid_t tid() const { return tid_; }        // of the thread that allocates
  pid_t sharer() const { return sharer_; }  // of the process on the same memory
  const std::string& exe() const { return exe_; }
  Process& process() { return process_; }

  void go() { process_.send_byte(); }
  // Both report a test failure when it does not happen.
  void wait_killed(std::chrono::seconds deadline = kDeadline);
  void wait_done();
  // mode=storm: the next one that was killed.
  pid_t next_pid();

 private:
  std::string exe_;
  Process process_;
  pid_t tid_ = 0;
  pid_t sharer_ = 0;
};

// Keeps a process from dying, between its last signal and the end of its memory, until let go: with
// PTRACE_O_TRACEEXIT even a SIGKILLed task stops there (ptrace_event() in kernel/exit.c).
class Detained {
 public:
  explicit Detained(pid_t pid);
  void wait_dying() const;
  void let_go() const;

 private:
  pid_t pid_;
};

std::string provoker_path();
std::string hex(const std::string& bytes);

}  // namespace oomwitness::live
