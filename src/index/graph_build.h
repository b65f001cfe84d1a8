// Building the graph of an index. Rank 4.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "index/graph.h"

namespace openclip {

struct GraphOptions {
  uint32_t links = 16;   // neighbours that a node chooses on each level
  uint32_t width = 200;  // of the searches for them
  double recall = 0.97;  // what the test aims at; searches are made as wide as it takes
};

// A graph is tested with so many queries, for the recall of so many nearest.
inline constexpr size_t kGraphTests = 200, kGraphTestNearest = 10;

struct GraphReport {
  int64_t nodes = 0;
  int64_t bytes = 0;  // of the graph's file
  GraphQuality quality;
};

/// Links the slots of the file and tests the result: the 10 nearest of 200 of its vectors, which
/// join the graph only after that (a vector that is in it finds its neighbours more easily than a
/// query does), by the graph and exactly; the search is made wider until `recall` of them are
/// found. More threads build another graph of the same quality. on_progress: nodes so far; may be
/// null. Throws: InvalidArgument for links outside [2, 1024]; IoError.
GraphReport build_graph(const Context& context, const VectorFile& file, const std::string& path,
                        const GraphOptions& options,
                        const std::function<void(int64_t nodes)>& on_progress = {});

/// As build_index_graph, for a folder.
GraphReport build_folder_graph(const Context& context, const std::string& folder,
                               const GraphOptions& options,
                               const std::function<void(int64_t nodes)>& on_progress = {});

/// Gives the index a graph of what is committed, in place of the one it has. Errors: as
/// build_graph and open_index. A database tells no progress.
GraphReport build_index_graph(const Context& context, const std::string& place,
                              const GraphOptions& options,
                              const std::function<void(int64_t nodes)>& on_progress = {});

}  // namespace openclip
