// SPDX-License-Identifier: BSD-2-Clause
// The agent's exporters with a real kill, behind its seccomp filter and without its rights.
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>
#include <string>

#include <netinet/in.h>

#include "agent.h"
#include "fd.h"

namespace oomwitness::live {
namespace {

constexpr int kPatienceMs = 60'000;

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  path.copy(std::begin(address.sun_path), sizeof(address.sun_path) - 1);
  return address;
}

// What comes within the time, up to `size` bytes; empty: nothing did, or the other end has closed.
std::string receive(int fd, std::size_t size) {
  pollfd ready{.fd = fd, .events = POLLIN, .revents = 0};
  if (::poll(&ready, 1, kPatienceMs) <= 0) return "";
  std::string text(size, '\0');
  const ssize_t got = ::recv(fd, text.data(), text.size(), 0);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

class ExportersTest : public LiveTest {
 protected:
  void SetUp() override {
    LiveTest::SetUp();
    if (IsSkipped()) return;
    if (agent_path().empty()) GTEST_SKIP() << "the agent is not part of this build";
  }

  // As a scraper would get it.
  std::string metrics() const {
    const Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_un address = address_of(folder_.file("metrics"));
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
      return "";
    const std::string request = "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    if (::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return "";
    std::string page;
    for (std::string piece = receive(fd.get(), 65536); !piece.empty();
         piece = receive(fd.get(), 65536))
      page += piece;
    return page;
  }
  bool json_file_has(const std::string& text) const {
    std::ifstream in(folder_.file("kills.json"));
    const std::string lines{std::istreambuf_iterator<char>(in), {}};
    return lines.find(text) != std::string::npos;
  }
  template <typename Done>
  static bool within_patience(const Done& done) {
    for (int waited = 0; waited < kPatienceMs; waited += 20) {
      if (done()) return true;
      ::poll(nullptr, 0, 20);
    }
    return done();
  }

  Folder folder_;
};

TEST_F(ExportersTest, AKillGoesEverywhereAndADeadSinkDelaysNone) {
  const Fd log(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const sockaddr_un address = address_of(folder_.file("log"));
  ASSERT_EQ(::bind(log.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  RunningAgent agent(
      folder_, {.config = "[exporter.syslog]\ntarget = \"unix:" + folder_.file("log") +
                          "\"\nformat = \"rfc5424\"\n" + "[exporter.json]\npath = \"" +
                          folder_.file("kills.json") +
                          "\"\n[exporter.prometheus]\nlisten = \"unix:" + folder_.file("metrics") +
                          "\"\n" + "[exporter.otlp]\nendpoint = \"http://127.0.0.1:1\"\n"});
  ASSERT_TRUE(agent.watching()) << agent.said();
  Cgroup box(memory(), Cgroup::unique("exporters"));
  box.limit(16 * kMiB);
  Provoked hog({.words = "adj=1000 alloc=max", .cgroup = &box});
  hog.go();
  hog.wait_killed();
  const std::string pid = std::to_string(hog.pid());

  std::string message;
  do {
    message = receive(log.get(), 16384);  // kills of others come too
  } while (!message.empty() && message.find("victim_pid=\"" + pid + "\"") == std::string::npos);
  ASSERT_FALSE(message.empty()) << agent.said();
  EXPECT_NE(message.find(" OOMKILL [oomwitness@32473 "), std::string::npos) << message;
  EXPECT_TRUE(within_patience([&] { return json_file_has("\"pid\":" + pid + ","); }));
  EXPECT_TRUE(within_patience([&] {
    const std::string page = metrics();
    return page.find("oomwitness_oom_kills_total{constraint=\"memcg\"") != std::string::npos &&
           page.find("\noomwitness_cgroup_undescribed_oom_kills 0\n") != std::string::npos &&
           page.find("oomwitness_exporter_failures_total{exporter=\"otlp\"}") != std::string::npos;
  })) << metrics();
  agent.send(SIGHUP);
  agent.wait_for_line("reloaded");
  EXPECT_EQ(agent.stop(), 0) << agent.said();
}

// What a shell had set for its user's programs is not the agent's.
TEST_F(ExportersTest, AProxyOfTheEnvironmentIsNotUsed) {
  const Fd receiver(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ASSERT_EQ(::bind(receiver.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(receiver.get(), 1), 0);
  ASSERT_EQ(::getsockname(receiver.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  const std::string proxy = "=http://127.0.0.1:1";
  RunningAgent agent(folder_,
                     {.config = "[[exporter.webhook]]\nurl = \"http://127.0.0.1:" +
                                std::to_string(ntohs(address.sin_port)) + "/hook\"\n",
                      .capabilities = {},
                      .env = {"http_proxy" + proxy, "ALL_PROXY" + proxy, "all_proxy" + proxy}});
  ASSERT_TRUE(agent.watching()) << agent.said();
  Cgroup box(memory(), Cgroup::unique("proxy"));
  box.limit(16 * kMiB);
  Provoked hog({.words = "adj=1000 alloc=max", .cgroup = &box});
  hog.go();
  hog.wait_killed();
  pollfd called{.fd = receiver.get(), .events = POLLIN, .revents = 0};
  ASSERT_EQ(::poll(&called, 1, kPatienceMs), 1) << agent.said();
  const Fd sender(::accept4(receiver.get(), nullptr, nullptr, SOCK_CLOEXEC));
  EXPECT_EQ(receive(sender.get(), 10), "POST /hook");
  EXPECT_EQ(agent.stop(), 0) << agent.said();
}

}  // namespace
}  // namespace oomwitness::live
