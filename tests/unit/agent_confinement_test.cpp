// SPDX-License-Identifier: BSD-2-Clause
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "agent/confinement.h"
#include "agent/service.h"
#include "store_fixture.h"

namespace oomwitness {
namespace {

constexpr int kRefused = 40;  // confine_system_calls() itself failed

int confined(const std::function<int()>& function) {
  return in_child([&] { return confine_system_calls() ? function() : kRefused; });
}

void expect_forbidden(const char* name, const std::function<long()>& call) {
  EXPECT_EQ(confined([&] {
              errno = 0;
              return call() == -1 && errno == EPERM ? 0 : 1;
            }),
            0)
      << name;
}

TEST(Confinement, WhatTheAgentNeverDoesIsForbidden) {
  expect_forbidden("fork", [] { return static_cast<long>(::fork()); });
  expect_forbidden("vfork", [] { return ::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); });
  expect_forbidden("execve",
                   [] { return static_cast<long>(::execl("/bin/true", "true", nullptr)); });
  expect_forbidden("ptrace", [] { return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); });
  expect_forbidden("mount", [] {
    return static_cast<long>(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr));
  });
  expect_forbidden("unshare", [] { return ::syscall(SYS_unshare, 0); });
  expect_forbidden("perf_event_open",
                   [] { return ::syscall(SYS_perf_event_open, nullptr, 0, 0, -1, 0); });
  expect_forbidden("loading BPF", [] {
    bpf_attr attr{};
    return ::syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
  });
  expect_forbidden("kill", [] { return ::syscall(SYS_kill, ::getppid(), 0); });
  expect_forbidden("process_vm_readv", [] {
    return ::syscall(SYS_process_vm_readv, ::getppid(), nullptr, 0, nullptr, 0, 0);
  });
}

TEST(Confinement, ThreadsFilesSocketsAndTheStoreGoOn) {
  std::string dir = testing::TempDir() + "confinedXXXXXX";
  ASSERT_NE(::mkdtemp(dir.data()), nullptr);
  EXPECT_EQ(confined([&] {
              int code = 1;
              std::thread([&] {
                auto store = Store::open(dir + "/incidents.db");
                code = store && store->put(make_incident(1)) && store->sync() ? 0 : 2;
              }).join();
              const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
              return code != 0 ? code : fd >= 0 ? 0 : 3;
            }),
            0);
  std::filesystem::remove_all(dir);
}

TEST(Service, NothingOfTheEnvironmentIsKeptButWhatSystemdSays) {
  EXPECT_EQ(in_child([] {
              ::setenv("http_proxy", "http://127.0.0.1:1", 1);
              ::setenv("SSL_CERT_FILE", "/tmp/mine.pem", 1);
              ::setenv("NOTIFY_SOCKET", "/run/notify", 1);
              ::setenv("JOURNAL_STREAM", "8:1", 1);
              ::unsetenv("WATCHDOG_USEC");
              ::unsetenv("WATCHDOG_PID");
              forget_environment();
              int names = 0;
              for (char** one = environ; *one != nullptr; ++one) ++names;
              const bool kept = std::string(::getenv("NOTIFY_SOCKET")) == "/run/notify" &&
                                std::string(::getenv("JOURNAL_STREAM")) == "8:1";
              return kept ? names : 100;
            }),
            2);
}

// Threads that are there already are confined too.
TEST(Confinement, OtherThreadsAreConfinedWithIt) {
  EXPECT_EQ(in_child([] {
              std::atomic<bool> done{false};
              std::atomic<int> code{1};
              std::thread other([&] {
                while (!done) std::this_thread::yield();
                code = ::syscall(SYS_unshare, 0) == -1 && errno == EPERM ? 0 : 2;
              });
              if (!confine_system_calls()) return kRefused;
              done = true;
              other.join();
              return code.load();
            }),
            0);
}

std::uint64_t capabilities(const std::string& set) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(set + ":")) return std::stoull(line.substr(set.size() + 1), nullptr, 16);
  return ~0ULL;
}

TEST(Confinement, OnlyCapabilitiesToReadAreKept) {
  constexpr std::uint64_t kReading = 1ULL << 39U | 1ULL << 34U | 1ULL << 19U | 1ULL << 2U;
  EXPECT_EQ(in_child([&] {
              const std::uint64_t before = capabilities("CapPrm");
              if (!drop_capabilities()) return 1;
              for (const char* set : {"CapEff", "CapPrm", "CapAmb", "CapInh"})
                if ((capabilities(set) & ~kReading) != 0) return 2;
              return (capabilities("CapEff") & ~(before & kReading)) == 0 ? 0 : 3;
            }),
            0);
}

}  // namespace
}  // namespace oomwitness
