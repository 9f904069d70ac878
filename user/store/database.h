// SPDX-License-Identifier: BSD-2-Clause
// SQLite's handles with one owner, and its errors as ours.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "support/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace oomwitness {

struct CloseDatabase {
  void operator()(sqlite3* database) const noexcept;
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const noexcept;
};

// A prepared statement. bind() counts from 1, columns from 0, as SQLite does. What is bound as text
// or bytes must live until the statement is stepped for the last time or reset.
class Statement {
 public:
  Statement() = default;
  Statement(sqlite3_stmt* statement, std::string_view path) : statement_(statement), path_(path) {}

  Statement& bind(int at, std::int64_t value);
  Statement& bind(int at, std::string_view text);
  Statement& bind_bytes(int at, std::string_view bytes);
  Statement& bind_null(int at);

  // True: there is a row. False: it is done, and has been reset.
  Result<bool> step();
  // For statements without rows: steps to the end.
  Status run();
  void reset();

  std::int64_t integer(int column) const;
  std::string_view text(int column) const;  // valid until the next step
  bool is_null(int column) const;

 private:
  std::unique_ptr<sqlite3_stmt, FinalizeStatement> statement_;
  std::string path_;
};

enum class OpenMode { kReadWrite, kReadOnly, kImmutable };

class Database {
 public:
  // Errors: no such file, no permission, no database. A new file is made by kReadWrite.
  static Result<Database> open(const std::string& path, OpenMode mode);

  Status execute(const char* sql);
  Result<Statement> prepare(std::string_view sql);
  // The first column of the only row.
  Result<std::int64_t> integer(std::string_view sql);
  std::int64_t changes() const;
  std::int64_t last_rowid() const;
  // Keeps the files beside the database when the last connection closes: a reader that may not
  // write in the folder can open the database only while they are there.
  void keep_wal_files();
  // Copies what is in the write-ahead log into the database, as far as no reader is in the way, and
  // syncs both.
  Status checkpoint();
  const std::string& path() const { return path_; }

 private:
  Database(sqlite3* database, std::string path) : database_(database), path_(std::move(path)) {}
  std::unique_ptr<sqlite3, CloseDatabase> database_;
  std::string path_;
};

// Rolls back unless committed.
class Transaction {
 public:
  static Result<Transaction> begin(Database& database);
  Transaction(Transaction&& other) noexcept;
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Status commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

// The file is there and is no database, or a damaged one.
bool is_corruption(const Error& error);

}  // namespace oomwitness
