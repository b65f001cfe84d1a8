// The blocks of timm's Eva trunks. Part of rank 4.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/context.h"
#include "models/config/model_config.h"
#include "models/towers/rope.h"
#include "models/towers/transformer.h"
#include "models/towers/weights.h"
#include "tensor/attention.h"
#include "tensor/workspace.h"

namespace openclip {

/// x += attn(norm1(x)); x += mlp(norm2(x)), or with post_norm x += norm1(attn(x)) and so on;
/// rotary positions, SwiGLU and further norms as the config says. Immutable.
/// Source: timm eva.py, EvaBlock, EvaBlockPostNorm, EvaAttention; attention.py, AttentionRope.
class EvaBlocks {
 public:
  /// prefix: of the keys, before the block's number: "visual.trunk.blocks.".
  EvaBlocks(const Context& context, const Weights& weights, const std::string& prefix,
            const VisionConfig& config);

  /// Runs all blocks in place, or the first `count`. x: [images * tokens, width]; spans: the rows
  /// of each image.
  void run(const Context& context, Workspace& workspace, Matrix x,
           std::span<const AttentionSpan> spans, int64_t count = Transformer::kAllBlocks) const;

  /// The same, and the rows pooled[i] of it in `out`. Destroys x.
  void run_pooled(const Context& context, Workspace& workspace, Matrix x,
                  std::span<const AttentionSpan> spans, std::span<const int64_t> pooled,
                  Matrix out) const;

 private:
  struct Block {
    NormWeights norm_1, norm_2;
    std::optional<NormWeights> attention_norm{}, mlp_norm{};
    Linear q{}, k{}, v{}, proj{}, fc1{}, gate{}, fc2{};  // gate: of SwiGLU
  };

  Block load(const Context& context, const Weights& weights, const std::string& name) const;
  void run_block(const Context& context, Workspace& workspace, const Block& block, Matrix x,
                 std::span<const AttentionSpan> spans) const;
  /// out = x + norm(proj(attention)), norm only with post_norm. `normed`: norm_1(x) or x.
  void attend(const Context& context, Workspace& workspace, const Block& block,
              std::span<const AttentionSpan> spans, ConstMatrix normed, Matrix x) const;
  void feed_forward(const Context& context, Workspace& workspace, const Block& block,
                    ConstMatrix normed, Matrix x) const;
  /// x += norm(linear(y)) with post_norm, else x += linear(y).
  void add_branch(const Context& context, Workspace& workspace, const Linear& linear,
                  const NormWeights& norm, ConstMatrix y, Matrix x) const;

  VisionConfig config_;
  std::optional<RopeTable> rope_;
  std::vector<Block> blocks_;
};

}  // namespace openclip
