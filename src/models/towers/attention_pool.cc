#include "models/towers/attention_pool.h"

#include <cstring>

#include "tensor/attention.h"

namespace openclip {

AttentionPool::AttentionPool(const Context& context, const Weights& weights,
                             const std::string& name, int64_t heads)
    : heads_(heads),
      positions_(weights.tensor(context, name + ".positional_embedding")),
      q_(weights.linear(context, name + ".q_proj")),
      k_(weights.linear(context, name + ".k_proj")),
      v_(weights.linear(context, name + ".v_proj")),
      c_(weights.linear(context, name + ".c_proj")) {}

void AttentionPool::run(const Context& context, Workspace& workspace, ConstMatrix x,
                        Matrix out) const {
  const ConstMatrix positions = positions_.matrix();
  const int64_t count = out.rows, tokens = positions.rows, channels = positions.cols;
  const Workspace::Frame frame(workspace);
  const Matrix all = workspace.take(count * tokens, channels);
  const Matrix first = workspace.take(count, channels);
  std::vector<AttentionSpan> spans;
  for (int64_t i = 0; i < count; ++i) {
    const Matrix own = all.row_range(i * tokens, tokens);
    const ConstMatrix pixels = x.row_range(i * (tokens - 1), tokens - 1);
    kernels::mean_of_rows(pixels, own.row(0));
    kernels::add_rows(ConstMatrix(own.row_range(0, 1)), positions, own.row_range(0, 1));
    kernels::add_rows(pixels, positions.row_range(1, tokens - 1), own.row_range(1, tokens - 1));
    std::memcpy(first.row(i), own.row(0), static_cast<size_t>(channels) * sizeof(float));
    spans.push_back(
        {static_cast<size_t>(i), 1, static_cast<size_t>(i * tokens), static_cast<size_t>(tokens)});
  }
  const Matrix q = workspace.take(count, channels);
  const Matrix k = workspace.take(count * tokens, channels);
  const Matrix v = workspace.take(count * tokens, channels);
  linear(context, first, q_, q);
  linear(context, all, k_, k);
  linear(context, all, v_, v);
  attention(context, workspace, q, k, v, spans, {heads_, false}, first);
  linear(context, first, c_, out);
}

}  // namespace openclip
