// A graph over the vectors of a file, in which the nearest are found without looking at all: HNSW.
// Rank 4. Source: Malkov, Yashunin, "Efficient and robust approximate nearest neighbor search using
// Hierarchical Navigable Small World graphs", arXiv:1603.09320.
//
// The graph holds no vectors: it takes 8 * links bytes per vector beside them, 128 at 16 links.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/mapped_file.h"
#include "index/exact_search.h"
#include "index/index.h"

namespace openclip {

inline constexpr uint32_t kNoNode = 0xFFFFFFFF;
inline constexpr uint32_t kMaxLinks = 1024;

/// Who is whose neighbour. Node i is slot i. Level 0 has all nodes, with up to 2 * links neighbours
/// each; each level above has fewer nodes, with up to `links`. A list ends at the first id that is
/// no node.
struct GraphView {
  uint32_t count = 0;  // nodes
  uint32_t links = 0;
  uint32_t entry = 0;  // a node of the highest level
  uint32_t max_level = 0;
  const uint32_t* base = nullptr;     // [count, 2 * links]
  const uint32_t* offsets = nullptr;  // [count]: first list in `upper`, or kNoNode
  const uint32_t* upper = nullptr;    // [upper_lists, links], a node's levels one after another
  uint32_t upper_lists = 0;

  /// Room for neighbours on a level; empty where the node is not on it.
  std::span<const uint32_t> list(uint32_t node, uint32_t level) const {
    if (level == 0) return {base + size_t{node} * 2 * links, size_t{2} * links};
    const uint64_t at = uint64_t{offsets[node]} + level - 1;
    if (offsets[node] == kNoNode || at >= upper_lists) return {};
    return {upper + at * links, links};
  }
};

/// Memory of a search: which nodes were seen. For one thread at a time.
class GraphScratch {
 public:
  explicit GraphScratch(size_t count) : seen_(count) {}
  void clear();
  /// Whether the node is new; it is not any more.
  bool enter(uint32_t node) {
    if (seen_[node] == round_) return false;
    seen_[node] = round_;
    return true;
  }
  size_t size() const { return seen_.size(); }

 private:
  std::vector<uint16_t> seen_;
  uint16_t round_ = 0;
};

/// The `width` best nodes that a search from `start` meets on a level, best first. query: [dim].
/// allowed: which may be results; others are only walked over. null = all.
std::vector<SlotHit> search_level(const GraphView& graph, const VectorFile& file,
                                  const float* query, SlotHit start, uint32_t level, size_t width,
                                  GraphScratch& scratch, const SlotSet* allowed = nullptr);

/// The node that greedy steps from the entry reach on `level`, through all levels above it.
SlotHit descend(const GraphView& graph, const VectorFile& file, const float* query, uint32_t level);

/// A graph file, mapped. Thread-safe.
class Graph {
 public:
  /// slots: of the vector file. Throws: NotFound, IoError, ParseError for a damaged header, other
  /// sizes than it says, and more nodes than slots. Links are checked where they are followed.
  Graph(const std::string& path, uint64_t slots);

  const GraphView& view() const { return view_; }
  const GraphQuality& quality() const { return quality_; }

  /// The k best slots that a search of this width finds, best first.
  std::vector<SlotHit> search(const VectorFile& file, std::span<const float> query, size_t k,
                              size_t width, const SlotSet* allowed = nullptr) const;

  /// Whether the checksum over all links is right; reads the whole file.
  bool intact() const;

 private:
  MappedFile file_;
  GraphView view_;
  GraphQuality quality_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<GraphScratch>> idle_;
};

/// Writes a graph atomically. Throws: IoError.
void write_graph(const std::string& path, const GraphView& graph, const GraphQuality& quality);

}  // namespace openclip
