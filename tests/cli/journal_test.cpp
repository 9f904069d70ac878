// SPDX-License-Identifier: BSD-2-Clause
// The journal as a source, with journals that systemd-journal-remote makes.
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "follower.h"
#include "oomwitness.h"

namespace oomwitness::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint64_t kUsPerSecond = 1'000'000;
// 2026-11-18T11:06:40Z
constexpr std::uint64_t kBeginUs = 1'795'000'000 * kUsPerSecond;

using Fields = std::map<std::string, std::string>;

// All digits: it must not be taken for a count of boots.
std::string older_boot() {
  return std::string(32, '1');
}
std::string newer_boot() {
  return std::string(32, 'b');
}

// An entry in the journal's export format.
std::string entry(const std::string& boot, std::uint64_t second, const Fields& fields) {
  std::ostringstream out;
  out << "__CURSOR=s=1;i=" << second
      << "\n__REALTIME_TIMESTAMP=" << kBeginUs + second * kUsPerSecond
      << "\n__MONOTONIC_TIMESTAMP=" << second * kUsPerSecond << "\n_BOOT_ID=" << boot
      << "\n_HOSTNAME=web1\n";
  for (const auto& [name, value] : fields) {
    if (value.find_first_of("\n\x01") == std::string::npos) {
      out << name << '=' << value << '\n';
      continue;
    }
    out << name << '\n';
    for (unsigned i = 0; i < 8; ++i)
      out << static_cast<char>(i < 4 ? value.size() >> (8 * i) & 0xffU : 0);
    out << value << '\n';
  }
  out << '\n';
  return out.str();
}

std::string kernel_entry(const std::string& boot, std::uint64_t second, const std::string& text) {
  return entry(boot, second,
               {{"_TRANSPORT", "kernel"},
                {"SYSLOG_IDENTIFIER", "kernel"},
                {"SYSLOG_FACILITY", "0"},
                {"PRIORITY", "3"},
                {"_SOURCE_MONOTONIC_TIMESTAMP", std::to_string(second * kUsPerSecond)},
                {"MESSAGE", text}});
}

std::string kill_of(int pid, const std::string& comm = "hog") {
  return "Out of memory: Killed process " + std::to_string(pid) + " (" + comm +
         ") total-vm:1000kB, anon-rss:500kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:40kB "
         "oom_score_adj:0";
}

std::string two_boots() {
  const std::string a = older_boot();
  const std::string b = newer_boot();
  return kernel_entry(a, 100, "Linux version 6.1.0") + kernel_entry(a, 200, kill_of(11)) +
         // By syslog(3), and through /dev/kmsg.
         entry(a, 210,
               {{"_TRANSPORT", "syslog"},
                {"SYSLOG_IDENTIFIER", "kernel"},
                {"MESSAGE", kill_of(66, "forged")}}) +
         entry(a, 220,
               {{"_TRANSPORT", "kernel"},
                {"SYSLOG_IDENTIFIER", "kernel"},
                {"SYSLOG_FACILITY", "1"},
                {"MESSAGE", kill_of(67, "forged")}}) +
         kernel_entry(a, 300, kill_of(12, "b\x01\xff\nd")) +
         // The machine stopped here.
         kernel_entry(a, 400,
                      "hog invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, "
                      "oom_score_adj=0") +
         kernel_entry(b, 1001, "Linux version 6.1.0") + kernel_entry(b, 1100, kill_of(21));
}

class Journal : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* path :
         {"/lib/systemd/systemd-journal-remote", "/usr/lib/systemd/systemd-journal-remote"}) {
      if (::access(path, X_OK) == 0) remote_ = path;
    }
    if (remote_.empty()) GTEST_SKIP() << "there is no systemd-journal-remote to make a journal";
    std::filesystem::create_directories(folder_);
    append(two_boots());
    const Ran ran = run({"analyze", "--journal-directory", folder_});
    if (ran.err.find("load libsystemd") != std::string::npos) GTEST_SKIP() << ran.err;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void append(const std::string& entries) const {
    const std::string command = remote_ + " --output=" + journal_ + " - 2>/dev/null";
    FILE* to = ::popen(command.c_str(), "w");  // NOLINT(cert-env33-c): a test's own command
    ASSERT_NE(to, nullptr);
    ASSERT_EQ(std::fwrite(entries.data(), 1, entries.size(), to), entries.size());
    ASSERT_EQ(::pclose(to), 0);
  }

  Ran analyze(std::vector<std::string> args) const {
    args.insert(args.begin(), {"analyze", "--json", "--journal-directory", folder_});
    return run(std::move(args));
  }
  std::vector<int> found(std::vector<std::string> args = {}) const {
    return pids(analyze(std::move(args)).out);
  }

  std::string remote_;
  std::string folder_ = ::testing::TempDir() + "journal-" + std::to_string(::getpid());
  std::string journal_ = folder_ + "/oom.journal";
};

TEST_F(Journal, TheKernelsEntriesOfAllBoots) {
  const Ran ran = analyze({});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.err, "note: 1 line looks like the kernel's but came from user space: left out\n");
  EXPECT_THAT(pids(ran.out), ElementsAre(11, 12, 21));
  EXPECT_EQ(run({"analyze", "--json", journal_}).out, ran.out);
}

TEST_F(Journal, ANameOfAnyBytesStaysOneName) {
  std::istringstream lines(analyze({}).out);
  std::string second;
  std::getline(lines, second);
  std::getline(lines, second);
  EXPECT_EQ(nlohmann::json::parse(second)["victims"][0]["comm"], "b\x01\xef\xbf\xbd\nd");
}

// What the first boot's report does not say, the second's kill does not either.
TEST_F(Journal, AReportEndsWithItsBoot) {
  std::istringstream lines(analyze({}).out);
  std::vector<std::pair<std::size_t, bool>> victims_and_invoker;
  for (std::string line; std::getline(lines, line);) {
    const auto incident = nlohmann::json::parse(line);
    victims_and_invoker.emplace_back(
        incident.value("victims", nlohmann::json::array()).size(),
        incident.contains("invoker") && incident["invoker"].value("comm", "") == "hog");
  }
  EXPECT_THAT(victims_and_invoker, ElementsAre(std::pair(1U, false), std::pair(1U, false),
                                               std::pair(0U, true), std::pair(1U, false)));
}

TEST_F(Journal, OneBoot) {
  EXPECT_THAT(found({"--boot", "0"}), ElementsAre(21));
  EXPECT_THAT(found({"--boot", "-1"}), ElementsAre(11, 12));
  EXPECT_THAT(found({"--boot", older_boot()}), ElementsAre(11, 12));
  EXPECT_THAT(found({"--boot", newer_boot()}), ElementsAre(21));
  for (const std::string boot : {"-2", "1", "", "x", "cccccccccccccccccccccccccccccccc"}) {
    const Ran ran = analyze({"--boot=" + boot});
    EXPECT_EQ(ran.code, boot.empty() ? 2 : 1) << boot;
    EXPECT_EQ(ran.out, "") << boot;
  }
}

TEST_F(Journal, Times) {
  EXPECT_THAT(found({"--since", "2026-11-18T11:12:00Z"}), ElementsAre(21));
  EXPECT_THAT(found({"--until", "2026-11-18T11:11:00Z"}), ElementsAre(11));
  EXPECT_THAT(found({"--since", "2026-11-18T11:11:00Z", "--until", "2026-11-18T11:12:00Z"}),
              ElementsAre(12));
  EXPECT_THAT(found({"--since", "2026-11-18T11:11:00Z", "--boot", "0"}), ElementsAre(21));
  EXPECT_THAT(found({"--since", "2027-01-01"}), IsEmpty());
}

TEST_F(Journal, FollowsWhatIsAdded) {
  for (const auto& source : {std::vector<std::string>{"--journal-directory", folder_},
                             std::vector<std::string>{journal_}}) {
    std::vector<std::string> args{"analyze", "--json", "--follow", "--since",
                                  "2026-11-18T11:20:00Z"};
    args.insert(args.end(), source.begin(), source.end());
    Follower follower(args);
    EXPECT_THAT(follower.next(), ElementsAre(21));
    append(kernel_entry(newer_boot(), 2000, kill_of(31)));
    EXPECT_THAT(follower.next(), ElementsAre(31));
    append(kernel_entry(newer_boot(), 2100, kill_of(32)));
    EXPECT_THAT(follower.next(), ElementsAre(32));
    EXPECT_EQ(follower.stop(), 0);
    std::filesystem::remove(journal_);
    append(two_boots());
  }
}

TEST_F(Journal, AFolderWithoutAJournalIsAnError) {
  const std::string empty = folder_ + "/empty";
  std::filesystem::create_directories(empty);
  const Ran ran = run({"analyze", "--journal-directory", empty});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("open the journal in " + empty + ": there is none"));
  EXPECT_EQ(run({"analyze", "--journal-directory", folder_ + "/none"}).code, 1);
  EXPECT_EQ(run({"analyze", "--journal-directory", folder_, "--dmesg"}).code, 2);
}

// Text that journalctl makes of a kill far from any other.
TEST_F(Journal, ItsExportedEntriesAreFoundOneByOne) {
  std::string text;
  for (int i = 0; i < 200; ++i)
    text += kernel_entry(newer_boot(), 1200, "eth0: link " + std::to_string(i));
  const std::string path = folder_ + "/a.export";
  std::ofstream(path) << text << kernel_entry(newer_boot(), 1201, kill_of(41)) << text
                      << kernel_entry(newer_boot(), 1201, kill_of(42)) << text;
  EXPECT_THAT(pids(run({"analyze", "--json", path}).out), ElementsAre(41, 42));
}

}  // namespace
}  // namespace oomwitness::cli
