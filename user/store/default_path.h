// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string_view>

namespace oomwitness {

// Where the agent keeps its store unless its configuration names another place.
inline constexpr std::string_view kDefaultStore = "/var/lib/oomwitness/incidents.db";

}  // namespace oomwitness
