#include "tasks/curate/outlines.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "tasks/features.h"

namespace openclip {
namespace {

constexpr int64_t kDirections = 31;  // and the rest: 32 numbers
constexpr int kIterations = 6;       // bounds get no closer with more

// sum over rows of x x^T, [dim, dim].
std::vector<float> second_moments(const Context& context, std::span<const float> rows,
                                  int64_t dim) {
  const int64_t count = static_cast<int64_t>(rows.size()) / dim;
  std::vector<float> columns(rows.size());
  for (int64_t i = 0; i < count; ++i)
    for (int64_t j = 0; j < dim; ++j) columns[j * count + i] = rows[i * dim + j];
  std::vector<float> moments(static_cast<size_t>(dim * dim));
  linear(context, {columns.data(), dim, count}, Linear(context, columns, {}, {count, dim}),
         {moments.data(), dim, dim});
  return moments;
}

// Gram and Schmidt, the second time for the digits that the first loses. A row without a direction
// of its own becomes zero, which adds nothing to a head.
void make_orthonormal(std::span<float> rows, int64_t dim) {
  const int64_t count = static_cast<int64_t>(rows.size()) / dim;
  for (int64_t r = 0; r < count; ++r) {
    float* row = rows.data() + r * dim;
    float length = 0;
    for (int pass = 0; pass < 2; ++pass) {
      for (int64_t before = 0; before < r; ++before) {
        const float* other = rows.data() + before * dim;
        const float along = dot(row, other, dim);
        for (int64_t i = 0; i < dim; ++i) row[i] -= along * other[i];
      }
      length = std::sqrt(dot(row, row, dim));
      if (length > 0)
        for (int64_t i = 0; i < dim; ++i) row[i] /= length;
    }
    if (length < 0.9f) std::fill_n(row, dim, 0.0f);  // what was left is rounding
  }
}

// Orthonormal rows that hold nearly as much of the sample as any, by power iteration.
std::vector<float> leading_directions(const Context& context, std::span<const float> sample,
                                      int64_t dim) {
  const int64_t count = std::min(kDirections, dim);
  const Linear moments(context, second_moments(context, sample, dim), {}, {dim, dim});
  std::vector<float> directions(static_cast<size_t>(count * dim)), next(directions.size());
  std::minstd_rand random(1);
  for (float& x : directions) x = static_cast<float>(random()) / std::minstd_rand::max() - 0.5f;
  make_orthonormal(directions, dim);
  for (int i = 0; i < kIterations; ++i) {
    linear(context, {directions.data(), count, dim}, moments, {next.data(), count, dim});
    make_orthonormal(next, dim);
    directions.swap(next);
  }
  return directions;
}

}  // namespace

Outlines::Outlines(const Context& context, std::span<const float> sample, int64_t dim)
    : dim_(dim),
      directions_(context, leading_directions(context, sample, dim), {},
                  {dim, std::min(kDirections, dim)}) {}

float Outlines::slack() const {
  return static_cast<float>(dim_) * std::numeric_limits<float>::epsilon();
}

std::vector<float> Outlines::of(const Context& context, std::span<const float> rows) const {
  const int64_t n = static_cast<int64_t>(rows.size()) / dim_, heads = directions_.out();
  std::vector<float> head(static_cast<size_t>(n * heads)), outlines;
  linear(context, {rows.data(), n, dim_}, directions_, {head.data(), n, heads});
  outlines.reserve(static_cast<size_t>(n * size()));
  for (int64_t i = 0; i < n; ++i) {
    const float* own = head.data() + i * heads;
    outlines.insert(outlines.end(), own, own + heads);
    const float rest = 1 - dot(own, own, heads);
    outlines.push_back(std::sqrt(std::max(0.0f, rest) + slack()));
  }
  return outlines;
}

}  // namespace openclip
