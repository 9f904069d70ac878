// SPDX-License-Identifier: BSD-2-Clause
// Serves one page over HTTP, through libmicrohttpd: it sleeps in epoll_wait(2) between scrapes, and
// takes a socket that is listening already, a Unix socket too.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "support/result.h"

namespace oomwitness {

struct MetricsServerOptions {
  // "127.0.0.1:9469", "[::1]:9469", "unix:/run/oomwitness/metrics.sock"
  std::string listen = "127.0.0.1:9469";
  // A file whose first line is "USER:PASSWORD". Empty: anybody who can connect may read.
  std::string basic_auth_file;
  std::string certificate_file;  // PEM; with it the server speaks TLS only
  std::string key_file;

  bool operator==(const MetricsServerOptions&) const = default;
};

class MetricsServer {
 public:
  // `page` is called by the server's own thread, for every GET of /metrics.
  static Result<MetricsServer> start(const MetricsServerOptions& options,
                                     std::function<std::string()> page);
  MetricsServer(MetricsServer&&) noexcept;
  MetricsServer& operator=(MetricsServer&&) noexcept;
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;
  // Ends the connections there are.
  ~MetricsServer();

  // The port it listens on, also when port 0 was asked for; 0: a Unix socket.
  std::uint16_t port() const;
  // Anybody in the network can read it: neither loopback, nor a Unix socket, nor a password.
  bool is_open_to_all() const;

 private:
  class Impl;
  explicit MetricsServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace oomwitness
