// SPDX-License-Identifier: BSD-2-Clause
#include "enrich/enrich_worker.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "enrich_tree.h"

namespace oomwitness {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// A pipe whose readers block until release() has been called once for each of them.
class Gate {
 public:
  Gate() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    read_ = OwnedFd(ends[0]);
    write_ = OwnedFd(ends[1]);
  }
  void pass() const {
    char byte = 0;
    while (::read(read_.get(), &byte, 1) < 0 && errno == EINTR) {
    }
  }
  void release() const { ASSERT_EQ(::write(write_.get(), "x", 1), 1); }

 private:
  OwnedFd read_;
  OwnedFd write_;
};

struct Stage {
  std::atomic<std::uint64_t> now{1000};
  Gate entered;  // a job says that it runs
  Gate exit;     // and waits here
  Gate left;
};

ProcFacts facts(std::uint32_t pid) {
  ProcFacts made;
  made.pid = pid;
  return made;
}

EnrichJob job(std::uint32_t pid, std::function<void()> work) {
  return {[pid, work = std::move(work)]() -> Observation {
            work();
            return facts(pid);
          },
          [pid](std::uint64_t now_ns, const std::string& why) -> Observation {
            return no_facts({.pid = pid}, now_ns, why);
          }};
}

class EnrichWorkerTest : public testing::Test {
 protected:
  std::unique_ptr<EnrichWorker> start(EnrichWorker::Options options) {
    auto worker = EnrichWorker::start(options, [stage = stage_] { return stage->now.load(); });
    EXPECT_TRUE(worker);
    return std::move(*worker);
  }
  // Runs until the test lets it go.
  EnrichJob blocking(std::uint32_t pid) {
    return job(pid, [stage = stage_] {
      stage->entered.release();
      stage->exit.pass();
      stage->left.release();
    });
  }
  static std::vector<ProcFacts> wait_results(EnrichWorker& worker, std::size_t count) {
    std::vector<ProcFacts> all;
    while (all.size() < count) {
      pollfd poll_on{worker.result_fd(), POLLIN, 0};
      EXPECT_EQ(::poll(&poll_on, 1, 60'000), 1) << "no result in a minute";
      if (testing::Test::HasFailure()) break;
      for (const Observation& result : worker.take_results())
        all.push_back(std::get<ProcFacts>(result));
    }
    return all;
  }
  static bool readable(const EnrichWorker& worker) {
    pollfd poll_on{worker.result_fd(), POLLIN, 0};
    return ::poll(&poll_on, 1, 0) == 1;
  }

  std::shared_ptr<Stage> stage_ = std::make_shared<Stage>();
};

TEST_F(EnrichWorkerTest, EveryJobGivesOneResult) {
  const auto worker = start({.threads = 2});
  EXPECT_EQ(worker->next_deadline(), std::nullopt);
  EXPECT_FALSE(readable(*worker));
  for (std::uint32_t pid = 0; pid < 500; ++pid) worker->submit(job(pid, [] {}));
  std::vector<bool> seen(500);
  for (const ProcFacts& result : wait_results(*worker, 500)) seen.at(result.pid) = true;
  EXPECT_THAT(seen, testing::Each(true));
  EXPECT_FALSE(readable(*worker));
  EXPECT_EQ(worker->counters().answered, 500U);
  EXPECT_EQ(worker->next_deadline(), std::nullopt);
}

TEST_F(EnrichWorkerTest, AJobThatBlocksIsGivenUpAndDelaysNoOther) {
  const auto worker = start({.threads = 2, .timeout_ns = 200'000'000});
  worker->submit(blocking(1));
  stage_->entered.pass();
  EXPECT_EQ(worker->next_deadline(), 200'001'000U);

  worker->submit(job(2, [] {}));
  EXPECT_EQ(wait_results(*worker, 1)[0].pid, 2U);

  worker->expire(200'000'999);
  EXPECT_THAT(worker->take_results(), IsEmpty());
  worker->expire(200'001'000);
  EXPECT_TRUE(readable(*worker));
  const auto given_up = wait_results(*worker, 1);
  EXPECT_EQ(given_up[0].pid, 1U);
  EXPECT_EQ(given_up[0].at_ns, 200'001'000U);
  EXPECT_EQ(given_up[0].missing.at("cmdline"), "/proc did not answer within 200 ms");
  EXPECT_EQ(worker->next_deadline(), std::nullopt);
  EXPECT_EQ(worker->counters().timed_out, 1U);
  EXPECT_EQ(worker->counters().stuck, 1U);

  worker->submit(job(3, [] {}));
  EXPECT_EQ(wait_results(*worker, 1)[0].pid, 3U);

  // The late answer is dropped, its thread works again.
  stage_->exit.release();
  stage_->left.pass();
  worker->submit(blocking(4));
  worker->submit(blocking(5));
  stage_->entered.pass();
  stage_->entered.pass();  // both threads are in a job: the first one has come back
  EXPECT_EQ(worker->counters().too_late, 1U);
  EXPECT_EQ(worker->counters().stuck, 0U);
  stage_->exit.release();
  stage_->exit.release();
  EXPECT_THAT(wait_results(*worker, 2), SizeIs(2));
}

TEST_F(EnrichWorkerTest, WithEveryThreadStuckJobsAreRefusedWithAReason) {
  const auto worker = start({.threads = 2, .timeout_ns = 10});
  worker->submit(blocking(1));
  worker->submit(blocking(2));
  stage_->entered.pass();
  stage_->entered.pass();
  worker->submit(job(3, [] { FAIL() << "it ran"; }));
  worker->expire(stage_->now + 10);
  const auto results = wait_results(*worker, 3);
  EXPECT_EQ(results[2].pid, 3U);
  EXPECT_THAT(results[2].missing.at("exe"), HasSubstr("stuck"));

  worker->submit(job(4, [] { FAIL() << "it ran"; }));
  EXPECT_THAT(wait_results(*worker, 1)[0].missing.at("exe"), HasSubstr("stuck"));
  EXPECT_EQ(worker->counters().refused, 2U);
  stage_->exit.release();
  stage_->exit.release();
}

TEST_F(EnrichWorkerTest, AFullQueueRefuses) {
  const auto worker = start({.threads = 1, .max_queued = 1, .timeout_ns = 10});
  worker->submit(blocking(1));
  stage_->entered.pass();
  worker->submit(job(2, [] {}));
  worker->submit(job(3, [] {}));
  const auto refused = wait_results(*worker, 1);
  EXPECT_EQ(refused[0].pid, 3U);
  EXPECT_THAT(refused[0].missing.at("user"), HasSubstr("too many"));
  stage_->exit.release();
  EXPECT_THAT(wait_results(*worker, 2), SizeIs(2));
}

TEST_F(EnrichWorkerTest, AQueuedJobHasItsTimeFromItsStart) {
  const auto worker = start({.threads = 1, .timeout_ns = 100});
  worker->submit(blocking(1));
  stage_->entered.pass();
  worker->submit(blocking(2));
  stage_->now = 1090;
  stage_->exit.release();
  EXPECT_EQ(wait_results(*worker, 1)[0].pid, 1U);
  stage_->entered.pass();
  EXPECT_EQ(worker->next_deadline(), 1190U);
  worker->expire(1189);
  stage_->exit.release();
  EXPECT_THAT(wait_results(*worker, 1)[0].missing, IsEmpty());
}

TEST_F(EnrichWorkerTest, LeavingDoesNotWaitForAStuckThread) {
  auto worker = start({.threads = 2, .timeout_ns = 10});
  worker->submit(blocking(1));
  stage_->entered.pass();
  worker->expire(stage_->now + 10);
  worker.reset();
  stage_->exit.release();
  stage_->left.pass();  // it lived on, with what it needs
}

TEST_F(EnrichWorkerTest, AVictimWhoseCmdlineBlocksKeepsItsOtherFacts) {
  const test::MadeTree tree;
  tree.link("proc/1/ns/pid", "pid:[4026531836]");
  tree.write("etc/passwd", "app:x:1000:1::/:\n");
  test::make_process(tree, {.pid = 42});
  std::filesystem::remove(tree.path("proc/42/cmdline"));
  ASSERT_EQ(::mkfifo(tree.path("proc/42/cmdline").c_str(), 0600), 0);

  const auto worker = start({.threads = 1, .timeout_ns = 200'000'000});
  auto enricher = std::make_shared<const Enricher>(tree.roots(),
                                                   [stage = stage_] { return stage->now.load(); });
  EnrichJob victim = victim_job(enricher, {.pid = 42, .start_boottime_ns = 50'000'000'000});
  worker->submit(std::move(victim));
  // The write end opens without blocking once the reader is there.
  int writer = -1;
  while (writer < 0) {
    writer = ::open(tree.path("proc/42/cmdline").c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    std::this_thread::yield();
  }
  const OwnedFd open_end(writer);
  worker->expire(stage_->now + 200'000'000);
  const auto results = wait_results(*worker, 1);
  EXPECT_EQ(results[0].missing.at("cmdline"), "/proc did not answer within 200 ms");
  EXPECT_EQ(results[0].exe, "/usr/bin/java");
  EXPECT_EQ(results[0].user, "app");
  EXPECT_EQ(results[0].unit, "web.service");
}

TEST_F(EnrichWorkerTest, AVictimsFactsComeThroughTheQueue) {
  const test::MadeTree tree;
  tree.link("proc/1/ns/pid", "pid:[4026531836]");
  test::make_process(tree, {.pid = 42});
  const auto worker = start({});
  worker->submit(
      victim_job(std::make_shared<const Enricher>(tree.roots(), [] { return std::uint64_t{5}; }),
                 {.pid = 42}));
  const auto results = wait_results(*worker, 1);
  EXPECT_EQ(results[0].pid, 42U);
  EXPECT_EQ(results[0].exe, "/usr/bin/java");
}

}  // namespace
}  // namespace oomwitness
