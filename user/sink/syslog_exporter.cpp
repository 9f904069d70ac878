// SPDX-License-Identifier: BSD-2-Clause
#include "sink/syslog_exporter.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

namespace oomwitness {
namespace {

using Clock = std::chrono::steady_clock;

// How soon a wait notices that it is to end.
constexpr std::chrono::milliseconds kGlance{200};

Status wait_writable(int fd, Clock::time_point deadline, const std::stop_token& stop) {
  for (;;) {
    if (stop.stop_requested()) return fail(ECANCELED, "wait for the syslog daemon");
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return fail(ETIMEDOUT, "wait for the syslog daemon");
    pollfd ready{.fd = fd, .events = POLLOUT, .revents = 0};
    const int count = ::poll(&ready, 1, static_cast<int>(std::min(left, kGlance).count()));
    if (count > 0) return {};
    if (count < 0 && errno != EINTR) return fail(errno, "poll");
  }
}

// The other end has closed: what is written now would be lost without a word.
bool is_closed(int fd) {
  char byte = 0;
  const ssize_t got = ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Result<Addresses> resolve(const SyslogTarget& target) {
  const addrinfo wanted{
      .ai_flags = AI_ADDRCONFIG,
      .ai_family = AF_UNSPEC,
      .ai_socktype = target.transport == SyslogTransport::kUdp ? SOCK_DGRAM : SOCK_STREAM};
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(target.host.c_str(), target.port.c_str(), &wanted, &found);
  if (failed != 0) return fail("look up " + target.host + ": " + ::gai_strerror(failed));
  return Addresses(found, &::freeaddrinfo);
}

Result<OwnedFd> connect_to(const addrinfo& address, Clock::time_point deadline,
                           const std::stop_token& stop) {
  OwnedFd fd(::socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                      address.ai_protocol));
  if (fd.get() < 0) return fail(errno, "socket");
  if (::connect(fd.get(), address.ai_addr, address.ai_addrlen) == 0) return fd;
  if (errno != EINPROGRESS) return fail(errno, "connect");
  CHECK_OK(wait_writable(fd.get(), deadline, stop));
  int error = 0;
  socklen_t size = sizeof(error);
  if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) return fail(error, "connect");
  return fd;
}

}  // namespace

Result<SyslogTarget> parse_syslog_target(const std::string& text) {
  const char* const forms = "unix:PATH, udp://HOST[:PORT] and tcp://HOST[:PORT] are understood";
  SyslogTarget target;
  if (text.starts_with("unix:/")) {
    target.path = text.substr(std::strlen("unix:"));
    if (target.path.size() >= sizeof(sockaddr_un::sun_path))
      return fail("syslog target '" + text + "': a socket's path has at most 107 bytes");
    return target;
  }
  const bool udp = text.starts_with("udp://");
  if (!udp && !text.starts_with("tcp://")) return fail("syslog target '" + text + "'", forms);
  target.transport = udp ? SyslogTransport::kUdp : SyslogTransport::kTcp;
  std::string rest = text.substr(std::strlen("udp://"));
  const std::size_t bracket = rest.starts_with('[') ? rest.find(']') : std::string::npos;
  if (rest.starts_with('[') && bracket == std::string::npos)
    return fail("syslog target '" + text + "': ']' is missing");
  const std::size_t colon = rest.find(':', bracket == std::string::npos ? 0 : bracket);
  if (colon != std::string::npos) {
    target.port = rest.substr(colon + 1);
    rest.resize(colon);
  }
  target.host = bracket == std::string::npos ? rest : rest.substr(1, bracket - 1);
  const bool number = !target.port.empty() && target.port.size() <= 5 &&
                      std::all_of(target.port.begin(), target.port.end(),
                                  [](char c) { return c >= '0' && c <= '9'; });
  if (target.host.empty() || !number) return fail("syslog target '" + text + "'", forms);
  return target;
}

SyslogExporter::SyslogExporter(std::string name, SyslogTarget target, SyslogStyle style,
                               std::function<std::int64_t(std::int64_t)> local_offset_s)
    : name_(std::move(name)),
      target_(std::move(target)),
      style_(std::move(style)),
      local_offset_s_(std::move(local_offset_s)) {}

ExportOutcome SyslogExporter::send(std::span<const ExportItem> batch, const std::stop_token& stop) {
  if (reopen_.exchange(false) || (socket_.get() >= 0 && stream_ && is_closed(socket_.get())))
    socket_ = OwnedFd();
  if (socket_.get() < 0)
    if (const Status connected = connect(stop); !connected)
      return try_later(batch, 0, connected.error().message());
  for (std::size_t sent = 0; sent < batch.size(); ++sent) {
    const Status written = write(frame_of(batch[sent].incident), stop);
    if (written) continue;
    socket_ = OwnedFd();  // a frame may have gone in part
    return try_later(batch, sent, written.error().message());
  }
  return all_sent(batch);
}

std::string SyslogExporter::frame_of(const Incident& incident) const {
  constexpr std::int64_t kNsPerSecond = 1'000'000'000;
  std::string message =
      syslog_message(incident, style_, local_offset_s_(incident.time_unix_ns / kNsPerSecond));
  if (!stream_) return message;
  // Local stream sockets end a message with a NUL, as syslog(3) does.
  if (target_.transport == SyslogTransport::kUnix) return message + '\0';
  return std::to_string(message.size()) + " " + message;
}

Status SyslogExporter::connect(const std::stop_token& stop) {
  return target_.transport == SyslogTransport::kUnix ? connect_unix() : connect_network(stop);
}

Status SyslogExporter::connect_unix() {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  target_.path.copy(std::begin(address.sun_path), sizeof(address.sun_path) - 1);
  for (const int type : {SOCK_DGRAM, SOCK_STREAM}) {
    OwnedFd fd(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (fd.get() < 0) return fail(errno, "socket");
    // The sockets API's own way of typing addresses.
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
      socket_ = std::move(fd);
      stream_ = type == SOCK_STREAM;
      return {};
    }
    if (errno != EPROTOTYPE) break;
  }
  return fail(errno, "connect to " + target_.path, "is a syslog daemon running?");
}

Status SyslogExporter::connect_network(const std::stop_token& stop) {
  TRY(const Addresses addresses, resolve(target_));
  const Clock::time_point deadline = Clock::now() + target_.timeout;
  Status last = fail("look up " + target_.host + ": no address");
  for (const addrinfo* one = addresses.get(); one != nullptr; one = one->ai_next) {
    Result<OwnedFd> fd = connect_to(*one, deadline, stop);
    if (fd) {
      socket_ = *std::move(fd);
      stream_ = target_.transport == SyslogTransport::kTcp;
      return {};
    }
    last = tl::make_unexpected(
        std::move(fd).error().during("syslog " + target_.host + ":" + target_.port));
  }
  return last;
}

Status SyslogExporter::write(std::string frame, const std::stop_token& stop) {
  const Clock::time_point deadline = Clock::now() + target_.timeout;
  while (!frame.empty()) {
    const ssize_t sent = ::send(socket_.get(), frame.data(), frame.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      frame.erase(0, static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN || errno == ENOBUFS) {
      CHECK_OK(wait_writable(socket_.get(), deadline, stop));
    } else if (errno != EINTR) {
      return fail(errno, "send to the syslog daemon");
    }
  }
  return {};
}

}  // namespace oomwitness
