// How threads share out a matrix product. What each of them does is in simd/matmul.cc.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <deque>
#include <numeric>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/parallel.h"
#include "base/spin.h"
#include "kernels/isa.h"
#include "kernels/share_work.h"
#include "kernels/simd/matmul_part.h"
#include "kernels/strassen.h"

namespace openclip::kernels {
namespace {

// A copy of A that all threads share must stay in the last cache.
constexpr size_t kMostLeftUnits = size_t{3} << 19;  // 6 MiB

// Columns of a step. Fewer cost more than the threads' evenness is worth, more are not faster:
// docs/kernels.md.
constexpr size_t kLeastColumns = 32, kMostColumns = 64;

// Threads are laid over rows and panels as a grid of `rows` x `panels`.
struct Grid {
  size_t rows, panels;
};

// Many rows of a matrix that is not much wider than they are many are split by rows: each thread
// copies its own rows of A, once, and reads all of the weights. Else the grid with the smallest
// largest part, and among equals the one that splits panels, since then no two threads read the
// same weights, which come from memory. Measured: docs/kernels.md.
Grid choose_grid(size_t threads, size_t m, size_t panels) {
  constexpr size_t kManyTiles = 16;  // for each thread: a block of A
  const size_t row_tiles = ceil_div(m, matmul_tile_rows());
  if (row_tiles >= kManyTiles * threads && panels * panel_width() <= 4 * m) return {threads, 1};
  Grid best{1, 1};
  size_t best_cost = row_tiles * panels;
  for (size_t r = std::min(threads, row_tiles); r >= 1; --r) {
    const size_t p = std::min(threads / r, panels);
    const size_t cost = ceil_div(row_tiles, r) * ceil_div(panels, p);
    if (cost <= best_cost) {
      best = {r, p};
      best_cost = cost;
    }
  }
  return best;
}

struct Product {
  const RowSource& a;
  std::span<const MatmulTarget> targets;
  size_t m;

  PanelType type() const { return targets.front().b.type; }
  size_t k() const { return targets.front().b.k; }
  size_t panels() const {
    size_t count = 0;
    for (const MatmulTarget& target : targets) count += ceil_div(target.b.n, panel_width());
    return count;
  }
};

// The parts of a product, one for each thread.
std::vector<MatmulPart> parts_of(const Product& product, const Grid& grid) {
  const size_t m = product.m, panels = product.panels();
  std::vector<MatmulPart> parts;
  for (size_t r = 0; r < grid.rows; ++r)
    for (size_t p = 0; p < grid.panels; ++p)
      parts.push_back({m * r / grid.rows, m * (r + 1) / grid.rows, panels * p / grid.panels,
                       panels * (p + 1) / grid.panels});
  return parts;
}

// Each thread copies the rows of A that it multiplies; steps are tiles of rows.
void multiply_by_rows(const Product& product, const std::vector<MatmulPart>& parts) {
  const size_t tile = matmul_tile_rows();
  const auto tiles_of = [&](const MatmulPart& part) {
    return ceil_div(part.row_end - part.row_begin, tile);
  };
  std::deque<StealQueue> queues;
  for (const MatmulPart& part : parts) queues.emplace_back(0, tiles_of(part));
  // Fewer tiles than four read the weights too often.
  const StepSize size{4, matmul_block_tiles(product.type(), product.k())};
  for_parts(parts.size(), [&](size_t own) {
    work_through(queues, own, size, [&](size_t i, const StealQueue::Range& steps) {
      const MatmulPart& all = parts[i];
      const size_t rows = all.row_end - all.row_begin, tiles = tiles_of(all);
      MatmulPart part = all;
      part.row_begin = all.row_begin + rows * steps.begin / tiles;
      part.row_end = all.row_begin + rows * steps.end / tiles;
      multiply_part(product.a, product.targets, part, nullptr);
    });
  });
}

// The copy of A that all threads make together: each takes the next tile that nobody has begun.
class LeftFill {
 public:
  // row_parts: one part for each range of rows.
  LeftFill(const Product& product, const LeftCopy& left, std::vector<MatmulPart> row_parts)
      : product_(product), left_(left), row_parts_(std::move(row_parts)) {
    for (const MatmulPart& part : row_parts_)
      tiles_.push_back(left_tiles(product.type(), product.k(), part));
    all_tiles_ = std::accumulate(tiles_.begin(), tiles_.end(), size_t{0});
  }

  // Helps, and returns when the copy is complete. On each thread of the product.
  void run() {
    for (size_t tile; (tile = begun_.fetch_add(1, std::memory_order_relaxed)) < all_tiles_;) {
      size_t part = 0;
      for (; tile >= tiles_[part]; ++part) tile -= tiles_[part];
      fill_left(product_.a, product_.type(), product_.k(), row_parts_[part], tile, left_);
      filled_.fetch_add(1, std::memory_order_release);
    }
    const auto complete = [&] { return filled_.load(std::memory_order_acquire) == all_tiles_; };
    while (!spin_briefly(complete)) std::this_thread::yield();
  }

 private:
  const Product& product_;
  const LeftCopy& left_;
  std::vector<MatmulPart> row_parts_;
  std::vector<size_t> tiles_;  // of each
  size_t all_tiles_ = 0;
  std::atomic<size_t> begun_{0}, filled_{0};
};

// Threads share a copy of A; steps are panels.
void multiply_by_panels(const Product& product, const std::vector<MatmulPart>& parts,
                        const Grid& grid, const LeftSize& size) {
  thread_local Scratch scratch;
  const size_t m = product.m, scales = size.k_blocks * m;
  float* const units = scratch.floats(size.units * m + 2 * scales);
  float* const scale = units + size.units * m;
  const LeftCopy left{units, scale, scale + scales, m};
  std::vector<MatmulPart> row_parts;
  for (size_t r = 0; r < grid.rows; ++r) row_parts.push_back(parts[r * grid.panels]);
  LeftFill fill(product, left, std::move(row_parts));
  std::deque<StealQueue> queues;
  for (const MatmulPart& part : parts) queues.emplace_back(part.panel_begin, part.panel_end);
  const size_t width = panel_width();
  const StepSize step{std::max<size_t>(1, kLeastColumns / width), kMostColumns / width};
  for_parts(parts.size(), [&](size_t own) {
    fill.run();
    work_through(queues, own, step, [&](size_t i, const StealQueue::Range& steps) {
      MatmulPart part = parts[i];
      part.panel_begin = steps.begin;
      part.panel_end = steps.end;
      multiply_part(product.a, product.targets, part, &left);
    });
  });
}

}  // namespace

void MatrixRows::copy(size_t row_begin, size_t rows, size_t k_begin, size_t k_count, float* to,
                      size_t stride) const noexcept {
  for (size_t i = 0; i < rows; ++i)
    std::memcpy(to + i * stride, a_ + (row_begin + i) * stride_ + k_begin, k_count * sizeof(float));
}

void matmul(int threads, size_t m, const RowSource& a, const PackedMatrix& b,
            const MatmulOutput& to, MatmulWay way) {
  const MatmulTarget target{b, to};
  matmul(threads, m, a, {&target, 1}, way);
}

void matmul(int threads, size_t m, const RowSource& a, std::span<const MatmulTarget> targets,
            MatmulWay way) {
  const Product product{a, targets, m};
  if (targets.empty() || m == 0) return;
  if (product.type() == PanelType::bf16_pairs && !dot_products().bf16)
    throw Unsupported("[matmul] this processor does not multiply bfloat16");
  current_isa();
  const size_t panels = product.panels();
  if (panels == 0) return;
  if (way == MatmulWay::strassen && strassen_pays(m, targets))
    return strassen_matmul(threads, m, a, targets);
  const Grid grid = choose_grid(static_cast<size_t>(std::max(threads, 1)), m, panels);
  const std::vector<MatmulPart> parts = parts_of(product, grid);
  if (parts.size() == 1) return multiply_part(a, targets, parts[0], nullptr);
  const LeftSize left = left_size(product.type(), product.k());
  if (grid.panels > 1 && m * left.units <= kMostLeftUnits)
    return multiply_by_panels(product, parts, grid, left);
  multiply_by_rows(product, parts);
}

}  // namespace openclip::kernels
