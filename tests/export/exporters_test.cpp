// SPDX-License-Identifier: BSD-2-Clause
// The [exporter.*] tables, and the exporters that come of them.
#include "agent/exporters.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "export_items.h"

namespace oomwitness {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Result<std::vector<ExporterConfig>> read(const std::string& text) {
  TRY(auto file, ConfigFile::parse(text, "agent.toml"));
  std::vector<ExporterConfig> exporters = read_exporters(file, "/var/lib/oomwitness");
  CHECK_OK(file.finish());
  return exporters;
}

template <typename Options>
Options options_of(const std::string& text) {
  const auto exporters = read(text);
  EXPECT_TRUE(exporters) << exporters.error().message();
  EXPECT_EQ(exporters->size(), 1U);
  return std::get<Options>(exporters->at(0).options);
}

TEST(ExportersConfig, NoneUnlessAskedFor) {
  EXPECT_THAT(read("").value(), IsEmpty());
  EXPECT_THAT(read("[exporter.journal]\nenabled = false\n").value(), IsEmpty());
}

TEST(ExportersConfig, WhatEveryExporterHas) {
  const auto exporters =
      read("[exporter.journal]\nbackfill = false\nretry_first = \"2s\"\nretry_longest = \"1m\"\n");
  ASSERT_TRUE(exporters);
  EXPECT_EQ(exporters->at(0).name, "journal");
  EXPECT_FALSE(exporters->at(0).backfill);
  EXPECT_EQ(exporters->at(0).backoff, (BackoffLimits{seconds(2), minutes(1)}));
}

TEST(ExportersConfig, JsonFile) {
  const auto options = options_of<JsonFileOptions>(
      "[exporter.json]\npath = \"/var/log/k.json\"\nrotate_size = \"1MiB\"\nkeep = 9\nsync = "
      "false\n");
  EXPECT_EQ(options,
            (JsonFileOptions{
                .path = "/var/log/k.json", .rotate_bytes = 1U << 20U, .keep = 9, .sync = false}));
}

TEST(ExportersConfig, SyslogTakesItsFormFromWhereItGoes) {
  EXPECT_EQ(options_of<SyslogOptions>("[exporter.syslog]\n").style.format, SyslogFormat::kLocal);
  const auto options = options_of<SyslogOptions>(
      "[exporter.syslog]\ntarget = \"tcp://loghost:601\"\nfacility = \"local3\"\n"
      "enterprise_number = 4711\ntimeout = \"3s\"\n");
  EXPECT_EQ(options.style.format, SyslogFormat::kRfc5424);
  EXPECT_EQ(options.style.facility, 19U);
  EXPECT_EQ(options.style.enterprise, 4711U);
  EXPECT_EQ(options.target.port, "601");
  EXPECT_EQ(options.target.timeout, seconds(3));
}

TEST(ExportersConfig, Otlp) {
  const auto options = options_of<OtlpOptions>(R"([exporter.otlp]
endpoint = "https://collector:4318"
compression = "none"
headers = ["X-Scope-OrgID: ops"]
bearer_file = "/etc/oomwitness/token"
batch = 100
timeout = "5s"
connect_timeout = "500ms"
ca_file = "/etc/ca.pem"
certificate_file = "/etc/c.pem"
key_file = "/etc/k.pem"
proxy = "http://proxy:3128"
)");
  EXPECT_EQ(options, (OtlpOptions{.endpoint = "https://collector:4318",
                                  .gzip = false,
                                  .headers = {"X-Scope-OrgID: ops"},
                                  .bearer_file = "/etc/oomwitness/token",
                                  .http = {.connect_timeout = milliseconds(500),
                                           .timeout = seconds(5),
                                           .ca_file = "/etc/ca.pem",
                                           .certificate_file = "/etc/c.pem",
                                           .key_file = "/etc/k.pem",
                                           .proxy = "http://proxy:3128"},
                                  .batch = 100}));
}

TEST(ExportersConfig, PrometheusKeepsItsCountersBesideTheStore) {
  const auto options = options_of<PrometheusOptions>(
      "[exporter.prometheus]\nlisten = \"unix:/run/m.sock\"\nbasic_auth_file = \"/etc/login\"\n");
  EXPECT_EQ(options.state_file, "/var/lib/oomwitness/metrics.json");
  EXPECT_EQ(options.server.listen, "unix:/run/m.sock");
  EXPECT_EQ(options.server.basic_auth_file, "/etc/login");
  EXPECT_EQ(options_of<PrometheusOptions>("[exporter.prometheus]\n").server.listen,
            "127.0.0.1:9469");
}

TEST(ExportersConfig, ManyWebhooksEachWithAName) {
  const auto exporters = read(R"([[exporter.webhook]]
url_file = "/etc/oomwitness/slack"
form = "slack"
interval = "1m"
[[exporter.webhook]]
name = "alerts"
url = "http://alertmanager:9093/api/v2/alerts"
form = "alertmanager"
resolve_after = "1h"
)");
  ASSERT_TRUE(exporters) << exporters.error().message();
  ASSERT_EQ(exporters->size(), 2U);
  EXPECT_EQ(exporters->at(0).name, "webhook.default");
  EXPECT_FALSE(exporters->at(0).backfill);
  EXPECT_EQ(std::get<WebhookOptions>(exporters->at(0).options).form, WebhookForm::kSlack);
  EXPECT_EQ(exporters->at(1).name, "webhook.alerts");
  EXPECT_EQ(std::get<WebhookOptions>(exporters->at(1).options).resolve_after, minutes(60));
}

TEST(ExportersConfig, WhatIsWrongIsAnErrorWithItsLine) {
  struct Wrong {
    const char* text;
    const char* place;
    const char* why;
  };
  for (const Wrong& wrong : {
           Wrong{"[exporter.kafka]\n", "1", "unknown key 'exporter.kafka'"},
           Wrong{"[exporter.journal]\npath = \"/x\"\n", "2", "unknown key 'exporter.journal.path'"},
           Wrong{"\n[exporter.json]\nkeep = 1\n", "2", "it is missing"},
           Wrong{"[exporter.json]\npath = \"here\"\n", "2", "absolute"},
           Wrong{"[exporter.syslog]\ntarget = \"loghost\"\n", "2", "syslog target"},
           Wrong{"[exporter.syslog]\nfacility = \"mine\"\n", "2", "RFC 5424"},
           Wrong{"[exporter.syslog]\nformat = \"gelf\"\n", "2", "none of"},
           Wrong{"[exporter.otlp]\nendpoint = \"collector:4318\"\n", "2", "http://"},
           Wrong{"[exporter.otlp]\nheaders = [\"no colon\"]\n", "2", "Name: value"},
           Wrong{"[exporter.otlp]\nheaders = [\"A: b\\r\\nC: d\"]\n", "2", "Name: value"},
           Wrong{"[exporter.otlp]\ntimeout = \"0s\"\n", "2", "1ms or more"},
           Wrong{"[exporter.otlp]\nretry_first = \"1ms\"\n", "2", "100ms or more"},
           Wrong{"[exporter.otlp]\nretry_longest = \"500ms\"\n", "2", "no less than retry_first"},
           Wrong{"[exporter.prometheus]\ncertificate_file = \"/c\"\n", "2", "key_file"},
           Wrong{"[[exporter.webhook]]\nform = \"slack\"\n", "1", "url_file"},
           Wrong{"[[exporter.webhook]]\nurl = \"ftp://x\"\n", "2", "http://"},
           Wrong{"[exporter.webhook]\nurl = \"http://x\"\n", "1", "[[webhook]]"},
           Wrong{"[[exporter.webhook]]\nurl = \"http://x\"\n[[exporter.webhook]]\nurl = "
                 "\"http://y\"\n",
                 "3", "two webhooks"},
       }) {
    const auto exporters = read(wrong.text);
    ASSERT_FALSE(exporters) << wrong.text;
    EXPECT_THAT(
        exporters.error().message(),
        AllOf(HasSubstr(std::string("agent.toml:") + wrong.place + ":"), HasSubstr(wrong.why)))
        << wrong.text;
  }
}

// With a real store, real files and a real server.
class ExportersTest : public testing::Test {
 protected:
  ExportersTest() {
    std::string name = (fs::temp_directory_path() / "oomwitness.XXXXXX").string();
    folder = ::mkdtemp(name.data());
    store = std::make_unique<Store>(Store::open(folder / "incidents.db").value());
    log_fd =
        OwnedFd(::open((folder / "log").c_str(), O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC, 0600));
    log = std::make_unique<AgentLog>(log_fd.get(), false);
  }
  ~ExportersTest() override { fs::remove_all(folder); }
  ExportersTest(const ExportersTest&) = delete;
  ExportersTest& operator=(const ExportersTest&) = delete;

  ConfigFile file_of(const std::string& text) const {
    return ConfigFile::parse(text, "agent.toml").value();
  }
  std::unique_ptr<Exporters> exporters_of(const std::string& text) const {
    ConfigFile file = file_of(text);
    return std::make_unique<Exporters>(read_exporters(file, folder),
                                       Exporters::Surroundings{.store = *store,
                                                               .figures = figures,
                                                               .log = *log,
                                                               .version = "test",
                                                               .state_folder = folder});
  }
  std::string json_table(const std::string& name) const {
    return "[exporter.json]\npath = \"" + (folder / name).string() + "\"\n";
  }
  std::string text_of(const fs::path& name) const {
    std::ifstream in(folder / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void put(int first, int last) {
    Incident incident = sample("memcg");
    for (int n = first; n <= last; ++n) {
      incident.id = "ID" + std::to_string(n);
      ASSERT_TRUE(store->put(incident));
    }
  }
  // The workers are threads: what they will have done is waited for.
  template <typename Done>
  void await(const Done& done) const {
    const auto end = std::chrono::steady_clock::now() + minutes(1);
    while (!done()) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << text_of("log");
      std::this_thread::yield();
    }
  }
  std::size_t lines_of(const fs::path& name) const {
    const std::string text = text_of(name);
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  }

  fs::path folder;
  std::unique_ptr<Store> store;
  OwnedFd log_fd;
  std::unique_ptr<AgentLog> log;
  AgentFigures figures;
};

TEST_F(ExportersTest, WhatIsStoredArrivesAndTheRestWaitsInTheStore) {
  put(1, 40);
  const auto exporters =
      exporters_of(json_table("kills") + "[exporter.otlp]\nendpoint = \"http://127.0.0.1:1\"\n");
  exporters->start();
  await([&] { return lines_of("kills") == 40; });
  put(41, 50);
  exporters->stored(store->last_seq().value());
  await([&] { return lines_of("kills") == 50; });
  exporters->stop();
  EXPECT_EQ(store->place_of("json").value(), 50);
  EXPECT_EQ(store->place_of("otlp").value(), 0);
  EXPECT_THAT(text_of("log"), HasSubstr("exporter otlp: POST http://127.0.0.1:1"));
}

TEST_F(ExportersTest, AReloadChangesThoseThatChanged) {
  put(1, 3);
  const auto exporters =
      exporters_of(json_table("one") +
                   "[exporter.prometheus]\nlisten = \"unix:" + (folder / "sock").string() + "\"\n");
  exporters->start();
  await([&] { return lines_of("one") == 3; });
  EXPECT_TRUE(fs::exists(folder / "sock"));
  ConfigFile fresh = file_of(json_table("two"));
  exporters->reload(fresh);
  EXPECT_FALSE(fs::exists(folder / "sock"));
  EXPECT_EQ(store->place_of("prometheus").value(), std::nullopt)
      << "it holds nothing back any more";
  put(4, 6);
  exporters->stored(store->last_seq().value());
  await([&] { return lines_of("two") == 3; });
  EXPECT_EQ(lines_of("one"), 3U);
}

TEST_F(ExportersTest, OneThatCannotBeMadeIsTriedAgain) {
  std::ofstream(folder / "sock") << "in the way";
  const auto exporters =
      exporters_of("[exporter.prometheus]\nlisten = \"unix:" + (folder / "sock").string() + "\"\n");
  exporters->start();
  EXPECT_THAT(text_of("log"), HasSubstr("exporter prometheus: listen on unix:"));
  const auto again = exporters->next_deadline();
  ASSERT_TRUE(again);
  exporters->turn(*again - 1);
  fs::remove(folder / "sock");
  exporters->turn(*again);
  EXPECT_TRUE(fs::exists(folder / "sock"));
  EXPECT_EQ(exporters->next_deadline(), std::nullopt);
}

}  // namespace
}  // namespace oomwitness
