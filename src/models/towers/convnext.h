// timm's ConvNeXt under open_clip's projection. Part of rank 4. Source: timm models/convnext.py,
// open_clip timm_model.py.
#pragma once

#include <vector>

#include "kernels/images.h"
#include "models/towers/image_tower.h"
#include "models/towers/transformer.h"
#include "tensor/conv.h"

namespace openclip {

/// Stem -> four stages of [norm and 2x2 convolution, blocks] -> mean over the map -> norm -> head.
/// Maps are channels-last [height * width, channels], so that everything but the depthwise
/// convolution is a packed product.
class ConvNextTower final : public ImageTower {
 public:
  ConvNextTower(const Context& context, const Weights& weights, const ModelConfig& config);

  int64_t dense_stride() const override { return 32; }

 private:
  /// x += gamma * fc2(gelu(fc1(norm(depthwise(x))))); gamma is folded into fc2.
  struct Block {
    DepthwiseWeights depthwise;
    NormWeights norm;
    Linear fc1, fc2;
  };
  struct Stage {
    NormWeights norm;   // before the convolution; of the stem: after it
    Linear downsample;  // 2x2 convolution, stride 2; of the first stage: the stem, 4x4 patches
    std::vector<Block> blocks;
  };

  void encode_chunk(const Context& context, Workspace& workspace, const float* pixels,
                    Matrix out) const override;
  void encode_places(const Context& context, Workspace& workspace, const DenseInput& input,
                     Matrix out) const override;
  /// Patches of 4 x 4 pixels to the map before the mean, a 32nd of the size.
  Images trunk(const Context& context, Workspace& workspace, const kernels::PatchRows& patches,
               const Images& first) const;
  /// Norm and projection of pooled rows, which are written over.
  void head(const Context& context, Workspace& workspace, Matrix pooled, Matrix out) const;
  /// x: what the stage before left; its place may be written over. out: the stage's first map.
  void enter(const Context& context, const Stage& stage, const Images& x, const Images& out) const;
  void run(const Context& context, Workspace& workspace, const Block& block, const Images& x) const;

  VisionConfig config_;
  std::vector<Stage> stages_;
  NormWeights head_norm_;
  std::optional<Linear> head_hidden_;
  Linear head_;
};

}  // namespace openclip
