#include "index/postgres_tables.h"

#include "base/error.h"

namespace openclip {
namespace {

constexpr const char* kPostgresFormat = "1";
constexpr int64_t kMostNumbers = 16000;  // pgvector's limit

// `fields` is json, not jsonb: it keeps the text, so that a change can be told.
constexpr const char* kPostgresTables[] = {
    R"sql(CREATE TABLE openclip_state(key text PRIMARY KEY, value text NOT NULL))sql",
    R"sql(CREATE TABLE openclip_sources(
  id bigserial PRIMARY KEY, path text NOT NULL UNIQUE, stamp text NOT NULL))sql",
    R"sql(CREATE TABLE openclip_items(
  id bigserial PRIMARY KEY,
  path text NOT NULL UNIQUE,
  title text NOT NULL,
  fields json NOT NULL,
  source bigint NOT NULL REFERENCES openclip_sources(id),
  hash text NOT NULL,
  size bigint NOT NULL,
  mtime bigint NOT NULL,
  vector {} NOT NULL))sql",
    R"sql(CREATE INDEX openclip_items_hash ON openclip_items(hash) WHERE hash <> '')sql",
    R"sql(CREATE INDEX openclip_items_source ON openclip_items(source))sql"};

bool has_tables(PgConnection& connection) {
  return connection.run("SELECT to_regclass('openclip_state') IS NOT NULL").boolean(0, 0);
}

}  // namespace

const char* vector_type(const IndexSpace& space) {
  check_arg(space.dtype == DType::f32 || space.dtype == DType::f16,
            "a database keeps vectors as f32 or f16, not as {}; choose another --dtype",
            dtype_name(space.dtype));
  check_arg(space.dim >= 1 && space.dim <= kMostNumbers,
            "a database keeps vectors of 1 to {} numbers, not of {}", kMostNumbers, space.dim);
  return space.dtype == DType::f32 ? "vector" : "halfvec";
}

IndexSpace ensure_tables(PgConnection& connection, const IndexSpace& space) {
  PgTransaction transaction(connection);
  // One at a time; the number only has to be the same for all.
  connection.run("SELECT pg_advisory_xact_lock(0x6F70656E636C6970)");
  if (!has_tables(connection)) {
    const std::string type = fmt::format("{}({})", vector_type(space), space.dim);
    connection.run("CREATE EXTENSION IF NOT EXISTS vector");
    for (const char* table : kPostgresTables)
      connection.run(fmt::format(fmt::runtime(table), type));
    write_state(connection, "format", kPostgresFormat);
    write_state(connection, "model", space.model);
    write_state(connection, "model_key", space.model_key);
    write_state(connection, "dim", std::to_string(space.dim));
    write_state(connection, "dtype", std::string(dtype_name(space.dtype)));
  }
  IndexSpace there = read_space(connection);
  transaction.commit();
  return there;
}

IndexSpace read_space(PgConnection& connection) {
  const auto state = [&](const char* key) {
    if (auto value = read_state(connection, key)) return *value;
    throw IoError(fmt::format("{}: openclip_state has no '{}'; build the index anew",
                              connection.name(), key));
  };
  if (const std::string format = state("format"); format != kPostgresFormat)
    throw IoError(fmt::format("{}: an index of format {}, and this program reads {}",
                              connection.name(), format, kPostgresFormat));
  const auto dtype = dtype_from_name(state("dtype"));
  return {state("model"), state("model_key"), std::stoll(state("dim")), dtype.value_or(DType::f32)};
}

std::optional<std::string> read_state(PgConnection& connection, const char* key) {
  const PgResult rows =
      connection.run("SELECT value FROM openclip_state WHERE key = $1", {std::string(key)});
  if (rows.rows() == 0) return std::nullopt;
  return rows.text(0, 0);
}

void write_state(PgConnection& connection, const char* key, const std::string& value) {
  connection.run(
      "INSERT INTO openclip_state VALUES($1, $2) ON CONFLICT (key) DO UPDATE SET value = $2",
      {key, value});
}

}  // namespace openclip
