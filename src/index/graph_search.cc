#include <algorithm>
#include <atomic>

#include "index/graph.h"
#include "index/top_k.h"
#include "kernels/similarity.h"

namespace openclip {
namespace {

// Links may be written by another thread while a graph is built.
uint32_t load(const uint32_t& link) {
  return std::atomic_ref(const_cast<uint32_t&>(link)).load(std::memory_order_relaxed);
}

// Inner products of a query with nodes of a graph.
class Scorer {
 public:
  Scorer(const VectorFile& file, const float* query)
      : file_(file),
        query_(query),
        dim_(static_cast<size_t>(file.format().dim)),
        row_bytes_(file.format().row_bytes()) {}

  // Appends a node; its vector begins to come from memory.
  void add(uint32_t node) {
    const VectorBlock block = file_.block(node / kSlotsPerBlock);
    const uint8_t* row = block.rows + node % kSlotsPerBlock * row_bytes_;
    __builtin_prefetch(row);
    __builtin_prefetch(row + 64);
    nodes_.push_back(node);
    rows_.push_back(row);
    if (file_.format().dtype == DType::i8) scales_.push_back(block.scales[node % kSlotsPerBlock]);
  }

  // Scores of the nodes that were added since the last call.
  std::span<const float> scores() {
    scores_.resize(rows_.size());
    kernels::dot_scattered(query_, dim_, file_.format().dtype, rows_.data(), rows_.size(),
                           scores_.data());
    for (size_t i = 0; i < scales_.size(); ++i) scores_[i] *= scales_[i];
    return scores_;
  }
  uint32_t node(size_t i) const { return nodes_[i]; }

  void clear() {
    nodes_.clear();
    rows_.clear();
    scales_.clear();
  }

 private:
  const VectorFile& file_;
  const float* query_;
  size_t dim_, row_bytes_;
  std::vector<uint32_t> nodes_;
  std::vector<const uint8_t*> rows_;
  std::vector<float> scales_, scores_;
};

// The worst of a heap is in front with `better`, the best with this.
bool worse(const SlotHit& a, const SlotHit& b) { return better(b, a); }

}  // namespace

void GraphScratch::clear() {
  if (++round_ != 0) return;
  std::fill(seen_.begin(), seen_.end(), uint16_t{0});
  round_ = 1;
}

std::vector<SlotHit> search_level(const GraphView& graph, const VectorFile& file,
                                  const float* query, SlotHit start, uint32_t level, size_t width,
                                  GraphScratch& scratch, const SlotSet* allowed) {
  Scorer scorer(file, query);
  std::vector<SlotHit> open{start};  // a heap, the best in front
  TopK met(width);                   // bounds the search: nodes of any kind
  TopK found(allowed != nullptr ? width : 0);
  scratch.clear();
  scratch.enter(static_cast<uint32_t>(start.slot));
  const auto meet = [&](const SlotHit& hit) {
    met.add(hit);
    if (allowed != nullptr && allowed->has(hit.slot)) found.add(hit);
  };
  meet(start);
  while (!open.empty()) {
    std::pop_heap(open.begin(), open.end(), worse);
    const SlotHit at = open.back();
    open.pop_back();
    if (at.score < met.limit()) break;
    scorer.clear();
    for (const uint32_t& link : graph.list(static_cast<uint32_t>(at.slot), level)) {
      const uint32_t node = load(link);
      if (node >= graph.count) break;
      if (scratch.enter(node)) scorer.add(node);
    }
    const std::span<const float> scores = scorer.scores();
    for (size_t i = 0; i < scores.size(); ++i) {
      const SlotHit hit{scorer.node(i), scores[i]};
      if (!(hit.score > met.limit())) continue;
      open.push_back(hit);
      std::push_heap(open.begin(), open.end(), worse);
      meet(hit);
    }
  }
  return allowed != nullptr ? found.take() : met.take();
}

SlotHit descend(const GraphView& graph, const VectorFile& file, const float* query,
                uint32_t level) {
  Scorer scorer(file, query);
  scorer.add(graph.entry);
  SlotHit best{graph.entry, scorer.scores()[0]};
  for (uint32_t at = graph.max_level; at > level; --at) {
    for (bool moved = true; moved;) {
      moved = false;
      scorer.clear();
      for (const uint32_t& link : graph.list(static_cast<uint32_t>(best.slot), at)) {
        const uint32_t node = load(link);
        if (node >= graph.count) break;
        scorer.add(node);
      }
      const std::span<const float> scores = scorer.scores();
      for (size_t i = 0; i < scores.size(); ++i) {
        if (!(scores[i] > best.score)) continue;
        best = {scorer.node(i), scores[i]};
        moved = true;
      }
    }
  }
  return best;
}

std::vector<SlotHit> Graph::search(const VectorFile& file, std::span<const float> query, size_t k,
                                   size_t width, const SlotSet* allowed) const {
  if (view_.count == 0) return {};
  std::unique_ptr<GraphScratch> scratch;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      scratch = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!scratch) scratch = std::make_unique<GraphScratch>(view_.count);
  std::vector<SlotHit> hits =
      search_level(view_, file, query.data(), descend(view_, file, query.data(), 0), 0,
                   std::max(k, width), *scratch, allowed);
  if (hits.size() > k) hits.resize(k);
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(scratch));
  return hits;
}

}  // namespace openclip
