// SPDX-License-Identifier: BSD-2-Clause
// A transient scope of systemd's, in which cgroups may be made (Delegate=yes).
#pragma once

#include <span>
#include <string>

#include "support/result.h"

namespace oomwitness {

// Whether a manager can be asked: the user's own, or the system's for root.
bool has_systemd_manager(const std::string& root);

// Becomes `systemd-run --scope` with `argv` as its command, argv[0] being this program. Returns
// only when it cannot.
Status enter_scope(std::span<const std::string> argv);

}  // namespace oomwitness
