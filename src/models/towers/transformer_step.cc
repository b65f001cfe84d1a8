// A transformer's blocks one token at a time, for text that is being written.
#include "models/towers/transformer.h"

namespace openclip {

void Transformer::key_values(const Context& context, int64_t index, ConstMatrix normed,
                             Matrix kv) const {
  linear(context, normed, blocks_[static_cast<size_t>(index)].kv, kv);
}

void Transformer::attend_block(const Context& context, Workspace& workspace, int64_t index,
                               Matrix x, ConstMatrix kv,
                               std::span<const AttentionSpan> spans) const {
  const Block& block = blocks_[static_cast<size_t>(index)];
  const int64_t width = config_.width;
  const Workspace::Frame frame(workspace);
  const Matrix hidden = workspace.take(x.rows, width);
  const Matrix q = workspace.take(x.rows, width);
  block.ln_1.apply(context, x, hidden);
  linear(context, hidden, block.q, q);
  attention(context, workspace, q, kv.columns(0, width), kv.columns(width, width), spans,
            {.heads = config_.heads}, hidden);
  finish_block(context, workspace, block, hidden, x);
}

void Transformer::step_block(const Context& context, Workspace& workspace, int64_t index, Matrix x,
                             std::span<const int64_t> sequences,
                             const std::vector<bool>& sees_itself, KeyValueCache& cache) const {
  {
    const Workspace::Frame frame(workspace);
    const Matrix hidden = workspace.take(x.rows, config_.width);
    const Matrix kv = workspace.take(x.rows, 2 * config_.width);
    blocks_[static_cast<size_t>(index)].ln_1.apply(context, x, hidden);
    key_values(context, index, hidden, kv);
    cache.store(index, sequences, kv);
  }
  attend_block(context, workspace, index, x, cache.block(index),
               cache.spans(sequences, sees_itself));
}

}  // namespace openclip
