// pgvector's graph (HNSW) over the vectors of an index. Rank 4.
#pragma once

#include <optional>
#include <string>

#include "index/graph_build.h"
#include "index/postgres.h"

namespace openclip {

/// Builds the graph anew and measures it: 200 queries, each halfway between two stored vectors, so
/// that none of them is in the graph. What is added later joins the graph by itself.
/// Throws: InvalidArgument for links or widths that pgvector does not take (2 to 100; 2 * links to
/// 1,000) and vectors that are too long for it (2,000 numbers in f32, 4,000 in f16); IoError.
GraphReport build_database_graph(const std::string& place, const GraphOptions& options);

/// What was measured; nullopt = no graph.
std::optional<GraphQuality> read_graph_quality(PgConnection& session);

}  // namespace openclip
