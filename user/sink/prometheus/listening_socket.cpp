// SPDX-License-Identifier: BSD-2-Clause
#include "sink/prometheus/listening_socket.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace oomwitness {
namespace {

constexpr int kBacklog = 16;
constexpr std::string_view kUnix = "unix:";

// The sockets API's own way of typing addresses.
// NOLINTBEGIN(cppcoreguidelines-pro-type-reinterpret-cast)
const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

bool is_loopback(const addrinfo& address) {
  if (address.ai_family == AF_INET) {
    constexpr std::uint32_t kNetOf127 = 0x7f;
    const auto* in = reinterpret_cast<const sockaddr_in*>(address.ai_addr);
    return ::ntohl(in->sin_addr.s_addr) >> 24U == kNetOf127;
  }
  const auto* in6 = reinterpret_cast<const sockaddr_in6*>(address.ai_addr);
  return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr) != 0;
}

std::uint16_t port_of(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ::ntohs(address.ss_family == AF_INET
                     ? reinterpret_cast<const sockaddr_in*>(&address)->sin_port
                     : reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port);
}
// NOLINTEND(cppcoreguidelines-pro-type-reinterpret-cast)

bool is_abandoned(const sockaddr_un& address) {
  struct stat found {};
  if (::lstat(std::begin(address.sun_path), &found) != 0 || !S_ISSOCK(found.st_mode)) return false;
  const OwnedFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ::connect(probe.get(), generic(address), sizeof(address)) != 0 && errno == ECONNREFUSED;
}

Result<ListeningSocket> listen_on_path(const std::string& path) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  if (path.empty() || path.size() >= sizeof(address.sun_path))
    return fail("listen on unix:" + path + ": a socket's path has 1 to 107 bytes");
  path.copy(std::begin(address.sun_path), sizeof(address.sun_path) - 1);
  if (is_abandoned(address)) ::unlink(path.c_str());
  ListeningSocket out{.fd = OwnedFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)),
                      .loopback = true};
  if (out.fd.get() < 0 || ::bind(out.fd.get(), generic(address), sizeof(address)) != 0)
    return fail(errno, "listen on unix:" + path);
  out.path = path;
  constexpr mode_t kOwnerAndGroup = 0660;
  if (::chmod(path.c_str(), kOwnerAndGroup) != 0 || ::listen(out.fd.get(), kBacklog) != 0)
    return fail(errno, "listen on unix:" + path);
  return out;
}

Result<ListeningSocket> listen_on_address(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos)
    return fail("listen on '" + text + "'", "ADDRESS:PORT, [ADDRESS]:PORT or unix:PATH");
  std::string host = text.substr(0, colon);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  // getaddrinfo takes 99999 for 34463.
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + colon + 1, end, port);
  if (parsed.ec != std::errc{} || parsed.ptr != end)
    return fail("listen on '" + text + "': a port is a number up to 65535");
  const addrinfo wanted{.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                        .ai_family = AF_UNSPEC,
                        .ai_socktype = SOCK_STREAM};
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(host.c_str(), text.c_str() + colon + 1, &wanted, &found);
  if (failed != 0)
    return fail("listen on '" + text + "': " + ::gai_strerror(failed),
                "ADDRESS:PORT in numbers, [ADDRESS]:PORT or unix:PATH");
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> address(found, &::freeaddrinfo);
  ListeningSocket out{.fd = OwnedFd(::socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0)),
                      .loopback = is_loopback(*address)};
  const int on = 1;
  if (out.fd.get() < 0 ||
      ::setsockopt(out.fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
      ::bind(out.fd.get(), address->ai_addr, address->ai_addrlen) != 0 ||
      ::listen(out.fd.get(), kBacklog) != 0)
    return fail(errno, "listen on " + text,
                errno == EADDRINUSE ? "another program has that port: choose one by `listen`" : "");
  out.port = port_of(out.fd.get());
  return out;
}

}  // namespace

Result<ListeningSocket> listen_on(const std::string& address) {
  return address.starts_with(kUnix) ? listen_on_path(address.substr(kUnix.size()))
                                    : listen_on_address(address);
}

}  // namespace oomwitness
