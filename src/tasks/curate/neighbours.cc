#include "tasks/curate/neighbours.h"

#include <algorithm>

namespace openclip {
namespace {

constexpr int64_t kBlock = 2048;

}  // namespace

std::vector<NeighbourSet::Nearest> NeighbourSet::nearest(const Context& context,
                                                         std::span<const float> queries) const {
  const int64_t n = static_cast<int64_t>(queries.size()) / dim_;
  std::vector<Nearest> best(static_cast<size_t>(n));
  if (n == 0) return best;
  std::vector<float> scores;
  int64_t first = 0;
  const auto look = [&](const Linear& block) {
    const int64_t rows = block.out();
    scores.resize(static_cast<size_t>(n * rows));
    linear(context, {queries.data(), n, dim_}, block, {scores.data(), n, rows});
    for (int64_t i = 0; i < n; ++i) {
      const float* row = scores.data() + i * rows;
      const float* top = std::max_element(row, row + rows);
      if (*top > best[i].cosine) best[i] = {*top, first + (top - row)};
    }
    first += rows;
  };
  for (const Linear& block : blocks_) look(block);
  if (!loose_.empty())
    look(Linear(context, loose_, {}, {dim_, static_cast<int64_t>(loose_.size()) / dim_}));
  return best;
}

void NeighbourSet::add(const Context& context, std::span<const float> rows) {
  loose_.insert(loose_.end(), rows.begin(), rows.end());
  const size_t block = static_cast<size_t>(kBlock * dim_);
  size_t done = 0;
  for (; loose_.size() - done >= block; done += block) {
    blocks_.emplace_back(context, std::span<const float>(loose_).subspan(done, block),
                         std::span<const float>{}, Linear::Shape{dim_, kBlock});
    packed_rows_ += kBlock;
  }
  loose_.erase(loose_.begin(), loose_.begin() + static_cast<long>(done));
}

}  // namespace openclip
