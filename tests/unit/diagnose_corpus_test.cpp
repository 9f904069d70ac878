// SPDX-License-Identifier: BSD-2-Clause
// Verdicts on logs that people posted, where a reader of the whole log is certain.
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "assemble/log_incident.h"
#include "diagnose/diagnose.h"
#include "golden.h"
#include "kernlog/log_reader.h"
#include "sink/explain.h"

namespace oomwitness {
namespace {

using testing::HasSubstr;
using testing::Not;

// All incidents of a log, diagnosed in their order, with stamps of 2026 and UTC.
std::vector<Incident> incidents_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  constexpr std::int64_t kEndOf2026 = 1'798'761'600'000'000'000;
  LogReader reader({.newest_unix_ns = kEndOf2026, .to_utc = {}});
  std::string line;
  while (std::getline(in, line)) reader.line(line);
  reader.flush();
  std::vector<Incident> incidents;
  Diagnostician diagnose;
  for (const LogReport& report : reader.take()) {
    incidents.push_back(incident_from_report(report));
    diagnose(incidents.back());
  }
  return incidents;
}

std::filesystem::path corpus() {
  return std::filesystem::path(OW_CORPUS).parent_path();
}

struct Verdict {
  const char* log;
  std::vector<std::string> causes;  // one an incident
};

class Posted : public testing::TestWithParam<Verdict> {};

TEST_P(Posted, HasTheCauseThatAReaderSees) {
  const std::filesystem::path file = corpus() / "posted" / (std::string(GetParam().log) + ".log");
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "no corpus at " << file;
  std::vector<std::string> causes;
  for (const Incident& incident : incidents_of(file)) causes.push_back(incident.diagnosis->cause);
  EXPECT_EQ(causes, GetParam().causes);
}

constexpr const char* kThin = "insufficient-evidence";

std::vector<Verdict> verdicts() {
  return {
      {"007-tiddlywinks-2.6.28-child-killed", {"kernel-memory", kThin}},
      {"012-rhel6-memcg-mruby-8kb", {"own-limit-below-working-set"}},
      {"013-newdb1-rhel6-global-793-tasks", {"host-many"}},
      {"021-cadvisor-3.13-container-no-host", {"own-limit-below-working-set"}},
      {"022-cadvisor-3.13-system", {"host-single-hog"}},
      {"026-leaker-3.10-gfp-0x50", {"own-limit-single-consumer"}},
      {"030-docker-4.8-gunpowder-two", {"own-limit-single-consumer", "own-limit-single-consumer"}},
      {"039-kmsg-raw-4.19-pod", {"ancestor-limit"}},
      {"040-leaker-4.18-nodemask-null", {"own-limit-single-consumer"}},
      {"044-hnsin-varnish-el8-012", {"host-single-hog"}},
      {"051-leaker-5.2-memcg-table", {"own-limit-single-consumer"}},
      {"052-leaker-5.3-caller-ids", {"own-limit-single-consumer"}},
      {"058-k210-nommu-5.6-boot-panic", {"no-killable-task"}},
      {"059-mkfs-i386-5.7-serial-wrapped-3", {"zone-exhausted", "zone-exhausted", kThin}},
      {"062-pause-5.x-quoted-k8s", {"ancestor-limit"}},
      {"063-runc-cpuset-5.8-movable-node", {"cpuset-or-mempolicy"}},
      {"064-memcg-process-5.8-ellipsis", {"own-limit-below-working-set"}},
      {"065-msgstress-ppc64le-5.9-head", {kThin}},
      {"070-ubuntu-5.13-sysrq-order-minus-1", {"sysrq"}},
      {"075-syz-5.15-lxc-panic-on-oom", {kThin, "panic-on-oom"}},
      {"076-proxmox-5.15-de-locale-lxc-docker", {"ancestor-limit"}},
      {"079-min-free-i386-5.18-bad-page-map", {"host-single-hog"}},
      {"080-mempolicy-5.x-nrss-column", {"cpuset-or-mempolicy"}},
      {"083-ecs-5.10-backslash-wrapped", {"ancestor-limit"}},
      {"086-arch-6.1-doxygen-bare", {"host-single-hog"}},
      {"088-cpuset-6.x-bare-invoked-line", {"cpuset-or-mempolicy"}},
      {"096-dd-6.8-mglru-wrapped-order3", {"dirty-page-cache"}},
      {"101-cc1-6.11-group-kill-39", {"own-limit-many-consumers"}},
      {"107-k8s-stress-group-kill-dmesgT", {"ancestor-limit"}},
      {"112-stress-arm64-6.18-debug-interleaved", {"own-limit-single-consumer"}},
  };
}

INSTANTIATE_TEST_SUITE_P(Logs, Posted, testing::ValuesIn(verdicts()), [](const auto& tested) {
  return "n" + std::string(tested.param.log).substr(0, 3);
});

// The log this project starts from: what it proves, and what it does not.
TEST(SeedLog, IsExplainedWithoutBlamingMongod) {
  const std::filesystem::path file = corpus() / "seed-mongod.log";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "no corpus at " << file;
  std::string text;
  for (const Incident& incident : incidents_of(file)) {
    EXPECT_EQ(incident.diagnosis->cause, kThin);
    text += render_explanation(incident, {}) + "\n";
  }
  EXPECT_THAT(text, HasSubstr("had fallen on tmux"));
  EXPECT_THAT(text, HasSubstr("for a page table"));
  EXPECT_THAT(text, Not(HasSubstr("mongod (pid 19716) used up")));
  expect_golden("explain/seed-mongod.txt", text);
}

}  // namespace
}  // namespace oomwitness
