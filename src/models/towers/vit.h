// The vision transformer. Part of rank 4. Source: open_clip transformer.py VisionTransformer, timm
// vision_transformer.py VisionTransformer.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "kernels/images.h"
#include "models/towers/attentional_pool.h"
#include "models/towers/conv_stem.h"
#include "models/towers/eva_blocks.h"
#include "models/towers/image_tower.h"
#include "models/towers/latent_pool.h"
#include "models/towers/transformer.h"

namespace openclip {

/// Patches -> [class token; patches] + positions -> ln_pre -> blocks -> ln_post and pool -> proj.
/// open_clip's own and timm's (Eva's but for its blocks) are the same function with other key
/// names; which of the parts are there is the config's.
class VitTower final : public ImageTower {
 public:
  VitTower(const Context& context, const Weights& weights, const VisionConfig& config);

  int64_t tokens() const override { return tokens_; }
  int64_t dense_stride() const override {
    return std::holds_alternative<Transformer>(blocks_) && !stem_ ? config_.patch_size : 0;
  }

 private:
  void encode_chunk(const Context& context, Workspace& workspace, const float* pixels,
                    Matrix out) const override;
  void encode_tokens_chunk(const Context& context, Workspace& workspace, const float* pixels,
                           const TokenStates& states, Matrix out) const override;
  /// x [count * tokens, width] = class token and patches of each image, plus positions, ln_pre.
  void embed(const Context& context, Workspace& workspace, const float* pixels, int64_t count,
             Matrix x) const;
  int64_t caption_tokens() const override;
  void encode_caption_chunk(const Context& context, Workspace& workspace, const float* pixels,
                            Matrix out) const override;
  /// The pooled tokens of CoCa's attention pooling.
  void pool_attention(const Context& context, Workspace& workspace, ConstMatrix x,
                      Matrix out) const;
  /// Runs the blocks in place, or the first `count`.
  void run_blocks(const Context& context, Workspace& workspace, Matrix x,
                  int64_t count = Transformer::kAllBlocks) const;
  /// Each image attends to its own tokens.
  std::vector<AttentionSpan> spans_of(int64_t count) const;
  void encode_places(const Context& context, Workspace& workspace, const DenseInput& input,
                     Matrix out) const override;
  /// The second half of embed(), of pictures of any size, with positions of their number.
  void place(const Context& context, ConstMatrix patches, ConstMatrix positions, Matrix x) const;
  /// out [count, width]: the pooled tokens after the blocks and ln_post.
  void pool(const Context& context, Workspace& workspace, Matrix x, Matrix out) const;
  void pool_average(const Context& context, int64_t count, Matrix x, Matrix out) const;

  VisionConfig config_;
  int64_t tokens_;                // of one image, class token included
  int64_t prefix_;                // 1 with a class token, else 0
  std::optional<ConvStem> stem_;  // makes the patches, in place of patches_
  Linear patches_;
  Tensor positions_;  // [tokens, width], the class token added to row 0
  std::optional<NormWeights> ln_pre_;
  NormWeights ln_post_;
  std::variant<Transformer, EvaBlocks> blocks_;
  std::optional<LatentPool> latent_pool_;
  std::optional<AttentionalPool> attentional_pool_;
  std::optional<Linear> proj_;
};

}  // namespace openclip
