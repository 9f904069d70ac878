// SPDX-License-Identifier: BSD-2-Clause
#include "agent/residence.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>

#include "support/owned_fd.h"

namespace oomwitness {
namespace {

// Address space counts, not memory: stacks of threads, 8 MiB each, are most of it.
constexpr rlim_t kEnough = 1ULL << 30U;

bool raise_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return false;
  if (limit.rlim_cur >= kEnough) return true;
  limit.rlim_cur = kEnough;
  if (limit.rlim_max < kEnough) limit.rlim_max = kEnough;
  return ::setrlimit(RLIMIT_MEMLOCK, &limit) == 0;
}

}  // namespace

Status lock_memory() {
  // With too small a limit every later mmap(2) would fail: better not at all.
  if (!raise_limit())
    return fail(errno, "raise RLIMIT_MEMLOCK to 1 GiB of addresses",
                "LimitMEMLOCK=infinity in the unit, or run as root");
  if (::mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0)
    return fail(errno, "lock memory (mlockall)", "CAP_IPC_LOCK, or LimitMEMLOCK= in the unit");
  return {};
}

Status set_oom_score_adj(const std::string& proc, std::int64_t adj) {
  const std::string path = proc + "/self/oom_score_adj";
  const OwnedFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  const std::string text = std::to_string(adj);
  if (fd.get() >= 0 &&
      ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()))
    return {};
  return fail(errno, "write " + text + " to " + path,
              "OOMScoreAdjust= in the unit, or CAP_SYS_RESOURCE");
}

}  // namespace oomwitness
