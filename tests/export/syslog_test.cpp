// SPDX-License-Identifier: BSD-2-Clause
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include "export_items.h"
#include "golden.h"
#include "sink/syslog_exporter.h"

namespace oomwitness {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::int64_t utc(std::int64_t) {
  return 0;
}

// A receiver on this host.
class Listener {
 public:
  static Listener inet(int type) {
    Listener out;
    out.fd_ = OwnedFd(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    out.bind_to(&address, sizeof(address));
    socklen_t size = sizeof(address);
    ::getsockname(out.fd_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    out.port_ = ::ntohs(address.sin_port);
    if (type == SOCK_STREAM) ::listen(out.fd_.get(), 4);
    return out;
  }
  static Listener local(int type, const std::string& path) {
    Listener out;
    out.fd_ = OwnedFd(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    path.copy(std::begin(address.sun_path), sizeof(address.sun_path) - 1);
    out.bind_to(&address, sizeof(address));
    if (type == SOCK_STREAM) ::listen(out.fd_.get(), 4);
    return out;
  }
  std::string port() const { return std::to_string(port_); }
  void accept() { fd_ = OwnedFd(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC)); }
  // One datagram, or what a stream has: waits until something is there.
  std::string receive() const {
    std::string buffer(1U << 17U, '\0');
    const ssize_t got = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    buffer.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return buffer;
  }

 private:
  void bind_to(const void* address, socklen_t size) const {
    EXPECT_EQ(::bind(fd_.get(), static_cast<const sockaddr*>(address), size), 0);
  }
  OwnedFd fd_;
  std::uint16_t port_ = 0;
};

TEST(SyslogMessage, LooksAsExpected) {
  std::string all;
  for (const ExportItem& item : sample_batch())
    for (const SyslogFormat format : {SyslogFormat::kRfc5424, SyslogFormat::kLocal})
      all += syslog_message(item.incident, {.format = format, .pid = 4711}, 3600) + "\n";
  expect_golden("export/syslog.txt", all);
}

TEST(SyslogMessage, IsOneLineOfPrintableAsciiWhateverTheNames) {
  Incident incident = sample("hostile");
  std::string all_bytes;
  for (int byte = 0; byte < 256; ++byte) all_bytes += static_cast<char>(byte);
  incident.victims.at(0).cmdline = {{all_bytes, std::string(100'000, ']')}};
  incident.victims.at(0).cgroup = std::string(5000, '"');
  incident.host.name = "a host\n<0>1";
  for (const SyslogFormat format : {SyslogFormat::kRfc5424, SyslogFormat::kLocal}) {
    const std::string message = syslog_message(incident, {.format = format});
    EXPECT_LE(message.size(), 8192U);
    EXPECT_TRUE(
        std::all_of(message.begin(), message.end(), [](char c) { return c >= ' ' && c <= '~'; }));
  }
  // The structured data ends where it should: every bracket before that is escaped.
  const std::string message = syslog_message(incident, {});
  const std::size_t begin = message.find("[oomwitness@32473 ");
  ASSERT_NE(begin, std::string::npos);
  std::size_t end = begin;
  while (end < message.size() && message[end] != ']') end += message[end] == '\\' ? 2U : 1U;
  EXPECT_THAT(message.substr(end), StartsWith("] OOM kill"));
}

TEST(SyslogMessage, KnowsTheFacilities) {
  EXPECT_EQ(syslog_facility("daemon"), 3U);
  EXPECT_EQ(syslog_facility("local7"), 23U);
  EXPECT_EQ(syslog_facility("nobody"), std::nullopt);
}

TEST(SyslogTarget, IsReadFromAnAddress) {
  const auto local = parse_syslog_target("unix:/run/log");
  ASSERT_TRUE(local);
  EXPECT_EQ(local->path, "/run/log");
  const auto udp = parse_syslog_target("udp://loghost");
  ASSERT_TRUE(udp);
  EXPECT_EQ(udp->transport, SyslogTransport::kUdp);
  EXPECT_EQ(udp->host, "loghost");
  EXPECT_EQ(udp->port, "514");
  const auto tcp = parse_syslog_target("tcp://[2001:db8::1]:601");
  ASSERT_TRUE(tcp);
  EXPECT_EQ(tcp->host, "2001:db8::1");
  EXPECT_EQ(tcp->port, "601");
  for (const char* wrong : {"", "loghost", "unix:relative", "tcp://", "tcp://[::1", "udp://a:b",
                            "udp://a:", "http://a", "tcp://a:123456"})
    EXPECT_FALSE(parse_syslog_target(wrong)) << wrong;
}

class SyslogExporterTest : public testing::Test {
 protected:
  SyslogExporterTest() {
    std::string name = (std::filesystem::temp_directory_path() / "oomwitness.XXXXXX").string();
    folder = ::mkdtemp(name.data());
  }
  ~SyslogExporterTest() override { std::filesystem::remove_all(folder); }
  SyslogExporterTest(const SyslogExporterTest&) = delete;
  SyslogExporterTest& operator=(const SyslogExporterTest&) = delete;

  static SyslogExporter exporter(const std::string& target, SyslogStyle style = {}) {
    return {"syslog", parse_syslog_target(target).value(), std::move(style), utc};
  }
  std::string message(std::size_t index) const { return syslog_message(batch[index].incident, {}); }

  std::filesystem::path folder;
  const std::vector<ExportItem> batch = sample_batch();
};

TEST_F(SyslogExporterTest, ADatagramAnIncident) {
  const std::string path = folder / "log";
  const Listener log = Listener::local(SOCK_DGRAM, path);
  SyslogExporter sink = exporter("unix:" + path);
  EXPECT_EQ(sink.send(std::span(batch).first(2), {}).sent, 2U);
  EXPECT_EQ(log.receive(), message(0));
  EXPECT_EQ(log.receive(), message(1));
}

TEST_F(SyslogExporterTest, ALocalStreamEndsMessagesWithNul) {
  const std::string path = folder / "log";
  Listener log = Listener::local(SOCK_STREAM, path);
  SyslogExporter sink = exporter("unix:" + path);
  EXPECT_EQ(sink.send(std::span(batch).first(2), {}).sent, 2U);
  log.accept();
  std::string expected = message(0) + '\0' + message(1) + '\0';
  std::string got;
  while (got.size() < expected.size()) got += log.receive();
  EXPECT_EQ(got, expected);
}

TEST_F(SyslogExporterTest, UdpCarriesOneInEachDatagram) {
  const Listener log = Listener::inet(SOCK_DGRAM);
  SyslogExporter sink = exporter("udp://127.0.0.1:" + log.port());
  EXPECT_EQ(sink.send(batch, {}).sent, batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) EXPECT_EQ(log.receive(), message(i));
}

TEST_F(SyslogExporterTest, TcpCountsTheOctetsOfEachFrame) {
  Listener log = Listener::inet(SOCK_STREAM);
  SyslogExporter sink = exporter("tcp://127.0.0.1:" + log.port());
  EXPECT_EQ(sink.send(batch, {}).sent, batch.size());
  log.accept();
  std::string expected;
  for (std::size_t i = 0; i < batch.size(); ++i)
    expected += std::to_string(message(i).size()) + " " + message(i);
  std::string got;
  while (got.size() < expected.size()) got += log.receive();
  EXPECT_EQ(got, expected);
}

TEST_F(SyslogExporterTest, AReceiverThatClosedIsCalledAgain) {
  Listener log = Listener::inet(SOCK_STREAM);
  const std::string target = "tcp://127.0.0.1:" + log.port();
  SyslogExporter sink = exporter(target);
  EXPECT_EQ(sink.send(std::span(batch).first(1), {}).sent, 1U);
  log.accept();  // and with that the listening socket is gone
  log.receive();
  log = Listener();
  const ExportOutcome outcome = sink.send(batch, {});
  EXPECT_EQ(outcome.sent, 0U);
  EXPECT_EQ(outcome.taken, 0);
  EXPECT_THAT(outcome.reason, HasSubstr("Connection refused"));
}

TEST_F(SyslogExporterTest, NobodyThereIsSaid) {
  const std::string path = folder / "log";
  const ExportOutcome outcome = exporter("unix:" + path).send(batch, {});
  EXPECT_EQ(outcome.sent, 0U);
  EXPECT_THAT(outcome.reason, HasSubstr("connect to " + path + ": No such file or directory"));
}

TEST_F(SyslogExporterTest, AReceiverThatReadsNothingIsGivenUpWhenAskedTo) {
  const std::string path = folder / "log";
  const Listener log = Listener::local(SOCK_DGRAM, path);
  SyslogExporter sink = exporter("unix:" + path);
  std::stop_source stop;
  stop.request_stop();
  ExportOutcome outcome;
  // Until the socket's queue is full (net.unix.max_dgram_qlen).
  std::size_t sent = 0;
  do {
    outcome = sink.send(batch, stop.get_token());
    sent += outcome.sent;
  } while (outcome.reason.empty() && sent < 100'000);
  EXPECT_THAT(outcome.reason, HasSubstr("wait for the syslog daemon"));
}

}  // namespace
}  // namespace oomwitness
