// SPDX-License-Identifier: BSD-2-Clause
// The processes below this one, as /proc shows them. A subreaper (PR_SET_CHILD_SUBREAPER) keeps
// those whose parents are gone below itself.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace oomwitness {

// Zombies left out.
std::vector<pid_t> descendants_of(pid_t ancestor, const std::string& proc);

// SIGKILL to all of this process's descendants, and reaps those that become its own children, until
// none is left or `rounds` of 10 ms are over. How many were sent one.
std::size_t end_descendants(const std::string& proc, int rounds);

}  // namespace oomwitness
