#include "index/postgres.h"

#include <utf8proc.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "index/place.h"
#include "index/pq_library.h"

namespace openclip {
namespace {

const PqLibrary& pq() { return pq_library(); }

// What the server or libpq says, in one line.
std::string one_line(std::string_view message) {
  std::string line;
  for (const char c : message) {
    const bool blank = c == '\n' || c == '\t' || c == ' ';
    if (!blank)
      line += c;
    else if (!line.empty() && line.back() != ' ')
      line += ' ';
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

[[noreturn]] void fail(const std::string& name, const PGconn* connection, const PGresult* result) {
  const char* said = pq().resultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const std::string message = one_line(said != nullptr ? said : pq().errorMessage(connection));
  const char* code = pq().resultErrorField(result, PG_DIAG_SQLSTATE);
  if (code != nullptr && std::string_view(code) == "42P01")  // undefined_table
    throw NotFound(fmt::format("{}: no index is here; make one with 'openclip index DIR --out {}'",
                               name, name));
  throw IoError(fmt::format("{}: {}", name, message));
}

}  // namespace

PgParameter::PgParameter(std::string_view text) {
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  for (size_t at = 0; at < text.size();) {
    utf8proc_int32_t code = 0;
    const auto length =
        utf8proc_iterate(bytes + at, static_cast<utf8proc_ssize_t>(text.size() - at), &code);
    if (length > 0 && code != 0) {
      text_.append(text.substr(at, static_cast<size_t>(length)));
      at += static_cast<size_t>(length);
    } else {
      text_ += fmt::format("\\x{:02x}", bytes[at++]);
    }
  }
}

PgParameter::PgParameter(std::span<const int64_t> numbers)
    : text_(fmt::format("{{{}}}", fmt::join(numbers, ","))) {}

// The shortest text that reads as the same float.
PgParameter::PgParameter(std::span<const float> vector)
    : text_(fmt::format("[{}]", fmt::join(vector, ","))) {}

PgResult::~PgResult() { pq().clear(result_); }

size_t PgResult::rows() const { return static_cast<size_t>(pq().ntuples(result_)); }

std::string PgResult::text(size_t row, size_t column) const {
  const int r = static_cast<int>(row), c = static_cast<int>(column);
  return {pq().getvalue(result_, r, c), static_cast<size_t>(pq().getlength(result_, r, c))};
}

int64_t PgResult::integer(size_t row, size_t column) const { return std::stoll(text(row, column)); }

double PgResult::number(size_t row, size_t column) const { return std::stod(text(row, column)); }

void PgResult::vector(size_t row, size_t column, std::span<float> vector) const {
  const std::string numbers = text(row, column);
  const char* at = numbers.data();
  const char* const end = at + numbers.size();
  for (float& value : vector) {
    if (at < end) ++at;  // over '[' or ','
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc())
      throw IoError(
          fmt::format("the database gave a vector that is not {} numbers", vector.size()));
    at = next;
  }
}

PgConnection::PgConnection(const std::string& place) : name_(place_name(place)) {
  const char* const keywords[] = {"connect_timeout", "dbname", "fallback_application_name",
                                  "client_encoding", nullptr};
  const char* const values[] = {"10", place.c_str(), "openclip", "UTF8", nullptr};
  connection_ = pq().connectdbParams(keywords, values, 1);
  if (pq().status(connection_) != CONNECTION_OK) {
    const std::string message = one_line(pq().errorMessage(connection_));
    pq().finish(connection_);
    throw IoError(fmt::format("{}: {}", name_, message));
  }
  pq().setNoticeProcessor(
      connection_, [](void*, const char*) {}, nullptr);
}

PgConnection::~PgConnection() { pq().finish(connection_); }

bool PgConnection::alive() const { return pq().status(connection_) == CONNECTION_OK; }

PgResult PgConnection::run(const std::string& sql, std::span<const PgParameter> parameters) {
  std::vector<const char*> values;
  for (const PgParameter& parameter : parameters) values.push_back(parameter.c_str());
  PGresult* result = pq().execParams(connection_, sql.c_str(), static_cast<int>(values.size()),
                                     nullptr, values.data(), nullptr, nullptr, 0);
  PgResult owned(result);
  const ExecStatusType status = pq().resultStatus(result);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) fail(name_, connection_, result);
  return owned;
}

PgTransaction::PgTransaction(PgConnection& connection, const char* begin)
    : connection_(connection) {
  connection_.run(begin);
}

PgTransaction::~PgTransaction() {
  if (!open_) return;
  try {
    connection_.run("ROLLBACK");
  } catch (const Error&) {
    // The session is gone, and its transaction with it.
  }
}

void PgTransaction::commit() {
  connection_.run("COMMIT");
  open_ = false;
}

std::unique_ptr<PgConnection> PgPool::take() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<PgConnection> session = std::move(idle_.back());
      idle_.pop_back();
      return session;
    }
  }
  return std::make_unique<PgConnection>(place_);
}

void PgPool::put(std::unique_ptr<PgConnection> session) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(session));
}

}  // namespace openclip
