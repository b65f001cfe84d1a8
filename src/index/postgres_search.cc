#include "index/postgres_search.h"

#include <algorithm>

#include "base/error.h"
#include "index/postgres_condition.h"
#include "index/postgres_tables.h"

namespace openclip {

void choose_way(PgConnection& session, const SearchWay& way) {
  if (way.width == 0) {
    session.run("SET LOCAL enable_indexscan = off");
    return;
  }
  // The iterative scan goes on where what was left out (exclude) leaves fewer than k.
  session.run(
      "SELECT set_config('enable_seqscan', 'off', true), set_config('hnsw.ef_search', $1, true), "
      "set_config('hnsw.iterative_scan', 'strict_order', true)",
      {std::min<size_t>(way.width, 1000)});
}

std::vector<Hit> nearest(PgConnection& session, const IndexSpace& space,
                         std::span<const float> vector, const IndexQuery& query) {
  std::vector<PgParameter> parameters{PgParameter(vector)};
  std::string conditions = postgres_conditions(query.where, parameters);
  if (!query.exclude.empty()) {
    parameters.emplace_back(std::span(query.exclude));
    conditions += fmt::format(" AND id <> ALL(${}::bigint[])", parameters.size());
  }
  // <#> is the negative inner product.
  const PgResult rows =
      session.run(fmt::format("SELECT id, -(vector <#> $1::{0}) FROM openclip_items WHERE true{1} "
                              "ORDER BY vector <#> $1::{0} LIMIT {2}",
                              vector_type(space), conditions, query.k),
                  parameters);
  std::vector<Hit> hits;
  for (size_t row = 0; row < rows.rows(); ++row)
    hits.push_back({rows.integer(row, 0), static_cast<float>(rows.number(row, 1))});
  std::stable_sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) {
    return a.score != b.score ? a.score > b.score : a.id < b.id;
  });
  return hits;
}

}  // namespace openclip
