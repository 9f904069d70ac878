// SPDX-License-Identifier: BSD-2-Clause
#include "agent/residence.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include <cerrno>

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

Status lock_no_more() {
  if (::mlockall(MCL_CURRENT | MCL_ONFAULT) != 0) return fail(errno, "unlock memory (mlockall)");
  return {};
}

}  // namespace oomwitness
