#include "index/postgres_graph.h"

#include <algorithm>

#include "base/error.h"
#include "index/postgres_search.h"
#include "index/postgres_tables.h"
#include "index/space.h"

namespace openclip {
namespace {

constexpr uint32_t kWidest = 1000;  // pgvector's limit

std::vector<float> test_queries(PgConnection& session, size_t dim) {
  const PgResult rows = session.run(fmt::format(
      "SELECT vector FROM openclip_items ORDER BY hashint8(id) LIMIT {}", 2 * kGraphTests));
  std::vector<float> queries, a(dim), b(dim);
  for (size_t row = 0; row + 1 < rows.rows(); row += 2) {
    rows.vector(row, 0, a);
    rows.vector(row + 1, 0, b);
    for (size_t i = 0; i < dim; ++i) a[i] += b[i];
    const std::vector<float> unit = unit_vector(a, static_cast<int64_t>(dim));
    queries.insert(queries.end(), unit.begin(), unit.end());
  }
  return queries;
}

std::vector<std::vector<Hit>> search_all(PgConnection& session, const IndexSpace& space,
                                         std::span<const float> queries, uint32_t width) {
  const PgTransaction transaction(session);
  choose_way(session, {width});
  const auto dim = static_cast<size_t>(space.dim);
  std::vector<std::vector<Hit>> found;
  for (size_t at = 0; at < queries.size(); at += dim)
    found.push_back(nearest(session, space, queries.subspan(at, dim), {.k = kGraphTestNearest}));
  return found;
}

double recall(std::span<const std::vector<Hit>> exact, std::span<const std::vector<Hit>> found) {
  size_t wanted = 0, got = 0;
  for (size_t i = 0; i < exact.size(); ++i)
    for (const Hit& hit : exact[i]) {
      ++wanted;
      got += std::any_of(found[i].begin(), found[i].end(),
                         [&](const Hit& other) { return other.id == hit.id; });
    }
  return wanted == 0 ? 1 : static_cast<double>(got) / static_cast<double>(wanted);
}

// The narrowest search that finds enough, and what it finds.
GraphQuality measure(PgConnection& session, const IndexSpace& space, double aim) {
  const std::vector<float> queries = test_queries(session, static_cast<size_t>(space.dim));
  const auto exact = search_all(session, space, queries, 0);
  GraphQuality quality{0, 8};
  do {
    quality.width = std::min(kWidest, quality.width + std::max<uint32_t>(8, quality.width / 2));
    quality.recall =
        static_cast<float>(recall(exact, search_all(session, space, queries, quality.width)));
  } while (quality.recall < aim && quality.width < kWidest);
  return quality;
}

}  // namespace

GraphReport build_database_graph(const std::string& place, const GraphOptions& options) {
  check_arg(options.links >= 2 && options.links <= 100,
            "[graph] pgvector takes 2 to 100 links, not {}", options.links);
  check_arg(options.width >= 2 * options.links && options.width <= kWidest,
            "[graph] pgvector takes a width of {} (twice the links) to {}, not {}",
            2 * options.links, kWidest, options.width);
  PgConnection session(place);
  const IndexSpace space = read_space(session);
  const int64_t longest = space.dtype == DType::f32 ? 2000 : 4000;
  check_arg(space.dim <= longest, "[graph] pgvector links vectors of at most {} numbers as {}",
            longest, dtype_name(space.dtype));
  {
    PgTransaction transaction(session);
    session.run("DROP INDEX IF EXISTS openclip_items_graph");
    session.run(
        fmt::format("CREATE INDEX openclip_items_graph ON openclip_items USING hnsw (vector "
                    "{}_ip_ops) WITH (m = {}, ef_construction = {})",
                    vector_type(space), options.links, options.width));
    transaction.commit();
  }
  GraphReport report;
  report.quality = measure(session, space, options.recall);
  write_state(session, "graph_recall", fmt::format("{}", report.quality.recall));
  write_state(session, "graph_width", std::to_string(report.quality.width));
  report.nodes = session.run("SELECT count(*) FROM openclip_items").integer(0, 0);
  report.bytes = session.run("SELECT pg_relation_size('openclip_items_graph')").integer(0, 0);
  return report;
}

std::optional<GraphQuality> read_graph_quality(PgConnection& session) {
  // One question: every search asks it.
  const PgResult rows = session.run(
      "SELECT r.value, w.value FROM openclip_state r, openclip_state w "
      "WHERE r.key = 'graph_recall' AND w.key = 'graph_width' "
      "AND to_regclass('openclip_items_graph') IS NOT NULL");
  if (rows.rows() == 0) return std::nullopt;
  return GraphQuality{static_cast<float>(rows.number(0, 0)),
                      static_cast<uint32_t>(rows.integer(0, 1))};
}

}  // namespace openclip
