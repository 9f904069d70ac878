// SPDX-License-Identifier: BSD-2-Clause
// Folders of cgroups, whatever the hierarchy.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "support/result.h"

namespace oomwitness {

Status write_cgroup_file(const std::string& path, std::string_view text);
// Whether a list like that of cgroup.controllers has the word.
bool lists_word(const std::string& path, std::string_view word);

// `folder` and every cgroup below it, each after the one above.
std::vector<std::string> cgroup_tree(const std::string& folder);
// The processes of all of these (cgroup.procs), zombies left out.
std::vector<pid_t> processes_in_tree(const std::string& folder);
// SIGKILL to all of them, with cgroup.kill where there is one, again until none is left or `rounds`
// of 10 ms are over. False: some are.
bool kill_tree(const std::string& folder, int rounds);
// Removes the tree of empty cgroups; one that is still busy is tried again for `rounds` of 10 ms.
Status remove_tree(const std::string& folder, int rounds);

}  // namespace oomwitness
