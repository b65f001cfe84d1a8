#include "tasks/curate/neighbours.h"

#include <algorithm>

#include "kernels/similarity.h"
#include "tasks/features.h"

namespace openclip {
namespace {

constexpr int64_t kBlock = 512;
constexpr size_t kQueriesAtOnce = 32;  // whose bounds of a block fit the second cache
constexpr int64_t kSampleBlocks = 8;   // that directions are chosen by
constexpr int64_t kGrowth = 8;         // they are chosen again at so many times the rows

}  // namespace

// Searches for some queries on one thread.
class NeighbourSet::Search {
 public:
  Search(const NeighbourSet& set, std::span<const float> queries, std::span<Nearest> best)
      : set_(set), queries_(queries), best_(best), bounds_(best.size() * kBlock), found_(kBlock) {}

  // The last rows first: they have no outlines yet, and a near one spares looks at the others.
  void run() {
    const int64_t outlined = static_cast<int64_t>(set_.blocks_.size()) * kBlock;
    for (size_t q = 0; q < best_.size(); ++q)
      for (int64_t row = outlined; row < set_.size(); ++row) look_at(q, row);
    if (set_.blocks_.empty()) return;
    const std::vector<float> outlines = set_.outlines_.of(one_thread_, queries_);
    for (size_t block = 0; block < set_.blocks_.size(); ++block) look_through(block, outlines);
  }

 private:
  void look_through(size_t block, std::span<const float> outlines) {
    const auto n = static_cast<int64_t>(best_.size());
    linear(one_thread_, {outlines.data(), n, set_.outlines_.size()}, set_.blocks_[block],
           {bounds_.data(), n, kBlock});
    const float slack = set_.outlines_.slack();
    for (size_t q = 0; q < best_.size(); ++q) {
      const float* bounds = bounds_.data() + q * kBlock;
      const size_t count =
          kernels::find_above(bounds, kBlock, best_[q].cosine - slack, found_.data());
      for (size_t i = 0; i < count; ++i)
        if (bounds[found_[i]] > best_[q].cosine - slack)
          look_at(q, static_cast<int64_t>(block) * kBlock + found_[i]);
    }
  }

  void look_at(size_t q, int64_t row) {
    const float cosine = dot(queries_.data() + static_cast<int64_t>(q) * set_.dim_,
                             set_.rows_.data() + row * set_.dim_, set_.dim_);
    Nearest& best = best_[q];
    if (cosine > best.cosine || (cosine == best.cosine && row < best.row)) best = {cosine, row};
  }

  const Context one_thread_{1};
  const NeighbourSet& set_;
  std::span<const float> queries_;
  std::span<Nearest> best_;
  std::vector<float> bounds_;
  std::vector<uint32_t> found_;
};

std::vector<NeighbourSet::Nearest> NeighbourSet::nearest(const Context& context,
                                                         std::span<const float> queries) const {
  std::vector<Nearest> best(queries.size() / static_cast<size_t>(dim_));
  parallel_for(context.threads(), best.size(), 1, [&](size_t begin, size_t end, int) {
    for (size_t q = begin; q < end; q += kQueriesAtOnce) {
      const size_t count = std::min(kQueriesAtOnce, end - q);
      Search(*this, queries.subspan(q * dim_, count * dim_), std::span(best).subspan(q, count))
          .run();
    }
  });
  return best;
}

void NeighbourSet::add(const Context& context, std::span<const float> rows) {
  rows_.insert(rows_.end(), rows.begin(), rows.end());
  const int64_t count = size() / kBlock;
  if (count >= next_choice_) choose_directions(context, count);
  for (auto block = static_cast<int64_t>(blocks_.size()); block < count; ++block)
    blocks_.emplace_back(context, outlines_.of(context, block_rows(block)),
                         std::span<const float>{}, Linear::Shape{outlines_.size(), kBlock});
}

void NeighbourSet::choose_directions(const Context& context, int64_t blocks) {
  std::vector<float> sample;
  for (int64_t i = 0; i < std::min(blocks, kSampleBlocks); ++i) {
    const auto part = block_rows(i * blocks / std::min(blocks, kSampleBlocks));
    sample.insert(sample.end(), part.begin(), part.end());
  }
  outlines_ = Outlines(context, sample, dim_);
  blocks_.clear();
  next_choice_ = blocks * kGrowth;
}

std::span<const float> NeighbourSet::block_rows(int64_t block) const {
  return std::span(rows_).subspan(block * kBlock * dim_, kBlock * dim_);
}

}  // namespace openclip
