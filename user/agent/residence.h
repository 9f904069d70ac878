// SPDX-License-Identifier: BSD-2-Clause
// What lets the agent outlive a shortage of memory.
#pragma once

#include "support/result.h"

namespace oomwitness {

// Keeps every page that the process has, or will touch, in memory: a page fault that waits for a
// disk, in a shortage, can take longer than the shortage. Pages that are never touched cost
// nothing. Errors: RLIMIT_MEMLOCK is too small and cannot be raised.
Status lock_memory();

// What is mapped from now on is not kept in memory, until lock_memory() is called again.
Status lock_no_more();

}  // namespace oomwitness
