// SPDX-License-Identifier: BSD-2-Clause
#include <gmock/gmock.h>

#include "agent/config.h"
#include "agent/incident_queue.h"
#include "agent/redaction.h"
#include "agent/steady_clock.h"

namespace oomwitness {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

Result<AgentConfig> read(const std::string& text) {
  TRY(auto file, ConfigFile::parse(text, "agent.toml"));
  AgentConfig config = read_agent_config(file);
  CHECK_OK(file.finish());
  return config;
}

void expect_error(const std::string& text, const std::string& where, const std::string& what) {
  const auto config = read(text);
  ASSERT_FALSE(config) << text;
  EXPECT_THAT(config.error().message(),
              AllOf(HasSubstr("agent.toml:" + where + ":"), HasSubstr(what)))
      << text;
}

TEST(AgentConfigTest, AnEmptyFileIsTheDefaults) {
  const auto config = read("");
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->store_path, "/var/lib/oomwitness/incidents.db");
  EXPECT_TRUE(config->redact.secrets);
  EXPECT_TRUE(config->service.seccomp);
}

TEST(AgentConfigTest, LettersOutsideOfAsciiStandInStringsAndComments) {
  expect_error("[store]\npath = \xc3\xa9\n", "2", "");
  expect_error("[store]\n\xef\xbb\xb6 = 1\n", "2", "");
  EXPECT_TRUE(read("# \xc3\xa9\n[store]\npath = \"/srv/\xc3\xa9.db\"\n"));
}

TEST(AgentConfigTest, EveryKeyIsTaken) {
  const auto config = read(R"([store]
path = "/srv/kills.db"
max_age = "30d"
max_size = "64MiB"
unsent_size = "1GiB"
[capture]
hooks = ["oom_badness=none"]
btf = "/boot/btf"
ring_size = "128KiB"
settle = "2s"
root = "/host"
proc = "/host/proc"
kernel_log = "/host/dev/kmsg"
earlier_boots = false
[redact]
secrets = false
names = ["--licence"]
all = true
[service]
lock_memory = false
oom_score_adj = -500
drop_capabilities = false
seccomp = false
)");
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->store_path, "/srv/kills.db");
  EXPECT_EQ(config->store.max_age, std::chrono::hours(24 * 30));
  EXPECT_EQ(config->store.max_bytes, 64U << 20U);
  EXPECT_EQ(config->store.unsent_bytes, 1U << 30U);
  EXPECT_THAT(config->capture.hooks, ElementsAre("oom_badness=none"));
  EXPECT_EQ(config->capture.btf, "/boot/btf");
  EXPECT_EQ(config->capture.ring_bytes, 128U << 10U);
  EXPECT_EQ(config->capture.settle, std::chrono::seconds(2));
  EXPECT_EQ(config->capture.roots.root, "/host");
  EXPECT_EQ(config->capture.roots.proc, "/host/proc");
  EXPECT_EQ(config->capture.kernel_log, "/host/dev/kmsg");
  EXPECT_FALSE(config->capture.earlier_boots);
  EXPECT_FALSE(config->redact.secrets);
  EXPECT_THAT(config->redact.names, ElementsAre("--licence"));
  EXPECT_TRUE(config->redact.all);
  EXPECT_FALSE(config->service.lock_memory);
  EXPECT_EQ(config->service.oom_score_adj, -500);
  EXPECT_FALSE(config->service.drop_capabilities);
  EXPECT_FALSE(config->service.seccomp);
}

TEST(AgentConfigTest, WhatIsUnknownIsAnErrorWithItsLine) {
  expect_error("[store]\nmax_size = \"1GiB\"\nmaxage = \"1d\"\n", "3", "'store.maxage'");
  expect_error("\n\n[stroe]\n", "3", "'stroe'");
  expect_error("[store.deep]\nx = 1\n", "1", "'store.deep'");
}

TEST(AgentConfigTest, WhatIsWrongIsAnErrorWithItsLine) {
  expect_error("[store\n", "1", "");
  expect_error("[store]\nmax_size = 17\n", "2", "expected text");
  expect_error("[store]\nmax_size = \"17 bytes\"\n", "2", "is not a size");
  expect_error("[store]\nmax_size = \"99999999999TiB\"\n", "2", "is not a size");
  expect_error("[store]\nmax_size = \"1KiB\"\n", "2", "1MiB or more");
  expect_error("[store]\nmax_age = \"soon\"\n", "2", "is not a duration");
  expect_error("[store]\npath = \"kills.db\"\n", "2", "absolute");
  expect_error("[capture]\nring_size = \"100KiB\"\n", "2", "power of two");
  expect_error("[capture]\nhooks = [\"oom_badness=magic\"]\n", "2", "magic");
  expect_error("[capture]\nhooks = \"oom_badness=none\"\n", "2", "list");
  expect_error("[redact]\nall = \"yes\"\n", "2", "true or false");
  expect_error("[service]\noom_score_adj = 2000\n", "2", "from -1000 to 1000");
  expect_error("service = 1\n", "1", "expected a table");
}

TEST(AgentConfigTest, AFileThatIsNotThereIsNamed) {
  const auto file = ConfigFile::read("/nonexistent/agent.toml");
  ASSERT_FALSE(file);
  EXPECT_THAT(file.error().message(), HasSubstr("/nonexistent/agent.toml: No such file"));
}

TEST(ConfigReader, TablesInLists) {
  auto file =
      ConfigFile::parse("[[exporter]]\nname = \"a\"\n[[exporter]]\nname = \"b\"\nx = 1\n", "f");
  ASSERT_TRUE(file);
  std::vector<std::string> names;
  for (ConfigSection& one : file->top().sections("exporter"))
    names.push_back(one.text("name").value_or(""));
  EXPECT_THAT(names, ElementsAre("a", "b"));
  EXPECT_THAT(file->finish().error().message(), HasSubstr("f:5: unknown key 'exporter.x'"));
}

Incident with_arguments(std::vector<std::string> argv) {
  Incident incident;
  incident.victims.emplace_back();
  incident.victims[0].cmdline = std::move(argv);
  return incident;
}

TEST(Redaction, ByTheNamesOfTheConfiguration) {
  Incident incident = with_arguments({"app", "--licence", "abc", "--LICENCE=abc", "licence=abc",
                                      "-Dlicence=abc", "--licences=abc", "licence", "abc"});
  redact(incident, {.names = {"--licence"}});
  EXPECT_THAT(*incident.victims[0].cmdline,
              ElementsAre("app", "--licence", "***", "--LICENCE=***", "licence=***",
                          "-Dlicence=***", "--licences=abc", "licence", "abc"));
}

TEST(Redaction, EverythingButTheProgramsName) {
  Incident incident = with_arguments({"app", "-v", "file"});
  redact(incident, {.names = {}, .all = true});
  EXPECT_THAT(*incident.victims[0].cmdline, ElementsAre("app", "**", "****"));
}

Incident numbered(const std::string& id, std::uint32_t revision = 0) {
  Incident incident;
  incident.id = id;
  incident.revision = revision;
  return incident;
}

TEST(IncidentQueueTest, WaitsForTheDiskUpToItsBound) {
  IncidentQueue queue(2);
  std::vector<std::string> written;
  bool full = true;
  const auto put = [&](const Incident& incident) -> Result<bool> {
    if (full) return fail(ENOSPC, "store");
    written.push_back(incident.id + "." + std::to_string(incident.revision));
    return true;
  };
  for (const char* id : {"a", "b", "c"}) queue.push(numbered(id));
  queue.push(numbered("b", 1));
  EXPECT_FALSE(queue.flush(put));
  EXPECT_EQ(queue.size(), 2U);
  EXPECT_EQ(queue.given_up(), 1U);
  full = false;
  EXPECT_EQ(*queue.flush(put), 2U);
  EXPECT_THAT(written, ElementsAre("b.1", "c.0"));
  EXPECT_TRUE(queue.empty());
}

TEST(SteadyClockTest, TellsTheTimeAfterAnHourWithoutAJump) {
  constexpr std::int64_t kHour = 3600LL * 1'000'000'000;
  SteadyClock clock;
  const std::int64_t start = 1'795'000'000'000'000'000;
  std::uint64_t up = 5;
  EXPECT_EQ(clock.look(start, up), std::nullopt);
  up += kHour;
  EXPECT_EQ(clock.look(start + kHour, up), start + kHour);
  const std::int64_t years = 70LL * 365 * 24 * kHour;
  EXPECT_EQ(clock.look(start + years, up), std::nullopt) << "somebody set it";
  EXPECT_EQ(clock.look(start + years + kHour / 2, up + kHour / 2), std::nullopt);
  EXPECT_EQ(clock.look(start + kHour, up + kHour), std::nullopt) << "and back";
  EXPECT_EQ(clock.look(start + 2 * kHour, up + 2 * kHour), start + 2 * kHour);
}

}  // namespace
}  // namespace oomwitness
