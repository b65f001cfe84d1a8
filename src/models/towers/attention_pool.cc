#include "models/towers/attention_pool.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/parallel.h"
#include "models/towers/positions.h"

namespace openclip {

namespace {

// to += row / |row|.
void add_direction(const float* row, std::span<float> to) {
  double square = 0;
  for (size_t i = 0; i < to.size(); ++i) square += static_cast<double>(row[i]) * row[i];
  const auto scale = static_cast<float>(1 / std::max(std::sqrt(square), 1e-12));
  for (size_t i = 0; i < to.size(); ++i) to[i] += scale * row[i];
}

}  // namespace

AttentionPool::AttentionPool(const Context& context, const Weights& weights,
                             const std::string& name, int64_t heads)
    : positions_(weights.tensor(context, name + ".positional_embedding")),
      q_(weights.linear(context, name + ".q_proj")),
      c_(weights.linear(context, name + ".c_proj")),
      mean_query_(context, weights,
                  {.keys = name + ".k_proj.weight",
                   .values = name + ".v_proj.weight",
                   .value_bias = name + ".v_proj.bias",
                   .width = q_.out()},
                  heads) {}

void AttentionPool::embed(const Context& context, ConstMatrix x, Matrix tokens) const {
  const ConstMatrix positions = positions_.matrix();
  const int64_t each = positions.rows, pixels = each - 1;
  parallel_for(context.threads(), static_cast<size_t>(tokens.rows / each), 1,
               [&](size_t begin, size_t end, int) {
                 for (auto i = static_cast<int64_t>(begin); i < static_cast<int64_t>(end); ++i) {
                   const ConstMatrix from = x.row_range(i * pixels, pixels);
                   const Matrix first = tokens.row_range(i * each, 1);
                   kernels::mean_of_rows(from, first.data);
                   kernels::add_rows(ConstMatrix(first), positions, first);
                   kernels::add_rows(from, positions.row_range(1, pixels),
                                     tokens.row_range(i * each + 1, pixels));
                 }
               });
}

void AttentionPool::run(const Context& context, Workspace& workspace, ConstMatrix x,
                        Matrix out) const {
  const int64_t count = out.rows, each = positions_.shape()[0], channels = q_.out();
  const Workspace::Frame frame(workspace);
  const Matrix tokens = workspace.take(count * each, channels);
  const Matrix q = workspace.take(count, channels);
  const Matrix queries = workspace.take(count * mean_query_.heads(), channels);
  embed(context, x, tokens);
  linear(context, tokens.every(each, count), q_, q);
  mean_query_.project(context, q, queries);
  std::vector<AttentionSpan> spans;
  const auto keys = static_cast<size_t>(each);
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) spans.push_back({i, 1, i * keys, keys});
  mean_query_.attend(context, workspace, queries, tokens, std::span<const AttentionSpan>(spans), q);
  linear(context, q, c_, out);
}

void AttentionPool::run_values(const Context& context, Workspace& workspace, ConstMatrix x,
                               Matrix out) const {
  const Workspace::Frame frame(workspace);
  const Matrix v = workspace.take(x.rows, q_.out());
  mean_query_.values(context, x, v);
  linear(context, v, c_, out);
}

void AttentionPool::run_neighbourhoods(const Context& context, Workspace& workspace,
                                       const Images& x, Matrix out) const {
  const int64_t side = square_root(positions_.shape()[0] - 1);
  // Where squares begin; a map that is smaller than one is filled up by its border.
  const int64_t down = std::max<int64_t>(1, x.height - side + 1);
  const int64_t across = std::max<int64_t>(1, x.width - side + 1);
  const size_t row_bytes = static_cast<size_t>(x.channels()) * sizeof(float);
  const Workspace::Frame frame(workspace);
  const Matrix pooled = workspace.take(down * across, out.cols);
  {
    // Squares that are worked on at once: some MB, whatever the size of the map.
    constexpr int64_t kAtOnce = 64;
    const Workspace::Frame inner(workspace);
    const Matrix pixels =
        workspace.take(std::min(kAtOnce, pooled.rows) * side * side, x.channels());
    for (int64_t begin = 0; begin < pooled.rows; begin += kAtOnce) {
      const int64_t count = std::min(kAtOnce, pooled.rows - begin);
      for (int64_t i = 0; i < count * side * side; ++i) {
        const int64_t square = begin + i / (side * side), p = i % (side * side);
        const int64_t from_y = std::min(square / across + p / side, x.height - 1);
        const int64_t from_x = std::min(square % across + p % side, x.width - 1);
        std::memcpy(pixels.row(i), x.pixels.row(from_y * x.width + from_x), row_bytes);
      }
      run(context, workspace, pixels.row_range(0, count * side * side),
          pooled.row_range(begin, count));
    }
  }
  for (int64_t i = 0; i < out.rows; ++i) {
    const int64_t y = i / x.width, first_y = std::max<int64_t>(0, y - side + 1);
    const int64_t c = i % x.width, first_x = std::max<int64_t>(0, c - side + 1);
    const int64_t last_y = std::min(y, down - 1), last_x = std::min(c, across - 1);
    std::fill_n(out.row(i), out.cols, 0.0f);
    for (int64_t top = std::min(first_y, last_y); top <= last_y; ++top)
      for (int64_t left = std::min(first_x, last_x); left <= last_x; ++left)
        add_direction(pooled.row(top * across + left), {out.row(i), static_cast<size_t>(out.cols)});
  }
}

}  // namespace openclip
