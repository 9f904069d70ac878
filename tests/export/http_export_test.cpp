// SPDX-License-Identifier: BSD-2-Clause
// The exporters that speak HTTP, against a server on loopback.
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stop_token>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "export_items.h"
#include "golden.h"
#include "http_receiver.h"
#include "opentelemetry/proto/collector/logs/v1/logs_service.pb.h"
#include "sink/http/http_client.h"
#include "sink/otlp/otlp_exporter.h"
#include "sink/otlp/otlp_request.h"
#include "sink/secret_file.h"
#include "sink/webhook/webhook_exporter.h"

namespace oomwitness {
namespace {

namespace fs = std::filesystem;
namespace collector = opentelemetry::proto::collector::logs::v1;
using Json = nlohmann::ordered_json;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

std::string unpacked(const std::string& gz) {
  std::string in = gz;
  std::string out(8U << 20U, '\0');
  z_stream stream{};
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(::inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
  EXPECT_EQ(::inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  ::inflateEnd(&stream);
  return out;
}

class HttpExportTest : public testing::Test {
 protected:
  HttpExportTest() {
    std::string name = (fs::temp_directory_path() / "oomwitness.XXXXXX").string();
    folder = ::mkdtemp(name.data());
  }
  ~HttpExportTest() override { fs::remove_all(folder); }
  HttpExportTest(const HttpExportTest&) = delete;
  HttpExportTest& operator=(const HttpExportTest&) = delete;

  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(folder / name) << text;
    return folder / name;
  }
  OtlpExporter otlp(OtlpOptions options = {}) const {
    options.endpoint = server.url();
    return {"otlp", std::move(options), [] { return std::int64_t{4711}; }};
  }

  fs::path folder;
  HttpReceiver server;
  const std::vector<ExportItem> batch = sample_batch();
};

TEST_F(HttpExportTest, PostsWhatItIsGiven) {
  server.plan({.status = 418, .body = "short and stout", .headers = {{"Retry-After", "7"}}});
  const auto reply = HttpClient({}).post(
      {.url = server.url() + "/pot", .headers = {"X-Test: yes"}, .body = std::string("a\0b", 3)},
      {});
  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_EQ(reply->status, 418);
  EXPECT_EQ(reply->body, "short and stout");
  EXPECT_EQ(reply->retry_after, seconds(7));
  const auto got = server.take();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].method, "POST");
  EXPECT_EQ(got[0].path, "/pot");
  EXPECT_EQ(got[0].body, std::string("a\0b", 3));
  EXPECT_EQ(got[0].headers.at("X-Test"), "yes");
  EXPECT_EQ(got[0].headers.at("User-Agent"), "oomwitness");
  EXPECT_FALSE(got[0].headers.contains("Expect"));
}

TEST_F(HttpExportTest, KeepsOnlyTheBeginningOfALongReply) {
  server.plan({.status = 200, .body = std::string(5U << 20U, 'x')});
  const auto reply = HttpClient({}).post({.url = server.url()}, {});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->body.size(), 64U << 10U);
}

TEST_F(HttpExportTest, FollowsNoRedirect) {
  server.plan({.status = 307, .headers = {{"Location", server.url() + "/elsewhere"}}});
  const auto reply = HttpClient({}).post({.url = server.url() + "/here"}, {});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 307);
  EXPECT_EQ(server.take().size(), 1U);
}

TEST_F(HttpExportTest, AnErrorHidesWhatMayBeASecret) {
  const auto reply =
      HttpClient({}).post({.url = "http://user:word@127.0.0.1:1/T0/B0/secret?k=v"}, {});
  ASSERT_FALSE(reply);
  EXPECT_THAT(reply.error().message(), HasSubstr("POST http://127.0.0.1:1: "));
  EXPECT_THAT(reply.error().message(), Not(HasSubstr("secret")));
  EXPECT_THAT(reply.error().message(), Not(HasSubstr("word")));
  EXPECT_FALSE(HttpClient({}).post({.url = "file:///etc/passwd"}, {}));
}

TEST_F(HttpExportTest, TheEnvironmentsProxyIsNotAsked) {
  // Nothing else runs in this test.  NOLINTNEXTLINE(concurrency-mt-unsafe)
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);
  EXPECT_TRUE(HttpClient({}).post({.url = server.url()}, {}));
  ::unsetenv("http_proxy");  // NOLINT(concurrency-mt-unsafe)
}

TEST_F(HttpExportTest, AServerThatHangsIsLeftWhenAskedTo) {
  // Listens and never answers.
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(fd, 1), 0);
  ASSERT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const std::string url = "http://127.0.0.1:" + std::to_string(::ntohs(address.sin_port));
  std::stop_source stop;
  Result<HttpReply> reply = HttpReply{};
  std::jthread caller(
      [&] { reply = HttpClient({.timeout = minutes(10)}).post({.url = url}, stop.get_token()); });
  const int connected = ::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC);  // the request is under way
  stop.request_stop();
  caller.join();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), std::errc::operation_canceled);
  ::close(connected);
  ::close(fd);
}

TEST_F(HttpExportTest, ACertificateThatNobodySignedIsRefused) {
  const std::string make =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "
      "/CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout '" +
      (folder / "key.pem").string() + "' -out '" + (folder / "cert.pem").string() + "' 2>&1";
  if (std::system(make.c_str()) != 0)  // NOLINT(concurrency-mt-unsafe,cert-env33-c)
    GTEST_SKIP() << "openssl is needed to make a certificate";
  const std::string certificate = folder / "cert.pem";
  const HttpReceiver tls(read_pem(certificate).value(), read_pem(folder / "key.pem").value());
  ASSERT_TRUE(tls.runs());
  const auto refused_reply = HttpClient({}).post({.url = tls.url()}, {});
  ASSERT_FALSE(refused_reply);
  EXPECT_THAT(refused_reply.error().message(), HasSubstr("certificate"));
  const auto reply = HttpClient({.ca_file = certificate}).post({.url = tls.url()}, {});
  EXPECT_TRUE(reply) << reply.error().message();
}

TEST(SecretFile, IsALineOfPrintableAscii) {
  const std::string path = fs::temp_directory_path() / ("secret." + std::to_string(::getpid()));
  const auto read = [&](const std::string& text) {
    std::ofstream(path) << text;
    return read_secret(path);
  };
  EXPECT_EQ(read("  s3cret word \r\nmore\n").value(), "s3cret word");
  EXPECT_FALSE(read(""));
  EXPECT_FALSE(read("\nlater"));
  EXPECT_FALSE(read("a\x01z"));
  EXPECT_FALSE(read(std::string(70'000, 'x')));
  fs::remove(path);
  EXPECT_FALSE(read_secret(path));
}

TEST(Otlp, GoesToTheStandardsPath) {
  EXPECT_EQ(otlp_logs_url("http://h:4318"), "http://h:4318/v1/logs");
  EXPECT_EQ(otlp_logs_url("http://h:4318/"), "http://h:4318/v1/logs");
  EXPECT_EQ(otlp_logs_url("https://h/otlp/v1/logs"), "https://h/otlp/v1/logs");
}

TEST_F(HttpExportTest, OtlpSendsABatchGzipped) {
  EXPECT_EQ(otlp({.bearer_file = file("token", "abc\n")}).send(batch, {}).sent, batch.size());
  const auto got = server.take();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].path, "/v1/logs");
  EXPECT_EQ(got[0].headers.at("Content-Type"), "application/x-protobuf");
  EXPECT_EQ(got[0].headers.at("Content-Encoding"), "gzip");
  EXPECT_EQ(got[0].headers.at("Authorization"), "Bearer abc");
  EXPECT_EQ(unpacked(got[0].body), otlp_request(batch, 4711));
}

TEST_F(HttpExportTest, OtlpWaitsAsLongAsTheCollectorWishes) {
  server.plan({.status = 503, .body = "full", .headers = {{"Retry-After", "120"}}});
  const ExportOutcome outcome = otlp({.gzip = false}).send(batch, {});
  EXPECT_EQ(outcome.taken, 0);
  EXPECT_EQ(outcome.again_in, seconds(120));
  EXPECT_EQ(outcome.reason, "HTTP 503: full");
  EXPECT_FALSE(server.take()[0].headers.contains("Content-Encoding"));
}

TEST_F(HttpExportTest, OtlpTellsARefusalFromAnOutage) {
  for (const unsigned status : {401U, 403U, 404U, 429U, 500U, 502U, 504U}) {
    server.plan({.status = status});
    const ExportOutcome outcome = otlp().send(batch, {});
    EXPECT_EQ(outcome.taken, 0) << status;
    EXPECT_FALSE(outcome.one_by_one) << status;
  }
  server.plan({.status = 400});
  EXPECT_TRUE(otlp().send(batch, {}).one_by_one);
  server.plan({.status = 400});
  const ExportOutcome one = otlp().send(std::span(batch).first(1), {});
  EXPECT_EQ(one.rejected, 1U);
  EXPECT_EQ(one.taken, batch[0].seq);
}

TEST_F(HttpExportTest, OtlpCountsWhatTheCollectorRejects) {
  collector::ExportLogsServiceResponse partial;
  partial.mutable_partial_success()->set_rejected_log_records(2);
  partial.mutable_partial_success()->set_error_message("too\nlong");
  server.plan({.status = 200, .body = partial.SerializeAsString()});
  ExportOutcome outcome = otlp().send(batch, {});
  EXPECT_EQ(outcome.rejected, 2U);
  EXPECT_EQ(outcome.sent, batch.size() - 2);
  EXPECT_EQ(outcome.taken, batch.back().seq);
  EXPECT_THAT(outcome.reason, HasSubstr("too\\nlong"));
  partial.mutable_partial_success()->set_rejected_log_records(1'000'000);
  server.plan({.status = 200, .body = partial.SerializeAsString()});
  outcome = otlp().send(batch, {});
  EXPECT_EQ(outcome.rejected, batch.size());
  EXPECT_EQ(outcome.sent, 0U);
  server.plan({.status = 200, .body = "not protobuf \xff\xff\xff"});
  EXPECT_EQ(otlp().send(batch, {}).sent, batch.size());
}

TEST(WebhookMessage, LooksAsExpected) {
  for (const auto& [form, name] :
       {std::pair{WebhookForm::kGeneric, "generic"}, std::pair{WebhookForm::kSlack, "slack"},
        std::pair{WebhookForm::kAlertmanager, "alertmanager"}}) {
    std::string all;
    for (const ExportItem& item : sample_batch()) {
      Json body = Json::parse(webhook_body(digest_of(item), form, minutes(15)));
      if (body.is_object() && body.contains("incident")) body["incident"] = "...";
      all += body.dump(1) + "\n";
    }
    Digest storm = digest_of(sample_batch().at(0));
    storm.count = 12'345;
    storm.last_unix_ns += 61'000'000'000;
    Json body = Json::parse(webhook_body(storm, form, minutes(15)));
    if (body.is_object() && body.contains("incident")) body["incident"] = "...";
    all += body.dump(1) + "\n";
    expect_golden("export/webhook-" + std::string(name) + ".txt", all);
  }
}

TEST(WebhookMessage, AHostileNameCallsNobody) {
  Incident incident = sample("memcg");
  incident.victims.at(0).comm = "<!channel>";
  const std::string body =
      webhook_body(digest_of(item_of(incident, 1)), WebhookForm::kSlack, minutes(15));
  EXPECT_THAT(Json::parse(body).at("text").get<std::string>(), Not(HasSubstr("<!channel>")));
}

class WebhookTest : public HttpExportTest {
 protected:
  WebhookExporter webhook(WebhookOptions options = {}) {
    if (options.url_file.empty()) options.url = server.url() + "/hook";
    return {"webhook", std::move(options), [this] { return now; }};
  }
  // The same kill so many times, each with an id of its own.
  static std::vector<ExportItem> storm_of(std::int64_t first, std::int64_t count) {
    std::vector<ExportItem> out;
    Incident incident = sample("memcg");
    incident.diagnosis = Diagnosis{.cause = "ancestor-limit"};
    for (std::int64_t seq = first; seq < first + count; ++seq) {
      incident.id = "ID" + std::to_string(seq);
      out.push_back(item_of(incident, seq));
    }
    return out;
  }
  nanoseconds now = seconds(1000);
};

TEST_F(WebhookTest, AStormIsTwoMessages) {
  WebhookExporter exporter = webhook();
  ExportOutcome outcome = exporter.send(storm_of(1, 30), {});
  EXPECT_EQ(outcome.taken, 30);
  EXPECT_EQ(outcome.settled, 1) << "a crash now brings those that are held again";
  EXPECT_EQ(outcome.sent, 1U);
  EXPECT_EQ(outcome.again_in, minutes(5));
  outcome = exporter.send(storm_of(31, 30), {});
  EXPECT_EQ(outcome.taken, 60);
  EXPECT_EQ(server.take().size(), 1U);
  now += minutes(5);
  outcome = exporter.send({}, {});
  EXPECT_EQ(outcome.sent, 59U);
  EXPECT_EQ(outcome.settled, 60);
  EXPECT_EQ(outcome.again_in, std::nullopt);
  const auto got = server.take();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(Json::parse(got[0].body).at("count"), 59);
}

TEST_F(WebhookTest, WhatCannotBeToldIsKept) {
  WebhookExporter exporter = webhook();
  server.plan({.status = 500});
  ExportOutcome outcome = exporter.send(storm_of(1, 3), {});
  EXPECT_EQ(outcome.taken, 0);
  EXPECT_EQ(outcome.reason, "HTTP 500");
  outcome = exporter.send(storm_of(1, 3), {});
  EXPECT_EQ(outcome.taken, 3);
  EXPECT_EQ(outcome.sent, 1U);
  now += minutes(5);
  server.plan({.status = 429, .headers = {{"Retry-After", "30"}}});
  outcome = exporter.send({}, {});
  EXPECT_EQ(outcome.again_in, seconds(30));
  EXPECT_EQ(outcome.settled, 1);
  outcome = exporter.send({}, {});
  EXPECT_EQ(outcome.sent, 2U);
  EXPECT_EQ(outcome.settled, 3);
}

TEST_F(WebhookTest, TheAddressMayBeASecretThatChanges) {
  const std::string path = file("url", server.url() + "/one\n");
  WebhookExporter exporter = webhook({.url_file = path, .interval = seconds(0)});
  exporter.send(storm_of(1, 1), {});
  file("url", server.url() + "/two\n");
  exporter.send(storm_of(2, 1), {});
  const auto got = server.take();
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0].path, "/one");
  EXPECT_EQ(got[1].path, "/two");
  fs::remove(path);
  EXPECT_THAT(exporter.send(storm_of(3, 1), {}).reason, HasSubstr("No such file"));
}

}  // namespace
}  // namespace oomwitness
