// SPDX-License-Identifier: BSD-2-Clause
// Kills of boots before this one that the agent did not see: it was down, or the host went down
// with them. The kernel's log has only this boot; systemd's journal, where it is kept, has the
// others.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include "agent/config.h"
#include "agent/figures.h"
#include "agent/log.h"
#include "store/store.h"
#include "support/owned_fd.h"
#include "support/result.h"

namespace oomwitness {

struct EarlierBootsOptions {
  std::string journal;  // folder; empty: this host's journal
  std::string boot_id;  // of this boot: not looked at
  RedactConfig redact;
};

// Looks through every boot that the journal has, from the oldest that the store knows on, and
// stores the kills it does not have; what has been looked through is remembered as closed. Nothing
// to do for a store that knows no boot but this one. `on_stored` is called after each kill. Errors:
// no journal can be read, the store cannot be read or written; what is left is done the next time.
Status describe_earlier_boots(Store& store, const EarlierBootsOptions& options,
                              const std::stop_token& stop, const std::function<void()>& on_stored);

// The same in a thread of its own, beside the event loop.
class EarlierBoots {
 public:
  struct Around {
    Store& store;
    const AgentLog& log;
    AgentFigures& figures;
    bool lock_memory = false;  // all of the process is locked
  };

  EarlierBoots(EarlierBootsOptions options, Around around);

  // Readable when something was stored.
  int fd() const { return bell_.get(); }
  // Whether something was, since the last time.
  bool take_stored();
  // Ends it, whether it is ready or not.
  void stop();

 private:
  void run(const std::stop_token& stop);

  EarlierBootsOptions options_;
  Around around_;
  OwnedFd bell_;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace oomwitness
