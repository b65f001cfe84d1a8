// The residual attention blocks that the image and the text tower share. Part of rank 4.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/context.h"
#include "models/config/model_config.h"
#include "models/config/vit_keys.h"
#include "models/dense.h"
#include "models/towers/key_value_cache.h"
#include "models/towers/single_query.h"
#include "models/towers/token_tree.h"
#include "models/towers/weights.h"
#include "tensor/attention.h"
#include "tensor/linear.h"
#include "tensor/workspace.h"

namespace openclip {

/// The kernel's name of a config's activation.
UnaryOp unary_op(Activation activation);

/// Weight and bias of a LayerNorm.
struct NormWeights {
  Tensor weight, bias;
  float eps = 1e-5f;

  static NormWeights load(const Context& context, const Weights& weights, const std::string& name,
                          float eps);
  void apply(const Context& context, ConstMatrix x, Matrix out) const;
};

struct TransformerConfig {
  std::string prefix;  // of the keys, before the block's number: "visual.transformer.resblocks."
  const BlockKeys& keys = kOpenClipBlock;
  int64_t width = 0, heads = 1, layers = 0, mlp_width = 0;
  bool layer_scale = false;  // folded into out_proj and c_proj
  bool causal = false;
  bool pooled = false;  // whether run_pooled() or run_tree() is called
  Activation activation = Activation::gelu;
  float norm_eps = 1e-5f;
};

/// Where the patches of one picture lie: `prefix` other tokens, then rows * cols patches.
struct DenseGrid {
  int64_t rows = 0, cols = 0, prefix = 0;

  int64_t places() const { return rows * cols; }
};

/// x += ls_1(attn(ln_1(x))); x += ls_2(mlp(ln_2(x))) for each block, over packed sequences.
/// Source: open_clip transformer.py ResidualAttentionBlock. Immutable.
class Transformer {
 public:
  Transformer(const Context& context, const Weights& weights, const TransformerConfig& config);

  /// Runs all blocks in place, or the first `blocks`. x: [tokens, width], the sequences one after
  /// the other; spans: the rows of each, queries and keys alike.
  void run(const Context& context, Workspace& workspace, Matrix x,
           std::span<const AttentionSpan> spans, int64_t blocks = kAllBlocks) const;
  static constexpr int64_t kAllBlocks = INT64_MAX;

  /// As run(), but computes in the last block only what row pooled[i] of sequence i needs, which is
  /// exact but for rounding (single_query.h): no other row is read after it. Destroys x. A causal
  /// sequence must end at its pooled row. out: [spans.size(), width], the pooled rows.
  void run_pooled(const Context& context, Workspace& workspace, Matrix x,
                  std::span<const AttentionSpan> spans, std::span<const int64_t> pooled,
                  Matrix out) const;

  /// As run_pooled() for the texts of a prefix tree, whose last tokens are pooled; the blocks must
  /// be causal. x: [tree.ids.size(), width]. out: [tree.last_rows.size(), width].
  void run_tree(const Context& context, Workspace& workspace, Matrix x, const TokenTree& tree,
                Matrix out) const;

  /// As run_pooled() where the pooled rows see other keys than the rest: pooled_spans[i] is the
  /// one query pooled[i]. spans: of all blocks but the last.
  void run_pooled(const Context& context, Workspace& workspace, Matrix x,
                  std::span<const AttentionSpan> spans, std::span<const int64_t> pooled,
                  std::span<const AttentionSpan> pooled_spans, Matrix out) const;

  int64_t block_count() const { return static_cast<int64_t>(blocks_.size()); }

  /// Block number `index` for one more token of each of `sequences`: x [sequences.size(), width],
  /// in place. The token's keys and values are stored in the cache's block `index`; sees_itself:
  /// whether the token attends to them.
  void step_block(const Context& context, Workspace& workspace, int64_t index, Matrix x,
                  std::span<const int64_t> sequences, const std::vector<bool>& sees_itself,
                  KeyValueCache& cache) const;

  /// What rows that are normed already are as keys and values of block `index`: kv [rows, keys |
  /// values], [rows, 2 * width].
  void key_values(const Context& context, int64_t index, ConstMatrix normed, Matrix kv) const;

  /// Block number `index` where x, in place, attends to kv as key_values() makes it.
  void attend_block(const Context& context, Workspace& workspace, int64_t index, Matrix x,
                    ConstMatrix kv, std::span<const AttentionSpan> spans) const;

  /// Runs the blocks over one picture, the last in the way that `reading` names (models/dense.h;
  /// automatic: clearclip). x: [prefix + places, width], destroyed; out: [places, width].
  /// Throws: Unsupported for readings that are not a transformer's.
  void run_dense(const Context& context, Workspace& workspace, Matrix x, const DenseGrid& grid,
                 DenseReading reading, Matrix out) const;

 private:
  struct Block {
    NormWeights ln_1, ln_2;
    Linear q, kv, out_proj, c_fc, c_proj;
  };

  // Queries, keys and values of rows x.
  struct Projected {
    Matrix q, kv;
  };
  void project(const Context& context, Workspace& workspace, const Block& block, ConstMatrix x,
               const Projected& to) const;
  // As project() for the rows of a tree as they enter the first block.
  void project_tree(const Context& context, Workspace& workspace, ConstMatrix x,
                    const TokenTree& tree, const Projected& to) const;
  // Spans say which rows attend to which: sequences, or branches of a tree. x += what comes of it.
  template <class Spans>
  void attend(const Context& context, Workspace& workspace, const Block& block, Matrix x,
              const Projected& rows, const Spans& spans) const;
  template <class Spans>
  void run_block(const Context& context, Workspace& workspace, const Block& block, Matrix x,
                 const Spans& spans) const;
  // The last block: query i of `spans` is row pooled[i] of x, and is what `out` gets.
  template <class Spans>
  void run_last_block(const Context& context, Workspace& workspace, ConstMatrix x,
                      const Spans& spans, std::span<const int64_t> pooled, Matrix out) const;
  void finish_block(const Context& context, Workspace& workspace, const Block& block,
                    ConstMatrix attended, Matrix x) const;

  TransformerConfig config_;
  std::vector<Block> blocks_;
  std::optional<SingleQueryAttention> pooled_query_;  // of the last block, where it is pooled
};

}  // namespace openclip
