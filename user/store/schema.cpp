// SPDX-License-Identifier: BSD-2-Clause
#include "store/schema.h"

#include <array>
#include <string>

namespace oomwitness {
namespace {

// "OOMW": file(1) and we tell our files from others by it.
constexpr std::int64_t kApplicationId = 0x4f4f4d57;

// The n-th brings a database from schema n to n + 1. Never change one that has been released.
//
// incident: `key` stays with an incident, `seq` rises with every write of it, so that an exporter
// that remembers the last `seq` it had sees updates too. `json` is compressed (packed_json.h).
// term, subject: who dies. A term is a name (of `kind`, see terms.h) by which incidents are found;
// a subject is a set of them that one victim had, and most victims have those of an earlier one.
// kill: the incidents of a subject, by time. A query looks for its subjects first, and they are
// few, or its incidents are many and near. incident.subjects has the same the other way round.
// boot: how far the kernel's log of that boot has been read, and how many kills are described; from
// schema 2 on also until when (settled_ns), and whether nothing can come any more (closed).
constexpr std::array kSteps{R"sql(
CREATE TABLE incident(
  key INTEGER PRIMARY KEY,
  seq INTEGER NOT NULL UNIQUE,
  id TEXT NOT NULL UNIQUE,
  revision INTEGER NOT NULL,
  time_ns INTEGER NOT NULL,
  boot INTEGER NOT NULL,
  monotonic_ns INTEGER NOT NULL,
  kills INTEGER NOT NULL,
  subjects BLOB NOT NULL,
  json BLOB NOT NULL
) STRICT;
CREATE INDEX incident_by_time ON incident(time_ns, subjects);
CREATE INDEX incident_by_boot ON incident(boot, monotonic_ns);
CREATE TABLE term(
  id INTEGER PRIMARY KEY,
  kind INTEGER NOT NULL,
  text BLOB NOT NULL,
  UNIQUE(kind, text)
) STRICT;
CREATE TABLE subject(id INTEGER PRIMARY KEY, terms BLOB NOT NULL UNIQUE) STRICT;
CREATE TABLE subject_term(
  term INTEGER NOT NULL,
  subject INTEGER NOT NULL,
  PRIMARY KEY(term, subject)
) STRICT, WITHOUT ROWID;
CREATE TABLE kill(
  subject INTEGER NOT NULL,
  time_ns INTEGER NOT NULL,
  incident INTEGER NOT NULL,
  PRIMARY KEY(subject, time_ns, incident)
) STRICT, WITHOUT ROWID;
CREATE TABLE boot(
  key INTEGER PRIMARY KEY,
  boot_id TEXT NOT NULL UNIQUE,
  log_next INTEGER NOT NULL DEFAULT 0,
  log_minus_monotonic_ns INTEGER,
  kills INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE place(exporter TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE counter(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
)sql",
                            R"sql(
ALTER TABLE boot ADD COLUMN settled_ns INTEGER NOT NULL DEFAULT 0;
ALTER TABLE boot ADD COLUMN closed INTEGER NOT NULL DEFAULT 0;
)sql"};

constexpr auto kVersion = static_cast<std::int64_t>(kSteps.size());

tl::unexpected<Error> foreign(const Database& database) {
  return fail(EINVAL, database.path() + " is a database of another program",
              "name another file, or move this one away");
}

Status expect_no_newer(const Database& database, std::int64_t version) {
  if (version <= kVersion) return {};
  return fail(database.path() + " has schema " + std::to_string(version) +
                  ", and this program knows schemas up to " + std::to_string(kVersion),
              "it was written by a newer oomwitness: use that one, or move the file away");
}

}  // namespace

Status migrate(Database& database) {
  TRY(const auto version, database.integer("PRAGMA user_version"));
  CHECK_OK(expect_no_newer(database, version));
  TRY(const auto application, database.integer("PRAGMA application_id"));
  TRY(const auto tables, database.integer("SELECT count(*) FROM sqlite_master"));
  if (tables > 0 && application != kApplicationId) return foreign(database);
  if (version == kVersion) return {};
  TRY(auto transaction, Transaction::begin(database));
  for (auto step = static_cast<std::size_t>(version); step < kSteps.size(); ++step)
    CHECK_OK(database.execute(kSteps.at(step)));
  const std::string mark = "PRAGMA application_id = " + std::to_string(kApplicationId) +
                           "; PRAGMA user_version = " + std::to_string(kVersion);
  CHECK_OK(database.execute(mark.c_str()));
  return transaction.commit();
}

Status expect_current_schema(Database& database) {
  TRY(const auto application, database.integer("PRAGMA application_id"));
  TRY(const auto version, database.integer("PRAGMA user_version"));
  if (application != kApplicationId) return foreign(database);
  CHECK_OK(expect_no_newer(database, version));
  if (version == kVersion) return {};
  return fail(database.path() + " has schema " + std::to_string(version) +
                  ", and this program reads " + std::to_string(kVersion),
              "start the agent of this version once: it brings the store up to date");
}

}  // namespace oomwitness
