// SPDX-License-Identifier: BSD-2-Clause
// The way from the store to an exporter, on a simulated clock; the threads only where they matter.
#include "agent/export_worker.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "incident/json.h"

namespace oomwitness {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Incidents by seq; the place of each exporter. One mutex: the workers' test has several threads.
class Shelf : public ExportSource {
 public:
  void add(std::int64_t count) {
    const std::lock_guard lock(mutex_);
    for (; count > 0; --count) {
      Incident incident;
      incident.id = "ID" + std::to_string(++newest_);
      incidents_[newest_] = to_json(incident);
    }
  }
  void spoil(std::int64_t seq) { incidents_[seq] = "{\"schema\":"; }
  void remove(std::int64_t seq) { incidents_.erase(seq); }
  Opt<std::int64_t> place(const std::string& exporter) {
    const std::lock_guard lock(mutex_);
    const auto found = places_.find(exporter);
    return found == places_.end() ? std::nullopt : Opt<std::int64_t>(found->second);
  }

  Result<std::vector<Stored>> after(std::int64_t seq, std::size_t limit) override {
    const std::lock_guard lock(mutex_);
    if (broken) return fail("the store does not answer");
    std::vector<Stored> out;
    for (auto it = incidents_.upper_bound(seq); it != incidents_.end() && out.size() < limit; ++it)
      out.push_back({it->first, it->second});
    return out;
  }
  Result<std::int64_t> newest() override {
    const std::lock_guard lock(mutex_);
    return newest_;
  }
  Result<Opt<std::int64_t>> place_of(const std::string& exporter) override {
    return place(exporter);
  }
  Status set_place(const std::string& exporter, std::int64_t seq) override {
    const std::lock_guard lock(mutex_);
    if (full) return fail("disk full");
    places_[exporter] = seq;
    return {};
  }

  bool broken = false;
  bool full = false;

 private:
  std::mutex mutex_;
  std::map<std::int64_t, std::string> incidents_;
  std::map<std::string, std::int64_t> places_;
  std::int64_t newest_ = 0;
};

// Does as it is told, and notes what arrived.
class Told : public Exporter {
 public:
  explicit Told(std::string name) : name_(std::move(name)) {}
  const std::string& name() const override { return name_; }
  std::size_t batch_limit() const override { return 4; }
  ExportOutcome send(std::span<const ExportItem> batch, const std::stop_token&) override {
    ++calls;
    if (down) {
      ExportOutcome outcome =
          try_later(batch, std::min(before_failure, batch.size()), "it is down");
      for (std::size_t i = 0; i < outcome.sent; ++i) got.push_back(batch[i].incident.id);
      outcome.again_in = wish;
      return outcome;
    }
    for (const ExportItem& item : batch)
      if (item.seq == poison) return refused(batch, "malformed");
    for (const ExportItem& item : batch) got.push_back(item.incident.id);
    return all_sent(batch);
  }

  bool down = false;
  std::size_t before_failure = 0;
  std::int64_t poison = 0;
  Opt<nanoseconds> wish;
  int calls = 0;
  std::vector<std::string> got;

 private:
  std::string name_;
};

std::vector<std::string> ids(std::int64_t first, std::int64_t last) {
  std::vector<std::string> out;
  for (; first <= last; ++first) out.push_back("ID" + std::to_string(first));
  return out;
}

class ExportTaskTest : public testing::Test {
 protected:
  ExportContext context() {
    return {.source = shelf,
            .backoff = {},
            .random = [this] { return random; },
            .warn = [this](const std::string& line) { said.push_back(line); }};
  }
  // Steps until it waits for something new or for longer than the time given; moves the clock on.
  void run_for(ExportTask& task, nanoseconds duration) {
    const nanoseconds end = now + duration;
    for (Opt<nanoseconds> wait = task.step(now, {}); wait && now + *wait <= end;
         wait = task.step(now, {}))
      now += *wait;
    now = end;
  }

  Shelf shelf;
  Told exporter{"told"};
  nanoseconds now = seconds(1000);
  double random = 0;
  std::vector<std::string> said;
};

TEST_F(ExportTaskTest, BringsEverythingInOrderAndRests) {
  shelf.add(10);
  ExportTask task(context(), exporter);
  EXPECT_EQ(task.step(now, {}), nanoseconds(0));
  EXPECT_EQ(exporter.got, ids(1, 4));
  EXPECT_EQ(shelf.place("told"), 4);
  EXPECT_EQ(task.stats().behind, 6);
  EXPECT_EQ(task.step(now, {}), nanoseconds(0));
  EXPECT_EQ(task.step(now, {}), std::nullopt);
  EXPECT_EQ(task.step(now, {}), std::nullopt);
  EXPECT_EQ(exporter.got, ids(1, 10));
  EXPECT_EQ(exporter.calls, 3) << "nothing new: it is not called";
  EXPECT_EQ(shelf.place("told"), 10);
  EXPECT_EQ(task.stats().sent, 10U);
  EXPECT_EQ(task.stats().behind, 0);
  EXPECT_THAT(said, IsEmpty());
}

TEST_F(ExportTaskTest, AnOutageOfAnHourLosesAndDoublesNothing) {
  exporter.down = true;
  ExportTask task(context(), exporter);
  std::int64_t stored = 0;
  for (int minute = 0; minute < 60; ++minute) {
    shelf.add(7);
    stored += 7;
    task.stored(stored);
    run_for(task, minutes(1));
  }
  EXPECT_THAT(exporter.got, IsEmpty());
  EXPECT_EQ(shelf.place("told"), 0);
  EXPECT_EQ(task.stats().behind, 420);
  // 1 + 2 + 4 ... 256 s, then every 5 minutes: an hour needs no more than 20 attempts.
  EXPECT_LE(exporter.calls, 20);
  EXPECT_GE(exporter.calls, 10);
  EXPECT_EQ(task.stats().failed, static_cast<std::uint64_t>(exporter.calls));
  EXPECT_TRUE(task.stats().failing);

  exporter.down = false;
  run_for(task, minutes(6));
  EXPECT_EQ(exporter.got, ids(1, 420)) << "complete, in order, once";
  EXPECT_EQ(shelf.place("told"), 420);
  EXPECT_EQ(task.stats().behind, 0);
  EXPECT_FALSE(task.stats().failing);
  ASSERT_EQ(said.size(), 2U) << "said once when it began and once when it ended";
  EXPECT_THAT(said[0], HasSubstr("exporter told: it is down"));
  EXPECT_THAT(said[1], HasSubstr("works again after 1 h"));
}

TEST_F(ExportTaskTest, NothingIsSentWhileItWaits) {
  exporter.down = true;
  shelf.add(1);
  ExportTask task(context(), exporter);
  EXPECT_EQ(task.step(now, {}), seconds(1));
  EXPECT_EQ(task.step(now + milliseconds(400), {}), milliseconds(600));
  EXPECT_EQ(exporter.calls, 1);
  EXPECT_EQ(task.step(now + seconds(1), {}), seconds(2));
  task.try_now();
  EXPECT_EQ(task.step(now + seconds(1), {}), seconds(4));
  EXPECT_EQ(exporter.calls, 3);
}

TEST_F(ExportTaskTest, TheNextOutageBeginsWithAShortWait) {
  exporter.down = true;
  shelf.add(1);
  ExportTask task(context(), exporter);
  run_for(task, minutes(10));
  exporter.down = false;
  run_for(task, minutes(10));
  EXPECT_EQ(exporter.got, ids(1, 1));
  exporter.down = true;
  shelf.add(1);
  EXPECT_EQ(task.step(now, {}), seconds(1));
}

TEST_F(ExportTaskTest, JitterTakesUpToHalfOfTheWait) {
  exporter.down = true;
  shelf.add(1);
  ExportTask task(context(), exporter);
  random = 0.5;
  EXPECT_EQ(task.step(now, {}), milliseconds(750));
  random = 0.999999;
  const Opt<nanoseconds> wait = task.step(now + seconds(1), {});
  ASSERT_TRUE(wait);
  EXPECT_GE(*wait, seconds(1));
  EXPECT_LT(*wait, milliseconds(1001));
}

TEST_F(ExportTaskTest, TheReceiversWishIsALowerBoundAndHasOne) {
  exporter.down = true;
  exporter.wish = seconds(90);
  shelf.add(1);
  ExportTask task(context(), exporter);
  EXPECT_EQ(task.step(now, {}), seconds(90));
  exporter.wish = milliseconds(1);
  EXPECT_EQ(task.step(now += seconds(90), {}), seconds(2));
  exporter.wish = hours(10'000);
  EXPECT_EQ(task.step(now + seconds(2), {}), hours(1));
}

TEST_F(ExportTaskTest, TheFirstOfABatchArriveOnce) {
  exporter.down = true;
  exporter.before_failure = 3;
  shelf.add(4);
  ExportTask task(context(), exporter);
  EXPECT_EQ(task.step(now, {}), seconds(1));
  EXPECT_EQ(shelf.place("told"), 3);
  exporter.down = false;
  run_for(task, seconds(2));
  EXPECT_EQ(exporter.got, ids(1, 4));
}

TEST_F(ExportTaskTest, OneThatIsRefusedForGoodHoldsNoneUp) {
  exporter.poison = 6;
  shelf.add(10);
  ExportTask task(context(), exporter);
  run_for(task, seconds(1));
  std::vector<std::string> expected = ids(1, 5);
  for (const std::string& id : ids(7, 10)) expected.push_back(id);
  EXPECT_EQ(exporter.got, expected);
  EXPECT_EQ(shelf.place("told"), 10);
  EXPECT_EQ(task.stats().rejected, 1U);
  EXPECT_EQ(task.stats().sent, 9U);
  EXPECT_EQ(task.stats().failed, 0U);
  EXPECT_THAT(said, ElementsAre(HasSubstr("refused for good: malformed")));
  exporter.poison = 11;
  shelf.add(1);
  run_for(task, seconds(1));
  EXPECT_EQ(task.stats().rejected, 2U);
  EXPECT_EQ(said.size(), 1U) << "said once, then counted";
}

TEST_F(ExportTaskTest, WhatCannotBeReadIsCountedAndPassed) {
  shelf.add(6);
  shelf.spoil(2);
  shelf.spoil(5);
  shelf.spoil(6);
  ExportTask task(context(), exporter);
  run_for(task, seconds(1));
  EXPECT_THAT(exporter.got, ElementsAre("ID1", "ID3", "ID4"));
  EXPECT_EQ(shelf.place("told"), 6);
  EXPECT_EQ(task.stats().rejected, 3U);
  EXPECT_EQ(task.stats().behind, 0);
}

TEST_F(ExportTaskTest, GoesOnWhereItWas) {
  shelf.add(5);
  {
    ExportTask task(context(), exporter);
    run_for(task, seconds(1));
  }
  shelf.add(2);
  shelf.remove(6);  // retention
  ExportTask task(context(), exporter);
  run_for(task, seconds(1));
  EXPECT_EQ(exporter.got.back(), "ID7");
  EXPECT_EQ(exporter.got.size(), 6U);
}

TEST_F(ExportTaskTest, ANewExporterMayBeginWithWhatComesNow) {
  shelf.add(5);
  ExportContext now_only = context();
  now_only.backfill = false;
  ExportTask task(now_only, exporter);
  run_for(task, seconds(1));
  shelf.add(1);
  run_for(task, seconds(1));
  EXPECT_THAT(exporter.got, ElementsAre("ID6"));
}

TEST_F(ExportTaskTest, APlaceBeyondTheStoreBelongsToAnotherStore) {
  ASSERT_TRUE(shelf.set_place("told", 100));
  shelf.add(2);
  ExportTask task(context(), exporter);
  run_for(task, seconds(1));
  EXPECT_EQ(exporter.got, ids(1, 2));
  EXPECT_EQ(shelf.place("told"), 2);
}

TEST_F(ExportTaskTest, AStoreThatFailsIsWaitedFor) {
  shelf.add(2);
  shelf.broken = true;
  ExportTask task(context(), exporter);
  EXPECT_EQ(task.step(now, {}), seconds(1));
  EXPECT_THAT(said, ElementsAre(HasSubstr("the store does not answer")));
  shelf.broken = false;
  shelf.full = true;  // since the place was first kept
  run_for(task, seconds(3));
  EXPECT_EQ(exporter.got, ids(1, 2));
  EXPECT_EQ(shelf.place("told"), 0);
  EXPECT_THAT(said,
              ElementsAre(testing::_, HasSubstr("may be sent again"), HasSubstr("works again")));
}

// A webhook that waits before it tells: takes, and settles later.
class Holder : public Told {
 public:
  using Told::Told;
  ExportOutcome send(std::span<const ExportItem> batch, const std::stop_token&) override {
    ++calls;
    if (!batch.empty()) {
      taken = batch.back().seq;
      if (first == 0) first = batch.front().seq;
      return {.taken = taken, .settled = first - 1, .again_in = seconds(30)};
    }
    if (down) return {.taken = taken, .settled = first - 1, .reason = "it is down"};
    first = 0;
    return {.taken = taken, .settled = taken, .sent = 1};
  }
  std::int64_t taken = 0;
  std::int64_t first = 0;
};

TEST_F(ExportTaskTest, WhatIsHeldIsSettledWhenItIsDue) {
  Holder holder("holder");
  shelf.add(4);
  ExportTask task(context(), holder);
  EXPECT_EQ(task.step(now, {}), nanoseconds(0));
  EXPECT_EQ(task.step(now, {}), seconds(30));
  EXPECT_EQ(shelf.place("holder"), 0) << "a crash now brings them again";
  EXPECT_EQ(task.stats().behind, 0);
  EXPECT_EQ(task.step(now + seconds(10), {}), seconds(20));
  EXPECT_EQ(holder.calls, 1);
  holder.down = true;
  EXPECT_EQ(task.step(now + seconds(30), {}), seconds(1));
  EXPECT_EQ(shelf.place("holder"), 0);
  holder.down = false;
  EXPECT_EQ(task.step(now + seconds(31), {}), std::nullopt);
  EXPECT_EQ(shelf.place("holder"), 4);
}

// Hangs until it is told to stop.
class Hanging : public Told {
 public:
  using Told::Told;
  ExportOutcome send(std::span<const ExportItem> batch, const std::stop_token& stop) override {
    std::mutex mutex;
    std::condition_variable_any bell;
    std::unique_lock lock(mutex);
    bell.wait(lock, stop, [] { return false; });
    return try_later(batch, 0, "stopped");
  }
};

// Tells when so many have come.
class Awaited : public Told {
 public:
  using Told::Told;
  ExportOutcome send(std::span<const ExportItem> batch, const std::stop_token& stop) override {
    const std::lock_guard lock(mutex_);
    const ExportOutcome outcome = Told::send(batch, stop);
    bell_.notify_all();
    return outcome;
  }
  void await(std::size_t count) {
    std::unique_lock lock(mutex_);
    bell_.wait(lock, [&] { return got.size() >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable bell_;
};

TEST_F(ExportTaskTest, AHangingExporterDelaysNoOtherAndStopsAtOnce) {
  auto well = std::make_unique<Awaited>("well");
  Awaited& arrived = *well;
  const ExportContext quiet{.source = shelf,
                            .backoff = {},
                            .random = [] { return 0.0; },
                            .warn = [](const std::string&) {}};
  ExportWorker hung(quiet, std::make_unique<Hanging>("hung"));
  ExportWorker working(quiet, std::move(well));
  shelf.add(100);
  hung.wake(100);
  working.wake(100);
  arrived.await(100);
  hung.stop();
  working.stop();
  EXPECT_EQ(arrived.got, ids(1, 100));
  EXPECT_EQ(shelf.place("well"), 100);
  EXPECT_EQ(shelf.place("hung"), 0);
  EXPECT_EQ(hung.stats().behind, 100);
}

}  // namespace
}  // namespace oomwitness
