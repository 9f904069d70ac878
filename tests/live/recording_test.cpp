// SPDX-License-Identifier: BSD-2-Clause
// A recording gives the same incidents again, anywhere; a damaged one gives fewer, or an error.
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

#include "live_test.h"

namespace oomwitness::live {
namespace {

class Recording : public LiveTest {
 protected:
  void SetUp() override {
    LiveTest::SetUp();
    if (IsSkipped()) return;
    std::string made = "/tmp/owtest-XXXXXX";
    folder_ = mkdtemp(made.data());
    file_ = folder_ + "/recording";
  }
  void TearDown() override {
    if (folder_.empty()) return;
    unlink(file_.c_str());
    rmdir(folder_.c_str());
  }

  // Two kills of different shape; the lines the tracer wrote.
  std::vector<std::string> record() {
    Tracer tracer({"--record", file_});
    if (!tracer.ready()) return {};
    Cgroup box(memory(), Cgroup::unique("record"));
    box.limit(96 * kMiB);
    Cgroup quiet(box, "quiet\xff");
    Cgroup busy(box, "busy");
    const Provoked idle(
        {.words = "adj=1000 before=60", .cgroup = &quiet, .argv = {"idle", "\x1b\xfe"}});
    const Provoked spare({.words = "adj=999 before=1", .cgroup = &quiet});
    Provoked asker({.words = "alloc=48", .cgroup = &busy});
    asker.go();
    asker.wait_done();
    tracer.incident();
    Provoked hog({.words = "adj=1000 share=1 threads=2 alloc=max", .cgroup = &busy});
    hog.go();
    hog.wait_killed();
    tracer.incident();
    EXPECT_EQ(tracer.stop(), 0);
    tracer.left_over();
    return tracer.lines();
  }

  Finished replay() const { return run_oomwitness({"trace", "--replay", file_, "--json"}); }

  void rewrite(const std::string& bytes) const {
    const Fd file(open(file_.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
    ASSERT_EQ(write(file.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }

  // An answer or an error, never a crash and never half a record.
  void expect_orderly(std::size_t most_incidents) const {
    const Finished replayed = replay();
    EXPECT_TRUE(replayed.code == 0 || replayed.code == 1) << replayed.code << " " << replayed.err;
    if (replayed.code == 1) {
      EXPECT_NE(replayed.err.find("error:"), std::string::npos) << replayed.err;
    }
    EXPECT_LE(replayed.lines.size(), most_incidents);
    for (const std::string& line : replayed.lines)
      EXPECT_TRUE(json::parse(line, nullptr, false).is_object()) << line;
  }

  const std::string& file() const { return file_; }

 private:
  std::string folder_;
  std::string file_;
};

#define RECORD_OR_SKIP(lines)                                       \
  const std::vector<std::string> lines = record();                  \
  if ((lines).empty() && !has_bpf()) GTEST_SKIP() << "no BPF here"; \
  ASSERT_FALSE((lines).empty())

TEST_F(Recording, ReplaysToTheSameBytes) {
  RECORD_OR_SKIP(lines);
  ASSERT_GE(lines.size(), 2U);
  const Finished replayed = replay();
  EXPECT_EQ(replayed.code, 0) << replayed.err;
  EXPECT_EQ(replayed.lines, lines);
}

TEST_F(Recording, ReplayNeedsNoRights) {
  RECORD_OR_SKIP(lines);
  Spawn spawn;
  spawn.exe = tracer_path();
  spawn.argv = {"oomwitness", "trace", "--replay", file(), "--json"};
  spawn.capabilities = 0;
  Process process(spawn);
  process.close_stdin();
  for (const std::string& line : lines) EXPECT_EQ(process.out().line(), line);
  EXPECT_EQ(process.wait(), 0);
}

TEST_F(Recording, CutAnywhereIsAnErrorOrFewerIncidents) {
  RECORD_OR_SKIP(lines);
  const std::string whole = read_file(file());
  ASSERT_GT(whole.size(), 1000U);
  // Every byte of the head; then places that meet no record's alignment twice the same way.
  for (std::size_t cut = 0; cut < whole.size(); cut += cut < 40 ? 1 : whole.size() / 61 + 1) {
    SCOPED_TRACE("cut at byte " + std::to_string(cut));
    rewrite(whole.substr(0, cut));
    expect_orderly(lines.size());
    if (HasFailure()) return;
  }
}

TEST_F(Recording, DamagedBytesDoNotCrash) {
  RECORD_OR_SKIP(lines);
  const std::string whole = read_file(file());
  for (std::size_t at = 0; at < whole.size(); at += whole.size() / 61 + 1) {
    SCOPED_TRACE("ff at byte " + std::to_string(at));
    std::string damaged = whole;
    damaged.replace(at, 4, "\xff\xff\xff\xff");
    rewrite(damaged);
    const Finished replayed = replay();
    EXPECT_TRUE(replayed.code == 0 || replayed.code == 1) << replayed.code << " " << replayed.err;
    for (const std::string& line : replayed.lines)
      EXPECT_TRUE(json::parse(line, nullptr, false).is_object()) << line;
    if (HasFailure()) return;
  }
}

TEST_F(Recording, OtherFilesAreRefused) {
  for (const char* path : {"/proc/self/status", "/dev/null", "/no/such/file", "/tmp"}) {
    const Finished finished = run_oomwitness({"trace", "--replay", path, "--json"});
    EXPECT_EQ(finished.code, 1) << path << ": " << finished.err;
    EXPECT_NE(finished.err.find("error:"), std::string::npos) << finished.err;
    EXPECT_NE(finished.err.find(path), std::string::npos) << finished.err;
    EXPECT_TRUE(finished.lines.empty());
  }
}

}  // namespace
}  // namespace oomwitness::live
