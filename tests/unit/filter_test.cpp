// SPDX-License-Identifier: BSD-2-Clause
#include "pipeline/filter.h"

#include <string>

#include <gtest/gtest.h>

namespace oomwitness {
namespace {

constexpr const char* kContainerId =
    "4d2d1ba0c1f0a9b8c7d6e5f4030201000123456789abcdef0123456789abcdef";

Victim victim() {
  Victim out;
  out.pid = 100;
  out.comm = "mongod";
  out.uid = 33;
  out.cgroup = "/system.slice/mongod.service";
  out.unit = "mongod.service";
  out.container = Container{.runtime = "docker", .id = kContainerId, .name = "db", .image = ""};
  return out;
}

bool shows(const Filter& filter, const Victim& one = victim()) {
  Incident incident;
  incident.victims = {one};
  return filter.matches(incident);
}

TEST(Filter, NoneShowsEverything) {
  EXPECT_TRUE(shows({}));
  EXPECT_TRUE(Filter{}.matches(Incident{}));
}

TEST(Filter, AnyFilterHidesAnIncidentWithoutVictims) {
  EXPECT_FALSE(Filter{.comm = {"x"}}.matches(Incident{}));
}

TEST(Filter, CommPidAndUidAreExact) {
  EXPECT_TRUE(shows({.comm = {"mongod"}}));
  EXPECT_FALSE(shows({.comm = {"mongo"}}));
  EXPECT_TRUE(shows({.pid = {100}}));
  EXPECT_FALSE(shows({.pid = {10}}));
  EXPECT_TRUE(shows({.uid = {33}}));
  EXPECT_FALSE(shows({.uid = {0}}));
}

TEST(Filter, SeveralOfAKindAreAlternatives) {
  EXPECT_TRUE(shows({.comm = {"nginx", "mongod"}}));
  EXPECT_FALSE(shows({.comm = {"nginx", "java"}}));
}

TEST(Filter, KindsMustAllFit) {
  EXPECT_TRUE(shows({.comm = {"mongod"}, .uid = {33}}));
  EXPECT_FALSE(shows({.comm = {"mongod"}, .uid = {34}}));
}

TEST(Filter, OneVictimHasToFitEveryKind) {
  Victim other = victim();
  other.comm = "sidecar";
  other.uid = 34;
  Incident incident;
  incident.victims = {victim(), other};
  EXPECT_TRUE((Filter{.comm = {"sidecar"}, .uid = {34}}.matches(incident)));
  EXPECT_FALSE((Filter{.comm = {"sidecar"}, .uid = {33}}.matches(incident)));
}

TEST(Filter, AbsentFieldsFitNothing) {
  EXPECT_FALSE(shows({.pid = {0}}, {}));
  EXPECT_FALSE(shows({.uid = {0}}, {}));
  EXPECT_FALSE(shows({.comm = {""}}, {}));
  EXPECT_FALSE(shows({.cgroup = {"/"}}, {}));
  EXPECT_FALSE(shows({.unit = {""}}, {}));
  EXPECT_FALSE(shows({.container = {"db"}}, {}));
}

TEST(Filter, CgroupAndWhatIsBelowIt) {
  EXPECT_TRUE(shows({.cgroup = {"/"}}));
  EXPECT_TRUE(shows({.cgroup = {"/system.slice"}}));
  EXPECT_TRUE(shows({.cgroup = {"/system.slice/"}}));
  EXPECT_TRUE(shows({.cgroup = {"/system.slice/mongod.service"}}));
  EXPECT_FALSE(shows({.cgroup = {"/system"}}));
  EXPECT_FALSE(shows({.cgroup = {"/system.slice/mongod"}}));
  EXPECT_FALSE(shows({.cgroup = {"/system.slice/mongod.service/below"}}));
}

TEST(Filter, UnitWithAndWithoutItsSuffix) {
  EXPECT_TRUE(shows({.unit = {"mongod.service"}}));
  EXPECT_TRUE(shows({.unit = {"mongod"}}));
  EXPECT_FALSE(shows({.unit = {"mongo"}}));
  EXPECT_FALSE(shows({.unit = {"mongod.slice"}}));
}

TEST(Filter, ContainerByNameOrEnoughOfItsId) {
  const std::string id = kContainerId;
  EXPECT_TRUE(shows({.container = {"db"}}));
  EXPECT_TRUE(shows({.container = {id}}));
  EXPECT_TRUE(shows({.container = {id.substr(0, 12)}}));
  EXPECT_FALSE(shows({.container = {id.substr(0, 11)}}));
  EXPECT_FALSE(shows({.container = {"d"}}));
  EXPECT_FALSE(shows({.container = {id + "0"}}));
}

}  // namespace
}  // namespace oomwitness
