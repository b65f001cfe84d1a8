// SQLite with exceptions and without leaks; the only place that includes sqlite3.h. Rank 4.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace openclip {

/// A prepared statement. Parameters count from 1, columns from 0. Not thread-safe.
class Statement {
 public:
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(int parameter, int64_t value);
  Statement& bind(int parameter, double value);
  Statement& bind(int parameter, std::string_view text);
  Statement& bind_null(int parameter);

  /// The next row; false after the last one, which also makes it ready for new parameters.
  /// Throws: IoError, ParseError (a damaged file).
  bool step();

  /// For statements without rows. Throws as step.
  void run() { step(); }

  /// Forgets the row it stands on; parameters keep their values.
  void reset();

  bool is_null(int column) const;
  int64_t integer(int column) const;
  std::string text(int column) const;

 private:
  friend class Database;
  Statement(sqlite3* db, sqlite3_stmt* statement, std::string path);
  sqlite3* db_;
  sqlite3_stmt* statement_;
  std::string path_;
};

enum class DatabaseMode { read_only, read_write, create };

/// A database file. Not thread-safe.
class Database {
 public:
  /// Waits up to 10 s for locks of others. Throws: NotFound, IoError, ParseError if it is no
  /// database.
  Database(const std::string& path, DatabaseMode mode);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Throws: as Statement::step.
  void run(const char* sql);
  Statement prepare(std::string_view sql);
  int64_t last_id() const;

 private:
  std::string path_;
  sqlite3* db_ = nullptr;
};

/// BEGIN … COMMIT; without commit() the destructor rolls back.
class Transaction {
 public:
  explicit Transaction(Database& db) : db_(db) { db_.run("BEGIN IMMEDIATE"); }
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& db_;
  bool open_ = true;
};

}  // namespace openclip
