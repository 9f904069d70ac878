// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <vector>

#include "store/database.h"
#include "store/query.h"

namespace oomwitness {

// incident.key of what fits, newest first, at most query.limit.
Result<std::vector<std::int64_t>> find_keys(Database& database, const HistoryQuery& query);

}  // namespace oomwitness
