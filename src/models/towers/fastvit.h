// timm's FastViT, the image towers of MobileCLIP. Part of rank 4. Source: timm models/fastvit.py.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "models/towers/folded_conv.h"
#include "models/towers/image_tower.h"
#include "models/towers/transformer.h"

namespace openclip {

/// Stem -> stages of [halving, positions, blocks that convolve or attend] -> widening convolution
/// -> mean over the map -> head. What timm trains as sums of branches with BatchNorm is one
/// convolution here (FoldedConv), layer scales are folded into what they follow. Maps are
/// channels-last.
class FastVitTower final : public ImageTower {
 public:
  FastVitTower(const Context& context, const Weights& weights, const ModelConfig& config);

 private:
  /// x * sigmoid(fc2(relu(fc1(mean of x)))), for each image.
  struct Squeeze {
    Linear fc1, fc2;
  };
  /// x + fc2(gelu(fc1(depthwise(x)))).
  struct Mlp {
    DepthwiseWeights depthwise;
    Linear fc1, fc2;
  };
  struct Attention {
    std::optional<NormWeights> norm;  // absent: a BatchNorm, folded into the three
    Linear q, k, v, proj;
  };
  struct Block {
    std::variant<DepthwiseWeights, Attention> mixer;
    Mlp mlp;
  };
  struct Stage {
    std::optional<DepthwiseWeights> halving;  // stride 2; absent in the first stage
    std::optional<Squeeze> squeeze;
    Linear enter;  // 1x1, after the halving
    std::optional<DepthwiseWeights> positions;
    std::vector<Block> blocks;
  };

  Squeeze load_squeeze(const Context& context, const Weights& weights,
                       const std::string& name) const;
  Attention load_attention(const Context& context, const Weights& weights,
                           const std::string& block) const;
  Block load_block(const Context& context, const Weights& weights, const std::string& name,
                   const FastVitConfig::Stage& config) const;
  Stage load_stage(const Context& context, const Weights& weights, size_t index) const;

  void encode_chunk(const Context& context, Workspace& workspace, const float* pixels,
                    Matrix out) const override;
  Images stem(const Context& context, Workspace& workspace, const float* pixels,
              int64_t count) const;
  Images run(const Context& context, Workspace& workspace, const Stage& stage, const Images& x,
             int64_t width) const;
  void squeeze(const Context& context, Workspace& workspace, const Squeeze& squeeze,
               const Images& x) const;
  void attend(const Context& context, Workspace& workspace, const Attention& attention,
              const Images& x) const;
  void feed_forward(const Context& context, Workspace& workspace, const Mlp& mlp,
                    const Images& x) const;

  VisionConfig config_;
  Linear stem_conv_, stem_mix_;
  DepthwiseWeights stem_halving_;
  std::vector<Stage> stages_;
  DepthwiseWeights final_conv_;
  Squeeze final_squeeze_;
  Linear head_;
};

}  // namespace openclip
