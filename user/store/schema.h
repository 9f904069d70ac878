// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "store/database.h"

namespace oomwitness {

// Makes the tables of a new database, or brings those of an older one up to date: all in one
// transaction. Errors: a schema newer than this program, a database of something else.
Status migrate(Database& database);

// For a reader: the schema is the one this program knows.
Status expect_current_schema(Database& database);

}  // namespace oomwitness
