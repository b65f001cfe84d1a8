// PostgreSQL with exceptions and without leaks. Rank 4.
#pragma once

#include <concepts>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct pg_conn;
struct pg_result;

namespace openclip {

/// A parameter of a statement, as the text that PostgreSQL reads.
class PgParameter {
 public:
  PgParameter(std::integral auto number) : text_(std::to_string(number)) {}
  /// Bytes that are not UTF-8, and NUL, become \xHH: PostgreSQL keeps texts, file names are bytes.
  PgParameter(std::string_view text);
  PgParameter(const std::string& text) : PgParameter(std::string_view(text)) {}
  PgParameter(const char* text) : PgParameter(std::string_view(text)) {}
  /// "{1,2,3}", to be read as bigint[].
  PgParameter(std::span<const int64_t> numbers);
  /// "[0.5,1]", to be read as vector or halfvec.
  PgParameter(std::span<const float> vector);

  const char* c_str() const { return text_.c_str(); }

 private:
  std::string text_;
};

/// Rows of a statement. Rows and columns count from 0; no value is NULL in the statements here.
class PgResult {
 public:
  explicit PgResult(pg_result* result) : result_(result) {}
  ~PgResult();
  PgResult(PgResult&& other) noexcept : result_(other.result_) { other.result_ = nullptr; }
  PgResult(const PgResult&) = delete;
  PgResult& operator=(const PgResult&) = delete;

  size_t rows() const;
  std::string text(size_t row, size_t column) const;
  int64_t integer(size_t row, size_t column) const;
  double number(size_t row, size_t column) const;
  bool boolean(size_t row, size_t column) const { return text(row, column) == "t"; }
  /// Reads "[0.5,1]" into `vector`, which has as many numbers.
  void vector(size_t row, size_t column, std::span<float> vector) const;

 private:
  pg_result* result_;
};

/// A session. Not thread-safe.
class PgConnection {
 public:
  /// place: postgresql://…, see is_database. Throws: IoError if the server cannot be reached within
  /// 10 s or refuses.
  explicit PgConnection(const std::string& place);
  ~PgConnection();
  PgConnection(const PgConnection&) = delete;
  PgConnection& operator=(const PgConnection&) = delete;

  /// Runs one statement; $1, $2, … are the parameters. Throws: NotFound if a table does not exist;
  /// IoError with what the server says.
  PgResult run(const std::string& sql, std::span<const PgParameter> parameters = {});
  PgResult run(const std::string& sql, std::initializer_list<PgParameter> parameters) {
    return run(sql, std::span(parameters.begin(), parameters.size()));
  }

  /// Whether the session can still be used.
  bool alive() const;
  const std::string& name() const { return name_; }  // the place, without a password

 private:
  std::string name_;
  pg_conn* connection_;
};

/// BEGIN … COMMIT; without commit() the destructor rolls back.
class PgTransaction {
 public:
  /// The statement that begins, with its properties.
  explicit PgTransaction(PgConnection& connection, const char* begin = "BEGIN");
  ~PgTransaction();
  PgTransaction(const PgTransaction&) = delete;
  PgTransaction& operator=(const PgTransaction&) = delete;
  void commit();

 private:
  PgConnection& connection_;
  bool open_ = true;
};

/// Sessions that threads borrow; as many as were ever needed at once. Thread-safe.
class PgPool {
 public:
  explicit PgPool(std::string place) : place_(std::move(place)) {}

  /// Runs `use(PgConnection&)`. A session that died while it was idle (the server was restarted)
  /// is replaced and `use`, which must only read, is run once more.
  auto with(auto use) {
    std::unique_ptr<PgConnection> session = take();
    try {
      return give_back(std::move(session), use);
    } catch (const std::exception&) {
      if (!session || session->alive()) throw;
    }
    return give_back(std::make_unique<PgConnection>(place_), use);
  }

 private:
  std::unique_ptr<PgConnection> take();
  void put(std::unique_ptr<PgConnection> session);
  auto give_back(std::unique_ptr<PgConnection>&& session, auto& use) {
    auto result = use(*session);
    put(std::move(session));
    return result;
  }

  std::string place_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<PgConnection>> idle_;
};

}  // namespace openclip
