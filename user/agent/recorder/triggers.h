// SPDX-License-Identifier: BSD-2-Clause
// Pressure as the kernel tells of it: triggers on PSI files (Documentation/accounting/psi.rst), one
// descriptor to poll for all of them.
#pragma once

#include <cstddef>
#include <vector>

#include "support/owned_fd.h"
#include "support/result.h"

namespace oomwitness {

class Triggers {
 public:
  static Result<Triggers> make(std::size_t most);

  // A trigger on the PSI file `path`, below `folder_fd` (or AT_FDCWD). Errors: those of open(2) and
  // write(2), EOPNOTSUPP where PSI is turned off, EPERM for what is no PSI file, ENOSPC: as many as
  // there may be.
  Status arm(int folder_fd, const char* path, std::size_t owner);
  // The trigger of this owner, if it has one, goes.
  void disarm(std::size_t owner);
  bool has(std::size_t owner) const;

  // Readable when one of them has fired.
  int fd() const { return epoll_.get(); }
  // Takes what has fired; whether there was any. A trigger whose cgroup has gone is let go.
  bool fired();
  bool any() const { return !armed_.empty(); }

 private:
  struct Armed {
    std::size_t owner = 0;
    OwnedFd file;
  };

  explicit Triggers(OwnedFd epoll, std::size_t most);

  OwnedFd epoll_;
  std::size_t most_;
  std::vector<Armed> armed_;
};

}  // namespace oomwitness
