// SPDX-License-Identifier: BSD-2-Clause
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include "export_items.h"
#include "golden.h"
#include "sink/prometheus/prometheus_exporter.h"

namespace oomwitness {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

MetricsFigures figures() {
  return {.version = "1.2.3",
          .start_unix_s = 1'795'000'000,
          .kernel_kills = 12,
          .described_kills = 11,
          .cgroup_undescribed = 3,
          .lost_events = 0,
          .log_lost = 0,
          .log_only = 1,
          .earlier_boots = 2,
          .stored = 15,
          .write_failures = 0,
          .given_up = 0,
          .removed = 2,
          .removed_unsent = 0,
          .waiting = 0,
          .store_bytes = 4096,
          .exporters = {{.name = "otlp", .sent = 10, .failed = 3, .rejected = 1, .behind = 7}}};
}

KillCounts counted(const std::vector<ExportItem>& items) {
  KillCounts counts;
  for (const ExportItem& item : items) counts.count(item.incident, item.seq);
  return counts;
}

TEST(Metrics, LookAsExpected) {
  expect_golden("export/metrics.txt", metrics_page(counted(sample_batch()), figures()));
}

TEST(Metrics, WhatIsNotKnownIsAbsent) {
  const std::string page = metrics_page(KillCounts(), {.version = "1"});
  EXPECT_THAT(page, Not(HasSubstr("oomwitness_kernel_oom_kills_total")));
  EXPECT_THAT(page, Not(HasSubstr("oomwitness_last_kill_timestamp_seconds")));
  EXPECT_THAT(page, Not(HasSubstr("oomwitness_store_bytes")));
}

TEST(KillCounts, NamesWithoutEndAreOneSeries) {
  KillCounts counts;
  Incident incident = sample("memcg");
  for (int n = 0; n < 100'000; ++n) {
    incident.id = std::to_string(n);
    incident.victims.at(0).unit = "evil-" + std::to_string(n) + ".service";
    incident.scope.constraint = std::to_string(n);
    counts.count(incident, n);
  }
  EXPECT_EQ(counts.workloads().series().size(), CountFamily::kMostSeries);
  EXPECT_EQ(counts.workloads().series().at({"other", "other", "other"}),
            100'000U - CountFamily::kMostSeries + 1);
  EXPECT_EQ(counts.kills().series().size(), CountFamily::kMostSeries);
  EXPECT_LT(metrics_page(counts, figures()).size(), 200'000U);
  EXPECT_LT(counts.to_state().size(), 200'000U);
}

TEST(KillCounts, AHostileNameIsOneLabel) {
  KillCounts counts;
  Incident incident = sample("memcg");
  incident.victims.at(0).unit = "x\"} 1\noomwitness_oom_kills_total{constraint=\"none";
  counts.count(incident, 1);
  const std::string page = metrics_page(counts, figures());
  EXPECT_THAT(page, Not(HasSubstr("\noomwitness_oom_kills_total{constraint=\"none")));
  incident.victims.at(0).unit = std::string(100'000, '\xff');
  incident.id = "another";
  counts.count(incident, 2);
  EXPECT_LT(metrics_page(counts, figures()).size(), 20'000U);
}

TEST(KillCounts, AnUpdateCountsOnce) {
  Incident incident = sample("memcg");
  KillCounts counts;
  incident.revision = 1;  // the first this reader sees of it
  counts.count(incident, 4);
  incident.revision = 2;
  counts.count(incident, 9);
  EXPECT_EQ(counts.kills().series().begin()->second, 1U);
  EXPECT_EQ(counts.place(), 9);
}

TEST(KillCounts, AreTheSameAfterARestart) {
  KillCounts before = counted(sample_batch());
  Incident hostile = sample("memcg");
  hostile.id = "another";
  hostile.victims.at(0).unit = "dev-disk\\x2dby.service\n\xff\"";
  before.count(hostile, before.place() + 1);
  const auto after = KillCounts::from_state(before.to_state());
  ASSERT_TRUE(after);
  EXPECT_EQ(after->place(), before.place());
  EXPECT_EQ(metrics_page(*after, figures()), metrics_page(before, figures()));
  EXPECT_EQ(after->to_state(), before.to_state());
}

TEST(KillCounts, ABrokenStateIsAnError) {
  const std::string state = counted(sample_batch()).to_state();
  for (std::size_t length = 0; length < state.size(); length += 7)
    EXPECT_FALSE(KillCounts::from_state(state.substr(0, length)));
  for (
      const char* wrong :
      {"[]", "{}", "{\"version\":2}", "{\"version\":1,\"place\":\"x\"}", "\xff",
       R"({"version":1,"place":1,"lost_events":0,"kills":[[1]],"victims":[],"workloads":[],"counted":[]})"})
    EXPECT_FALSE(KillCounts::from_state(wrong)) << wrong;
}

// The client of the tests: what a scraper gets.
struct Scraped {
  long status = 0;
  std::string body;
  std::string type;
};

std::size_t append(char* bytes, std::size_t size, std::size_t count, void* into) {
  static_cast<std::string*>(into)->append(bytes, size * count);
  return size * count;
}

Scraped scrape(const std::string& url, const std::string& login = "",
               const std::string& socket = "", const std::string& ca_file = "",
               const std::string& method = "GET") {
  Scraped out;
  CURL* curl = ::curl_easy_init();
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method.c_str());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, append);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &out.body);
  if (!login.empty()) curl_easy_setopt(curl, CURLOPT_USERPWD, login.c_str());
  if (!socket.empty()) curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket.c_str());
  if (!ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file.c_str());
  if (::curl_easy_perform(curl) == CURLE_OK) {
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &out.status);
    char* type = nullptr;
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    out.type = type != nullptr ? type : "";
  }
  ::curl_easy_cleanup(curl);
  return out;
}

class MetricsServerTest : public testing::Test {
 protected:
  MetricsServerTest() {
    std::string name = (fs::temp_directory_path() / "oomwitness.XXXXXX").string();
    folder = ::mkdtemp(name.data());
  }
  ~MetricsServerTest() override { fs::remove_all(folder); }
  MetricsServerTest(const MetricsServerTest&) = delete;
  MetricsServerTest& operator=(const MetricsServerTest&) = delete;

  static std::string page() { return "a_metric 1\n"; }
  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(folder / name) << text;
    return folder / name;
  }
  static std::string url_of(const MetricsServer& server, const std::string& path = "/metrics") {
    return "http://127.0.0.1:" + std::to_string(server.port()) + path;
  }

  fs::path folder;
};

TEST_F(MetricsServerTest, ServesThePage) {
  const auto server = MetricsServer::start({.listen = "127.0.0.1:0"}, page);
  ASSERT_TRUE(server) << server.error().message();
  const Scraped got = scrape(url_of(*server));
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "a_metric 1\n");
  EXPECT_EQ(got.type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(scrape(url_of(*server, "/")).status, 200);
  EXPECT_EQ(scrape(url_of(*server, "/other")).status, 404);
  EXPECT_EQ(scrape(url_of(*server), "", "", "", "DELETE").status, 405);
  EXPECT_FALSE(server->is_open_to_all());
}

TEST_F(MetricsServerTest, AsksForAPasswordWhereOneIsSet) {
  const auto server = MetricsServer::start(
      {.listen = "127.0.0.1:0", .basic_auth_file = file("login", "me:s3cret\n")}, page);
  ASSERT_TRUE(server);
  EXPECT_EQ(scrape(url_of(*server)).status, 401);
  for (const char* wrong : {"me:", "me:s3cre", "me:s3crett", "you:s3cret", ":", "s3cret:me"})
    EXPECT_EQ(scrape(url_of(*server), wrong).status, 401) << wrong;
  EXPECT_EQ(scrape(url_of(*server), "me:s3cret").status, 200);
  EXPECT_FALSE(MetricsServer::start(
      {.listen = "127.0.0.1:0", .basic_auth_file = file("none", "nocolon\n")}, page));
}

TEST_F(MetricsServerTest, ListensOnAUnixSocket) {
  const std::string path = folder / "metrics.sock";
  {
    const auto server = MetricsServer::start({.listen = "unix:" + path}, page);
    ASSERT_TRUE(server) << server.error().message();
    EXPECT_EQ(scrape("http://localhost/metrics", "", path).body, "a_metric 1\n");
    struct stat found {};
    ASSERT_EQ(::stat(path.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777U, 0660U);
    EXPECT_FALSE(MetricsServer::start({.listen = "unix:" + path}, page)) << "it is in use";
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(MetricsServerTest, ReplacesASocketThatACrashLeft) {
  const std::string path = folder / "metrics.sock";
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  path.copy(std::begin(address.sun_path), sizeof(address.sun_path) - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ::close(fd);
  EXPECT_TRUE(MetricsServer::start({.listen = "unix:" + path}, page));
  file("plain", "precious");
  EXPECT_FALSE(MetricsServer::start({.listen = "unix:" + (folder / "plain").string()}, page));
  EXPECT_TRUE(fs::exists(folder / "plain")) << "what is no socket stays";
}

TEST_F(MetricsServerTest, SpeaksTls) {
  const std::string make =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "
      "/CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout '" +
      (folder / "key.pem").string() + "' -out '" + (folder / "cert.pem").string() + "' 2>&1";
  if (std::system(make.c_str()) != 0)  // NOLINT(concurrency-mt-unsafe,cert-env33-c)
    GTEST_SKIP() << "openssl is needed to make a certificate";
  const auto server = MetricsServer::start({.listen = "127.0.0.1:0",
                                            .certificate_file = folder / "cert.pem",
                                            .key_file = folder / "key.pem"},
                                           page);
  ASSERT_TRUE(server) << server.error().message();
  const std::string url = "https://127.0.0.1:" + std::to_string(server->port()) + "/metrics";
  EXPECT_EQ(scrape(url, "", "", folder / "cert.pem").body, "a_metric 1\n");
  EXPECT_EQ(scrape(url).status, 0) << "nobody signed it";
  EXPECT_EQ(scrape(url_of(*server)).status, 0) << "TLS only";
  EXPECT_FALSE(MetricsServer::start({.listen = "127.0.0.1:0",
                                     .certificate_file = file("bad.pem", "no certificate"),
                                     .key_file = folder / "key.pem"},
                                    page));
}

TEST_F(MetricsServerTest, SaysWhereItCannotListenAndWhoMayRead) {
  for (const char* wrong : {"", "9469", "localhost:9469", "127.0.0.1:http", "127.0.0.1:99999",
                            "unix:", "unix:/none/metrics.sock", "1.2.3.4:80"})
    EXPECT_FALSE(MetricsServer::start({.listen = wrong}, page)) << wrong;
  const auto open = MetricsServer::start({.listen = "0.0.0.0:0"}, page);
  ASSERT_TRUE(open);
  EXPECT_TRUE(open->is_open_to_all());
  const auto guarded = MetricsServer::start(
      {.listen = "0.0.0.0:0", .basic_auth_file = file("login", "me:word")}, page);
  ASSERT_TRUE(guarded);
  EXPECT_FALSE(guarded->is_open_to_all());
}

class PrometheusExporterTest : public MetricsServerTest {
 protected:
  std::unique_ptr<PrometheusExporter> start() const {
    auto exporter = PrometheusExporter::start(
        "prometheus", {.server = {.listen = "127.0.0.1:0"}, .state_file = folder / "metrics.json"},
        figures);
    EXPECT_TRUE(exporter);
    return *std::move(exporter);
  }
  static std::string page_of(const PrometheusExporter& exporter) {
    return scrape(url_of(exporter.server())).body;
  }
  const std::vector<ExportItem> batch = sample_batch();
};

TEST_F(PrometheusExporterTest, CountersGoOnAfterARestart) {
  std::string before;
  {
    const auto exporter = start();
    EXPECT_EQ(exporter->begin_after(0), 0);
    EXPECT_EQ(exporter->send(std::span(batch).first(4), {}).taken, 4);
    before = page_of(*exporter);
    EXPECT_EQ(before, metrics_page(counted({batch.begin(), batch.begin() + 4}), figures()));
  }
  const auto exporter = start();
  EXPECT_EQ(exporter->begin_after(2), 4) << "the place that was kept with the figures";
  EXPECT_EQ(page_of(*exporter), before);
  exporter->send(std::span(batch).subspan(4), {});
  EXPECT_EQ(page_of(*exporter), metrics_page(counted(batch), figures()));
}

TEST_F(PrometheusExporterTest, AStateThatIsGoneIsMadeAnewFromTheStore) {
  start()->send(batch, {});
  fs::resize_file(folder / "metrics.json", 100);
  const auto exporter = start();
  EXPECT_THAT(exporter->complaint(), HasSubstr("made anew from the store"));
  EXPECT_EQ(exporter->begin_after(10), 0);
}

TEST_F(PrometheusExporterTest, WhatCannotBeKeptIsCountedAgainFromThere) {
  const auto exporter = start();
  exporter->send(std::span(batch).first(2), {});
  fs::create_directory(folder / "metrics.json.new");  // as a disk that is full
  const ExportOutcome outcome = exporter->send(std::span(batch).subspan(2), {});
  EXPECT_EQ(outcome.taken, batch.back().seq);
  EXPECT_THAT(outcome.reason, HasSubstr("metrics.json.new"));
  EXPECT_EQ(start()->begin_after(10), 2);
}

}  // namespace
}  // namespace oomwitness
