// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <optional>

#include "store/database.h"
#include "store/store.h"

namespace oomwitness {

// Of the database, free pages left out.
Result<std::uint64_t> used_bytes(Database& database);

// One transaction that removes some of what is too old or too much; nothing removed: there is no
// more.
Result<Retained> retain_step(Database& database, const StoreOptions& options,
                             std::optional<std::int64_t> now_unix_ns);

}  // namespace oomwitness
