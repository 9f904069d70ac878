// SPDX-License-Identifier: BSD-2-Clause
#include "store/database.h"

#include <cerrno>
#include <utility>

#include <sqlite3.h>

namespace oomwitness {
namespace {

constexpr int kBusyMs = 5000;

// EUCLEAN, "structure needs cleaning", is what file systems say of themselves.
constexpr int kCorrupt = EUCLEAN;

std::string file_uri(const std::string& path) {
  std::string uri = "file:";
  for (const char byte : path) {
    if (byte == '%' || byte == '?' || byte == '#') {
      constexpr std::string_view kDigits = "0123456789abcdef";
      const auto value = static_cast<unsigned char>(byte);
      uri.append(1, '%').append(1, kDigits[value >> 4U]).append(1, kDigits[value & 15U]);
    } else {
      uri += byte;
    }
  }
  return uri + "?immutable=1";
}

tl::unexpected<Error> refuse(sqlite3* database, int code, std::string context) {
  const int primary = code & 0xff;
  const int system = database != nullptr ? sqlite3_system_errno(database) : 0;
  context +=
      std::string(": ") + (database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code));
  switch (primary) {
    case SQLITE_FULL: return fail(ENOSPC, std::move(context), "free space on its file system");
    case SQLITE_READONLY:
      return fail(EROFS, std::move(context), "its folder and file system must be writable");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return fail(kCorrupt, std::move(context),
                  "move the file away: a new store is made in its place");
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return fail(EBUSY, std::move(context), "another program is writing to it");
    default: return fail(system, std::move(context));
  }
}

}  // namespace

void CloseDatabase::operator()(sqlite3* database) const noexcept {
  sqlite3_close_v2(database);
}

void FinalizeStatement::operator()(sqlite3_stmt* statement) const noexcept {
  sqlite3_finalize(statement);
}

// A bind fails only for an index that the statement does not have, or without memory; the step
// that follows then fails or finds nothing.
Statement& Statement::bind(int at, std::int64_t value) {
  sqlite3_bind_int64(statement_.get(), at, value);
  return *this;
}

Statement& Statement::bind(int at, std::string_view text) {
  sqlite3_bind_text64(statement_.get(), at, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind_bytes(int at, std::string_view bytes) {
  sqlite3_bind_blob64(statement_.get(), at, bytes.data(), bytes.size(), SQLITE_STATIC);
  return *this;
}

Statement& Statement::bind_null(int at) {
  sqlite3_bind_null(statement_.get(), at);
  return *this;
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) {
    auto error = refuse(sqlite3_db_handle(statement_.get()), code, "store " + path_);
    reset();
    return error;
  }
  reset();
  return false;
}

Status Statement::run() {
  for (;;) {
    TRY(const bool row, step());
    if (!row) return {};
  }
}

void Statement::reset() {
  sqlite3_reset(statement_.get());  // repeats the step's error, which has been told
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::text(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return bytes != nullptr ? std::string_view(bytes, static_cast<std::size_t>(size))
                          : std::string_view();
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

Result<Database> Database::open(const std::string& path, OpenMode mode) {
  // One thread at a time: the store has a lock of its own.
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  flags |= mode == OpenMode::kReadWrite ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                                        : SQLITE_OPEN_READONLY;
  if (mode == OpenMode::kImmutable) flags |= SQLITE_OPEN_URI;
  sqlite3* handle = nullptr;
  const int code =
      sqlite3_open_v2(mode == OpenMode::kImmutable ? file_uri(path).c_str() : path.c_str(), &handle,
                      flags, nullptr);
  Database database(handle, path);
  if (code != SQLITE_OK) return refuse(handle, code, "open the store " + path);
  sqlite3_busy_timeout(handle, kBusyMs);
  return database;
}

Status Database::execute(const char* sql) {
  const int code = sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return refuse(database_.get(), code, "store " + path_);
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return refuse(database_.get(), code, "store " + path_);
  return Statement(statement, path_);
}

Result<std::int64_t> Database::integer(std::string_view sql) {
  TRY(auto statement, prepare(sql));
  TRY(const bool row, statement.step());
  if (!row) return 0;
  return statement.integer(0);
}

std::int64_t Database::changes() const {
  return sqlite3_changes64(database_.get());
}

std::int64_t Database::last_rowid() const {
  return sqlite3_last_insert_rowid(database_.get());
}

void Database::keep_wal_files() {
  int keep = 1;
  sqlite3_file_control(database_.get(), "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
}

Status Database::checkpoint() {
  const int code = sqlite3_wal_checkpoint_v2(database_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE,
                                             nullptr, nullptr);
  if (code != SQLITE_OK) return refuse(database_.get(), code, "store " + path_);
  return {};
}

Result<Transaction> Transaction::begin(Database& database) {
  CHECK_OK(database.execute("BEGIN IMMEDIATE"));
  return Transaction(database);
}

Transaction::Transaction(Transaction&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)) {}

Transaction::~Transaction() {
  // A failed write may have ended the transaction already; there is nobody to tell of either.
  if (database_ != nullptr) [[maybe_unused]]
    const auto undone = database_->execute("ROLLBACK");
}

Status Transaction::commit() {
  CHECK_OK(database_->execute("COMMIT"));
  database_ = nullptr;
  return {};
}

bool is_corruption(const Error& error) {
  return error.code() == std::error_code(kCorrupt, std::generic_category());
}

}  // namespace oomwitness
