// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <string>

#include "support/owned_fd.h"
#include "support/result.h"

namespace oomwitness {

struct ListeningSocket {
  OwnedFd fd;
  std::uint16_t port = 0;  // 0: a Unix socket
  bool loopback = false;   // or a Unix socket
  std::string path;        // of a Unix socket: to be removed at the end
};

// `address`: "ADDRESS:PORT" (a number, no name: nothing is looked up) or "unix:PATH", which is made
// with mode 0660; a socket of that path that nobody listens on any more is replaced.
Result<ListeningSocket> listen_on(const std::string& address);

}  // namespace oomwitness
