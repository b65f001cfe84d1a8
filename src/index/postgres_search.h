// Nearest vectors by pgvector. Rank 4.
#pragma once

#include <span>
#include <vector>

#include "index/index.h"
#include "index/postgres.h"

namespace openclip {

/// How the searches of a transaction go: through all vectors, or through the graph.
struct SearchWay {
  size_t width = 0;  // of searches in the graph, at most 1,000 (pgvector's limit); 0 = all vectors
};

/// For the transaction that is open.
void choose_way(PgConnection& session, const SearchWay& way);

/// The k best hits for one query, best first. Needs choose_way.
std::vector<Hit> nearest(PgConnection& session, const IndexSpace& space,
                         std::span<const float> vector, const IndexQuery& query);

}  // namespace openclip
