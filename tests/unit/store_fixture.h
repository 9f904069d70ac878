// SPDX-License-Identifier: BSD-2-Clause
// A store in a folder of its own, and incidents to put into it.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "incident/incident.h"
#include "store/store.h"

namespace oomwitness {

inline constexpr std::int64_t kSecond = 1'000'000'000;
inline constexpr std::int64_t kNoon = 1'795'435'200 * kSecond;  // 2026-11-23T12:00:00Z

// The n-th kill: one a second, of a service called "app".
inline Incident make_incident(int n) {
  Incident incident;
  std::string number = std::to_string(n);
  incident.id = "01JDB4Y8Q2W3E4R5" + std::string(10 - number.size(), '0') + number;
  incident.time_unix_ns = kNoon + n * kSecond;
  incident.monotonic_ns = static_cast<std::uint64_t>(n) * 1'000'000'000;
  incident.host.boot_id = "7f0c1c0a-53a3-4b0e-9f38-0d6a2f6e4c11";
  Victim victim;
  victim.pid = 1000 + static_cast<std::uint32_t>(n);
  victim.comm = "app";
  victim.role = Role::kChosen;
  incident.victims.push_back(victim);
  return incident;
}

class StoreFixture : public ::testing::Test {
 protected:
  StoreFixture() {
    std::string dir = ::testing::TempDir() + "storeXXXXXX";
    if (::mkdtemp(dir.data()) == nullptr) std::abort();
    dir_ = dir;
  }
  ~StoreFixture() override { std::filesystem::remove_all(dir_); }

  std::string path() const { return dir_ + "/incidents.db"; }
  const std::string& dir() const { return dir_; }
  Store open(StoreOptions options = {}) const {
    auto store = Store::open(path(), options);
    if (!store) {
      ADD_FAILURE() << store.error().message();
      std::abort();
    }
    return *std::move(store);
  }

 private:
  std::string dir_;
};

inline void put(Store& store, const Incident& incident) {
  const auto written = store.put(incident);
  ASSERT_TRUE(written) << written.error().message();
  EXPECT_TRUE(*written) << incident.id << " was there already";
}

inline std::vector<std::string> ids(const Result<std::vector<StoredIncident>>& found) {
  std::vector<std::string> out;
  if (!found) {
    ADD_FAILURE() << found.error().message();
    return out;
  }
  for (const StoredIncident& one : *found) out.push_back(one.id);
  return out;
}

inline std::vector<std::string> ids_of(const std::vector<int>& numbers) {
  std::vector<std::string> out;
  for (const int n : numbers) out.push_back(make_incident(n).id);
  return out;
}

// What the function returns, in a child process: the exit code, or minus the signal.
inline int in_child(const std::function<int()>& function) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(function());
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace oomwitness
