// SPDX-License-Identifier: BSD-2-Clause
#include "store/query.h"
#include "store_fixture.h"

namespace oomwitness {
namespace {

using ::testing::IsEmpty;

constexpr const char* kContainer =
    "4f6c0e8ad3b1f9e57c2a60d4b8139ef5a7c6d2e1b0f4938271605f4e3d2c1b0a";

// 1: a database in a unit; 2: a worker in a pod; 3: both in one group.
class QueryTest : public StoreFixture {
 protected:
  QueryTest() : store_(open()) {
    Incident first = make_incident(1);
    first.victims[0] = database();
    first.diagnosis = Diagnosis{.cause = "memcg-limit"};
    Incident second = make_incident(2);
    second.victims[0] = worker();
    second.diagnosis = Diagnosis{.cause = "leak"};
    Incident third = make_incident(3);
    third.victims = {database(), worker()};
    third.diagnosis = Diagnosis{.cause = "leak"};
    for (const Incident& incident : {first, second, third}) put(store_, incident);
  }

  static Victim database() {
    Victim victim;
    victim.comm = "mongod";
    victim.unit = "mongod.service";
    victim.cgroup = "/system.slice/mongod.service";
    return victim;
  }
  static Victim worker() {
    Victim victim;
    victim.comm = "worker";
    victim.cgroup = "/kubepods.slice/pod1/cri-4f6c0e8ad3b1";
    victim.pod = Pod{.name = "worker-0", .ns = "jobs", .uid = "", .container = "main"};
    victim.container =
        Container{.runtime = "containerd", .id = kContainer, .name = "main", .image = ""};
    return victim;
  }

  void expect(const HistoryQuery& query, const std::vector<int>& numbers) {
    EXPECT_EQ(ids(store_.query(query)), ids_of(numbers));
  }

  Store store_;
};

TEST_F(QueryTest, WithoutFiltersAllNewestFirst) {
  expect({}, {3, 2, 1});
  expect({.limit = 2}, {3, 2});
  expect({.limit = 0}, {});
}

TEST_F(QueryTest, ByNameOfTheCommandAndOneOfSeveral) {
  expect({.comm = {"mongod"}}, {3, 1});
  expect({.comm = {"mongod", "worker"}}, {3, 2, 1});
  expect({.comm = {"mongod", "worker"}, .limit = 1}, {3});
  expect({.comm = {"mongo"}}, {});
}

TEST_F(QueryTest, ByUnitWithOrWithoutItsEnding) {
  expect({.unit = {"mongod"}}, {3, 1});
  expect({.unit = {"mongod.service"}}, {3, 1});
}

TEST_F(QueryTest, ByCgroupAndThoseBelow) {
  expect({.cgroup = {"/system.slice"}}, {3, 1});
  expect({.cgroup = {"/system.slice/"}}, {3, 1});
  expect({.cgroup = {"/kubepods.slice/pod1/cri-4f6c0e8ad3b1"}}, {3, 2});
  expect({.cgroup = {"/kubepods.slice/pod"}}, {});
  expect({.cgroup = {"/"}}, {3, 2, 1});
}

TEST_F(QueryTest, ByPodAndContainer) {
  expect({.pod = {"worker-0"}}, {3, 2});
  expect({.pod = {"jobs/worker-0"}}, {3, 2});
  expect({.pod = {"other/worker-0"}}, {});
  expect({.container = {"main"}}, {3, 2});
  expect({.container = {kContainer}}, {3, 2});
  expect({.container = {"4f6c0e8ad3b1"}}, {3, 2});
  expect({.container = {"4f6c0e8ad3b1f9e5"}}, {3, 2});
  expect({.container = {"4f6c0e8"}}, {});
}

TEST_F(QueryTest, ByCauseAndTime) {
  expect({.cause = {"leak"}}, {3, 2});
  expect({.since_unix_ns = kNoon + 2 * kSecond}, {3, 2});
  expect({.until_unix_ns = kNoon + 2 * kSecond}, {2, 1});
  expect({.comm = {"mongod"}, .until_unix_ns = kNoon + 2 * kSecond}, {1});
}

TEST_F(QueryTest, EveryKindMustFitTheSameVictim) {
  expect({.comm = {"mongod"}, .cause = {"leak"}}, {3});
  expect({.comm = {"worker"}, .unit = {"mongod"}}, {});
  expect({.comm = {"worker"}, .cgroup = {"/kubepods.slice"}, .cause = {"leak", "memcg-limit"}},
         {3, 2});
}

TEST_F(QueryTest, AnUpdateIsFoundByWhatItSaysNow) {
  Incident update = make_incident(1);
  update.revision = 1;
  update.victims[0].comm = "postgres";
  update.diagnosis = Diagnosis{.cause = "leak"};
  put(store_, update);
  expect({.comm = {"mongod"}}, {3});
  expect({.comm = {"postgres"}}, {1});
  expect({.unit = {"mongod"}}, {3});
  expect({.cause = {"memcg-limit"}}, {});
}

TEST_F(QueryTest, AGroupOfThousandsIsOneIncident) {
  Incident group = make_incident(9);
  group.victims.assign(3000, database());
  group.victims.back().comm = "last";
  put(store_, group);
  expect({.comm = {"mongod"}, .limit = 2}, {9, 3});
  expect({.comm = {"last"}}, {9});
}

}  // namespace
}  // namespace oomwitness
