#include "index/postgres_index.h"

#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "index/place.h"
#include "index/postgres_condition.h"
#include "index/postgres_graph.h"
#include "index/postgres_search.h"
#include "index/postgres_tables.h"

namespace openclip {
namespace {

Item read_item(const PgResult& rows, size_t row) {
  Item item{rows.integer(row, 0), rows.text(row, 1), rows.text(row, 2)};
  Json fields = Json::parse(rows.text(row, 3), nullptr, false);
  if (fields.is_object()) item.fields = std::move(fields);
  return item;
}

// The row of each id, which stands in column 0.
std::unordered_map<int64_t, size_t> rows_by_id(const PgResult& rows) {
  std::unordered_map<int64_t, size_t> row_of;
  for (size_t row = 0; row < rows.rows(); ++row) row_of[rows.integer(row, 0)] = row;
  return row_of;
}

}  // namespace

PostgresIndex::PostgresIndex(const std::string& place)
    : name_(place_name(place)),
      pool_(place),
      space_(pool_.with([](PgConnection& session) { return read_space(session); })) {}

int64_t PostgresIndex::size() const {
  return pool_.with([](PgConnection& session) {
    return session.run("SELECT count(*) FROM openclip_items").integer(0, 0);
  });
}

std::optional<GraphQuality> PostgresIndex::graph() const {
  return pool_.with([](PgConnection& session) { return read_graph_quality(session); });
}

std::vector<std::vector<Hit>> PostgresIndex::search(const Context&, std::span<const float> queries,
                                                    const IndexQuery& query) const {
  const auto dim = static_cast<size_t>(space_.dim);
  check_arg(queries.size() % dim == 0, "[search] queries of {} floats are not rows of {}",
            queries.size(), dim);
  return pool_.with([&](PgConnection& session) {
    SearchWay way;
    if (!query.exact && query.where.empty())
      if (const auto quality = read_graph_quality(session))
        way.width =
            query.width > 0 ? query.width : quality->width * std::max<size_t>(1, query.k / 10);
    const PgTransaction transaction(session);
    choose_way(session, way);
    std::vector<std::vector<Hit>> results;
    for (size_t at = 0; at < queries.size(); at += dim)
      results.push_back(nearest(session, space_, queries.subspan(at, dim), query));
    return results;
  });
}

std::vector<std::optional<Item>> PostgresIndex::items(std::span<const int64_t> ids) const {
  return pool_.with([&](PgConnection& session) {
    const PgResult rows = session.run(
        "SELECT id, path, title, fields FROM openclip_items WHERE id = ANY($1::bigint[])", {ids});
    const auto row_of = rows_by_id(rows);
    std::vector<std::optional<Item>> found;
    for (const int64_t id : ids) {
      const auto row = row_of.find(id);
      found.emplace_back();
      if (row != row_of.end()) found.back() = read_item(rows, row->second);
    }
    return found;
  });
}

std::vector<Item> PostgresIndex::items_after(int64_t after, size_t count) const {
  return pool_.with([&](PgConnection& session) {
    const PgResult rows = session.run(
        "SELECT id, path, title, fields FROM openclip_items WHERE id > $1::bigint ORDER BY id "
        "LIMIT $2::bigint",
        {after, count});
    std::vector<Item> found;
    for (size_t row = 0; row < rows.rows(); ++row) found.push_back(read_item(rows, row));
    return found;
  });
}

std::vector<float> PostgresIndex::vectors(std::span<const int64_t> ids) const {
  return pool_.with([&](PgConnection& session) {
    const auto dim = static_cast<size_t>(space_.dim);
    const PgResult rows =
        session.run("SELECT id, vector FROM openclip_items WHERE id = ANY($1::bigint[])", {ids});
    const auto row_of = rows_by_id(rows);
    std::vector<float> found(ids.size() * dim);
    for (size_t i = 0; i < ids.size(); ++i) {
      const auto row = row_of.find(ids[i]);
      if (row == row_of.end())
        throw NotFound(fmt::format("{}: no item has the id {}", name_, ids[i]));
      rows.vector(row->second, 1, std::span(found).subspan(i * dim, dim));
    }
    return found;
  });
}

std::optional<int64_t> PostgresIndex::find_path(std::string_view path) const {
  return pool_.with([&](PgConnection& session) -> std::optional<int64_t> {
    const PgResult rows =
        session.run("SELECT id FROM openclip_items WHERE path = $1", {PgParameter(path)});
    if (rows.rows() == 0) return std::nullopt;
    return rows.integer(0, 0);
  });
}

}  // namespace openclip
