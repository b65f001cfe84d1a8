// The last block of a vision transformer, read for features of places.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "models/towers/transformer.h"
#include "tensor/split.h"

namespace openclip {
namespace {

// Standard deviation of the neighbourhood, in patches, as NACLIP has it.
constexpr double kNeighbourhood = 5;

// w[d] = exp(-d^2 / (2 5^2)) for distances along one axis; the plane's weight is the product.
std::vector<float> gaussian(int64_t count) {
  std::vector<float> weights(static_cast<size_t>(count));
  for (int64_t d = 0; d < count; ++d)
    weights[static_cast<size_t>(d)] = static_cast<float>(
        std::exp(-static_cast<double>(d * d) / (2 * kNeighbourhood * kNeighbourhood)));
  return weights;
}

// One query of one head: out = softmax(q k^T scale + w) v. scores: as many floats as keys.
struct NeighbourhoodQuery {
  const DenseGrid& grid;
  const std::vector<float>&down, &across;
  int64_t place;  // of the query, prefix not counted; negative: a prefix token, without w

  float bias(int64_t key) const {
    key -= grid.prefix;
    if (key < 0 || place < 0) return 0;
    const int64_t dy = std::abs(key / grid.cols - place / grid.cols);
    const int64_t dx = std::abs(key % grid.cols - place % grid.cols);
    return down[static_cast<size_t>(dy)] * across[static_cast<size_t>(dx)];
  }
};

void attend(const NeighbourhoodQuery& query, const float* q, ConstMatrix k, ConstMatrix v,
            float scale, float* scores, float* out) {
  float most = -INFINITY;
  for (int64_t j = 0; j < k.rows; ++j) {
    float sum = 0;
    for (int64_t c = 0; c < k.cols; ++c) sum += q[c] * k.row(j)[c];
    scores[j] = sum * scale + query.bias(j);
    most = std::max(most, scores[j]);
  }
  std::fill_n(out, v.cols, 0.0f);
  float total = 0;
  for (int64_t j = 0; j < k.rows; ++j) {
    const float weight = std::exp(scores[j] - most);
    total += weight;
    for (int64_t c = 0; c < v.cols; ++c) out[c] += weight * v.row(j)[c];
  }
  for (int64_t c = 0; c < v.cols; ++c) out[c] /= total;
}

// Attention of the keys among themselves with a weight for near patches. The kernel has no room for
// an additive weight, and this way of reading is not the default, so it is written plainly.
void neighbourhood_attention(const Context& context, const DenseGrid& grid, int64_t heads,
                             ConstMatrix k, ConstMatrix v, Matrix out) {
  const std::vector<float> down = gaussian(grid.rows), across = gaussian(grid.cols);
  const int64_t dim = k.cols / heads;
  const float scale = 1.0f / std::sqrt(static_cast<float>(dim));
  for_rows(context, k.rows, k.rows * k.cols, [&](int64_t begin, int64_t count) {
    std::vector<float> scores(static_cast<size_t>(k.rows));
    for (int64_t i = begin; i < begin + count; ++i)
      for (int64_t h = 0; h < heads; ++h)
        attend({grid, down, across, i - grid.prefix}, k.columns(h * dim, dim).row(i),
               k.columns(h * dim, dim), v.columns(h * dim, dim), scale, scores.data(),
               out.columns(h * dim, dim).row(i));
  });
}

void add(ConstMatrix x, Matrix to) {
  for (int64_t i = 0; i < x.rows; ++i)
    for (int64_t c = 0; c < x.cols; ++c) to.row(i)[c] += x.row(i)[c];
}

}  // namespace

void Transformer::run_dense(const Context& context, Workspace& workspace, Matrix x,
                            const DenseGrid& grid, DenseReading reading, Matrix out) const {
  if (reading == DenseReading::pooled)
    throw Unsupported(
        "a transformer is read densely as clearclip, naclip, sclip or values; "
        "'pooled' is for ResNets");
  const auto tokens = static_cast<size_t>(x.rows);
  const AttentionSpan all{0, tokens, 0, tokens};
  const std::span<const AttentionSpan> spans(&all, 1);
  for (size_t i = 0; i + 1 < blocks_.size(); ++i)
    run_block(context, workspace, blocks_[i], x, spans);

  const Block& last = blocks_.back();
  const int64_t width = config_.width;
  const Workspace::Frame frame(workspace);
  const Matrix hidden = workspace.take(x.rows, width), attended = workspace.take(x.rows, width);
  const Matrix q = workspace.take(x.rows, width), kv = workspace.take(x.rows, 2 * width);
  const Matrix k = kv.columns(0, width), v = kv.columns(width, width);
  last.ln_1.apply(context, x, hidden);
  linear(context, hidden, last.kv, kv);
  if (reading != DenseReading::values && reading != DenseReading::naclip)
    linear(context, hidden, last.q, q);
  const AttentionOptions options{config_.heads};
  ConstMatrix result = attended;
  switch (reading) {
    case DenseReading::naclip:
      neighbourhood_attention(context, grid, config_.heads, k, v, attended);
      break;
    case DenseReading::values:
      result = v;
      break;
    case DenseReading::sclip:
      attention(context, workspace, q, q, v, spans, options, attended);
      attention(context, workspace, k, k, v, spans, options, hidden);
      add(hidden, attended);
      break;
    default:
      attention(context, workspace, q, q, v, spans, options, attended);
  }
  if (reading != DenseReading::sclip)
    return linear(context, result.row_range(grid.prefix, grid.places()), last.out_proj, out);
  finish_block(context, workspace, last, attended, x);
  for (int64_t i = 0; i < grid.places(); ++i)
    std::memcpy(out.row(i), x.row(grid.prefix + i), sizeof(float) * static_cast<size_t>(width));
}

}  // namespace openclip
