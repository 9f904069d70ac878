// SPDX-License-Identifier: BSD-2-Clause
// An incident's JSON as the store keeps it: compressed (zstd), because a page that is not written
// is the cheapest, and names of fields are most of it.
#pragma once

#include <string>
#include <string_view>

#include "support/result.h"

namespace oomwitness {

std::string pack_json(std::string_view json);
// Errors: it is damaged, or larger than any incident.
Result<std::string> unpack_json(std::string_view packed);

}  // namespace oomwitness
