// SPDX-License-Identifier: BSD-2-Clause
#include <unistd.h>

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "enrich/enricher.h"
#include "enrich_tree.h"

namespace oomwitness {
namespace {

using test::MadeProcess;
using test::make_process;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint64_t kStartNs = 50'001'234'567;  // tick 5000

class EnricherTest : public testing::Test {
 protected:
  EnricherTest() {
    tree_.link("proc/1/ns/pid", "pid:[4026531836]");
    tree_.write("etc/passwd", "root:x:0:0::/:\nmongodb:x:1000:1000::/:\n");
    make_process(tree_, {.pid = 1, .ppid = 0, .comm = "systemd", .start_ticks = 2});
  }
  MadeProcess mongod() const {
    MadeProcess process{.pid = 42, .comm = "mongod", .exe = "/usr/bin/mongod (deleted)"};
    process.cmdline = std::string("mongod\0--config\0/etc/m.conf\0", 28);
    process.arg_end = process.arg_start + process.cmdline.size();
    return process;
  }
  ProcFacts collect(const VictimQuery& query) const {
    return Enricher(tree_.roots(), [] { return std::uint64_t{777}; }).collect(query);
  }
  test::MadeTree tree_;
};

TEST_F(EnricherTest, TellsAllThatItCanRead) {
  make_process(tree_, mongod());
  const auto facts = collect({.pid = 42, .start_boottime_ns = kStartNs});
  EXPECT_EQ(facts.at_ns, 777U);
  EXPECT_EQ(facts.pid, 42U);
  EXPECT_EQ(facts.start_boottime_ns, kStartNs);
  ASSERT_TRUE(facts.cmdline);
  EXPECT_THAT(*facts.cmdline, ElementsAre("mongod", "--config", "/etc/m.conf"));
  EXPECT_EQ(facts.cmdline_bytes, 28U);
  EXPECT_EQ(facts.exe, "/usr/bin/mongod");
  EXPECT_EQ(facts.exe_deleted, true);
  EXPECT_EQ(facts.user, "mongodb");
  EXPECT_EQ(facts.cgroup, "/system.slice/web.service");
  EXPECT_EQ(facts.unit, "web.service");
  ASSERT_THAT(facts.ancestry, SizeIs(1));
  EXPECT_EQ(facts.ancestry[0].comm, "systemd");
  // It is in no container and no pod: nothing is missing.
  EXPECT_FALSE(facts.container);
  EXPECT_FALSE(facts.pod);
  EXPECT_THAT(facts.missing, IsEmpty());
}

TEST_F(EnricherTest, AReusedPidGivesNoFactOfItsNewOwner) {
  make_process(tree_, mongod());
  const auto facts = collect({.pid = 42, .start_boottime_ns = kStartNs + kTickNs});
  EXPECT_FALSE(facts.cmdline);
  EXPECT_FALSE(facts.cmdline_bytes);
  EXPECT_FALSE(facts.exe);
  EXPECT_FALSE(facts.exe_deleted);
  EXPECT_FALSE(facts.user);
  EXPECT_FALSE(facts.cgroup);
  EXPECT_FALSE(facts.unit);
  EXPECT_THAT(facts.ancestry, IsEmpty());
  for (const char* field : {"cmdline", "exe", "cgroup", "ancestry"})
    EXPECT_THAT(facts.missing.at(field), HasSubstr("belongs to another process")) << field;
  for (const char* field : {"user", "unit", "container", "pod"})
    EXPECT_EQ(facts.missing.count(field), 1U) << field;
}

TEST_F(EnricherTest, TheKernelsCgroupAndUidComeFirst) {
  make_process(tree_, mongod());
  const auto facts = collect({.pid = 42,
                              .start_boottime_ns = kStartNs,
                              .uid = 0,
                              .cgroup = "/system.slice/mongod.service"});
  EXPECT_EQ(facts.user, "root");
  EXPECT_EQ(facts.unit, "mongod.service");
  EXPECT_EQ(facts.cgroup, "/system.slice/web.service");
}

TEST_F(EnricherTest, WhatTheKernelGaveIsNotLookedForAgain) {
  make_process(tree_, mongod());
  const auto facts = collect(
      {.pid = 42, .start_boottime_ns = kStartNs, .exe_known = true, .ancestry_known = true});
  EXPECT_FALSE(facts.exe);
  EXPECT_THAT(facts.ancestry, IsEmpty());
  EXPECT_THAT(facts.missing, IsEmpty());
  EXPECT_TRUE(facts.cmdline);
}

TEST_F(EnricherTest, ArgumentsThatAHookReadsAreNotReadFromProc) {
  make_process(tree_, mongod());
  const auto facts = collect({.pid = 42, .start_boottime_ns = kStartNs, .argv_in_kernel = true});
  EXPECT_FALSE(facts.cmdline);
  EXPECT_THAT(facts.missing.at("cmdline"), HasSubstr("hold the victim's memory"));
  EXPECT_EQ(facts.exe, "/usr/bin/mongod");
  EXPECT_EQ(facts.unit, "web.service");
}

TEST_F(EnricherTest, AProcessThatIsGoneStillHasItsKernelIdentity) {
  const std::string id(64, 'e');
  tree_.write("var/lib/docker/containers/" + id + "/config.v2.json",
              R"({"Name":"/db","Config":{"Image":"mongo:7"}})");
  const auto facts =
      collect({.pid = 42, .start_boottime_ns = kStartNs, .uid = 1000, .cgroup = "/docker/" + id});
  EXPECT_THAT(facts.missing.at("cmdline"), HasSubstr("gone"));
  EXPECT_EQ(facts.user, "mongodb");
  ASSERT_TRUE(facts.container);
  EXPECT_EQ(facts.container->name, "db");
  EXPECT_EQ(facts.missing.count("container"), 0U);
}

TEST_F(EnricherTest, AnExitingProcessOfCgroupV1HasNoCgroupToShow) {
  MadeProcess process = mongod();
  process.cgroup = "4:memory:/\n1:name=systemd:/\n0::/\n";
  process.state = 'Z';
  make_process(tree_, process);
  const auto facts = collect({.pid = 42, .start_boottime_ns = kStartNs});
  EXPECT_FALSE(facts.cgroup);
  EXPECT_THAT(facts.missing.at("cgroup"), HasSubstr("exiting"));
  EXPECT_THAT(facts.missing.at("unit"), HasSubstr("not known"));

  process.state = 'S';
  make_process(tree_, process);
  EXPECT_EQ(collect({.pid = 42, .start_boottime_ns = kStartNs}).cgroup, "/");
}

TEST_F(EnricherTest, TheUnitOfAHostWithoutMemoryAccounting) {
  MadeProcess process = mongod();
  process.cgroup = "4:memory:/system.slice\n1:name=systemd:/system.slice/mongod.service\n0::/\n";
  make_process(tree_, process);
  const auto facts = collect({.pid = 42, .start_boottime_ns = kStartNs, .cgroup = "/system.slice"});
  EXPECT_EQ(facts.cgroup, "/system.slice");
  EXPECT_EQ(facts.unit, "mongod.service");
}

TEST_F(EnricherTest, AForeignCgroupNamespaceIsSaid) {
  MadeProcess process = mongod();
  process.cgroup = "0::/../../system.slice/web.service\n";
  make_process(tree_, process);
  EXPECT_THAT(collect({.pid = 42}).missing.at("cgroup"), HasSubstr("cgroup namespace"));
}

TEST_F(EnricherTest, InsideAPidNamespaceItLooksUpItsOwnNumber) {
  tree_.link("proc/1/ns/pid", "pid:[4026532189]");
  make_process(tree_, mongod());
  const auto facts = collect({.pid = 90042,
                              .ns_pids = {{42, 4026532189}, {90042, 4026531836}},
                              .start_boottime_ns = kStartNs});
  EXPECT_EQ(facts.pid, 90042U);
  EXPECT_EQ(facts.exe, "/usr/bin/mongod");
  // The parents' numbers would not be the host's.
  EXPECT_THAT(facts.ancestry, IsEmpty());
  EXPECT_THAT(facts.missing.at("ancestry"), HasSubstr("pid namespace"));

  const auto unseen = collect({.pid = 42, .ns_pids = {{42, 4026531836}}});
  EXPECT_THAT(unseen.missing.at("exe"), HasSubstr("does not show host pid 42"));
}

TEST_F(EnricherTest, WithoutAStartTimeTheFactsComeWithAWarning) {
  make_process(tree_, mongod());
  const auto facts = collect({.pid = 42});
  EXPECT_TRUE(facts.cmdline);
  EXPECT_EQ(facts.missing.count("started"), 1U);
}

TEST_F(EnricherTest, GivesEverythingElseBeforeTheReadThatMayBlock) {
  make_process(tree_, mongod());
  Opt<ProcFacts> early;
  const Enricher enricher(tree_.roots(), [] { return std::uint64_t{1}; });
  const auto facts = enricher.collect({.pid = 42, .start_boottime_ns = kStartNs},
                                      [&early](const ProcFacts& so_far) { early = so_far; });
  ASSERT_TRUE(early);
  EXPECT_FALSE(early->cmdline);
  EXPECT_EQ(early->exe, facts.exe);
  EXPECT_EQ(early->unit, facts.unit);
  EXPECT_EQ(early->user, facts.user);
}

TEST(NoFactsTest, EveryFieldHasTheReason) {
  const auto facts = no_facts({.pid = 5, .start_boottime_ns = 6}, 7, "because");
  EXPECT_EQ(facts.pid, 5U);
  EXPECT_EQ(facts.start_boottime_ns, 6U);
  EXPECT_EQ(facts.at_ns, 7U);
  for (const char* field :
       {"cmdline", "exe", "user", "cgroup", "unit", "container", "pod", "ancestry"})
    EXPECT_EQ(facts.missing.at(field), "because") << field;
}

}  // namespace
}  // namespace oomwitness
