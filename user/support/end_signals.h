// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "support/owned_fd.h"
#include "support/result.h"

namespace oomwitness {

// Blocks SIGINT and SIGTERM and gives the descriptor they are read from (signalfd(2)), which does
// not block. To be called before any thread is made: all inherit the mask.
Result<OwnedFd> catch_end_signals();

// The same with SIGHUP, by which a service is told to read its configuration again.
Result<OwnedFd> catch_agent_signals();

}  // namespace oomwitness
