#include "index/postgres_writer.h"

#include "base/error.h"
#include "index/place.h"
#include "index/postgres_tables.h"
#include "index/space.h"

namespace openclip {
namespace {

// PostgreSQL's texts cannot hold NUL, which JSON spells \\u0000.
std::string fields_without_nul(const Item& item) {
  std::string json = fields_text(item);
  for (size_t at = json.find('\\'); at != std::string::npos; at = json.find('\\', at + 2))
    if (json.compare(at, 6, "\\u0000") == 0) json.replace(at, 6, "\\ufffd");
  return json;
}

}  // namespace

PostgresWriter::PostgresWriter(const std::string& place, const IndexSpace& space)
    : session_(place), space_(ensure_tables(session_, space)) {
  check_space(session_.name(), space_, space);
  session_.run("SET synchronous_commit = off");  // until commit()
}

int64_t PostgresWriter::size() const {
  return session_.run("SELECT count(*) FROM openclip_items").integer(0, 0);
}

// Holds the source for this process until it ends, however it ends: two that index the same folder
// would each remove what the other one has just found.
int64_t PostgresWriter::source_id(std::string_view source) {
  if (last_source_id_ != 0 && last_source_ == source) return last_source_id_;
  const int64_t id = session_
                         .run(
                             "INSERT INTO openclip_sources(path, stamp) VALUES($1, '') "
                             "ON CONFLICT (path) DO UPDATE SET path = excluded.path RETURNING id",
                             {PgParameter(source)})
                         .integer(0, 0);
  if (!session_
           .run("SELECT pg_try_advisory_lock('openclip_sources'::regclass::oid::int, "
                "($1::bigint & 2147483647)::int)",
                {id})
           .boolean(0, 0))
    throw IoError(fmt::format("{}: another process is indexing {}; wait until it is done",
                              session_.name(), source));
  last_source_ = source;
  return last_source_id_ = id;
}

std::optional<KnownItem> PostgresWriter::find(std::string_view path) {
  const PgResult row = session_.run(
      "SELECT i.id, hash, size, mtime, s.path, title, fields FROM openclip_items i "
      "JOIN openclip_sources s ON s.id = source WHERE i.path = $1",
      {PgParameter(path)});
  if (row.rows() == 0) return std::nullopt;
  return KnownItem{row.integer(0, 0),
                   {row.text(0, 4), row.text(0, 1), row.integer(0, 2), row.integer(0, 3)},
                   row.text(0, 5),
                   row.text(0, 6)};
}

std::optional<std::vector<float>> PostgresWriter::find_content(std::string_view hash) {
  if (hash.empty()) return std::nullopt;
  const PgResult row = session_.run("SELECT vector FROM openclip_items WHERE hash = $1 LIMIT 1",
                                    {PgParameter(hash)});
  if (row.rows() == 0) return std::nullopt;
  std::vector<float> vector(static_cast<size_t>(space_.dim));
  row.vector(0, 0, vector);
  return vector;
}

int64_t PostgresWriter::put(const Item& item, const Origin& origin, std::span<const float> vector) {
  const std::vector<float> unit = unit_vector(vector, space_.dim);
  const int64_t source = source_id(origin.source);
  return session_
      .run(fmt::format(
               "INSERT INTO openclip_items(path, title, fields, source, hash, size, mtime, vector) "
               "VALUES($1, $2, $3::json, $4::bigint, $5, $6::bigint, $7::bigint, $8::{}) "
               "ON CONFLICT (path) DO UPDATE SET title = excluded.title, fields = excluded.fields, "
               "source = excluded.source, hash = excluded.hash, size = excluded.size, "
               "mtime = excluded.mtime, vector = excluded.vector RETURNING id",
               vector_type(space_)),
           {item.path, item.title, fields_without_nul(item), source, origin.hash, origin.size,
            origin.mtime, std::span<const float>(unit)})
      .integer(0, 0);
}

void PostgresWriter::describe(const Item& item, const Origin& origin) {
  const int64_t source = source_id(origin.source);
  session_.run(
      "UPDATE openclip_items SET title = $1, fields = $2::json, source = $3::bigint, hash = $4, "
      "size = $5::bigint, mtime = $6::bigint WHERE id = $7::bigint",
      {item.title, fields_without_nul(item), source, origin.hash, origin.size, origin.mtime,
       item.id});
}

void PostgresWriter::remove(int64_t id) {
  session_.run("DELETE FROM openclip_items WHERE id = $1::bigint", {id});
}

std::vector<int64_t> PostgresWriter::ids_of(std::string_view source) {
  const PgResult rows = session_.run(
      "SELECT id FROM openclip_items WHERE source = $1::bigint ORDER BY id", {source_id(source)});
  std::vector<int64_t> ids;
  for (size_t row = 0; row < rows.rows(); ++row) ids.push_back(rows.integer(row, 0));
  return ids;
}

std::string PostgresWriter::stamp(std::string_view source) {
  return session_
      .run("SELECT stamp FROM openclip_sources WHERE id = $1::bigint", {source_id(source)})
      .text(0, 0);
}

void PostgresWriter::set_stamp(std::string_view source, std::string_view stamp) {
  session_.run("UPDATE openclip_sources SET stamp = $1 WHERE id = $2::bigint",
               {PgParameter(stamp), source_id(source)});
}

// A transaction that waits for the disk takes all earlier ones with it: the log is one.
void PostgresWriter::commit() {
  PgTransaction transaction(session_);
  session_.run("SET LOCAL synchronous_commit = on");
  session_.run(
      "INSERT INTO openclip_state VALUES('committed', now()::text) "
      "ON CONFLICT (key) DO UPDATE SET value = excluded.value");
  transaction.commit();
}

}  // namespace openclip
