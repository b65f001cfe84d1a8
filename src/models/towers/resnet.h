// OpenAI's ModifiedResNet. Part of rank 4. Source: open_clip modified_resnet.py.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "models/towers/attention_pool.h"
#include "models/towers/folded_conv.h"
#include "models/towers/image_tower.h"
#include "tensor/conv.h"

namespace openclip {

/// Stem of three convolutions, four stages of bottlenecks, attention pooling.
class ResNetTower final : public ImageTower {
 public:
  ResNetTower(const Context& context, const Weights& weights, const VisionConfig& config);

  int64_t dense_stride() const override { return 32; }

 private:
  /// 3x3, stride 1, with the BatchNorm folded in and ReLU after it: in f32 by Winograd's algorithm.
  using Conv3x3 = std::variant<Linear, WinogradWeights>;
  static Conv3x3 load_conv3x3(const FoldedConv& conv, Precision precision);
  static void conv3x3(const Context& context, Workspace& workspace, const Images& x,
                      const Conv3x3& weights, const Images& out);

  struct Bottleneck {
    Linear conv1;
    Conv3x3 conv2;
    Linear conv3;
    std::optional<Linear> downsample;
    int64_t stride = 1;
  };

  void encode_chunk(const Context& context, Workspace& workspace, const float* pixels,
                    Matrix out) const override;
  void encode_places(const Context& context, Workspace& workspace, const DenseInput& input,
                     Matrix out) const override;
  /// Pictures as preprocessing makes them, [count, 3, height, width].
  struct Pixels {
    const float* data;
    int64_t count, height, width;
  };
  /// The map before the pool, a 32nd of the size.
  Images trunk(const Context& context, Workspace& workspace, const Pixels& pixels) const;
  Images stem(const Context& context, Workspace& workspace, const Pixels& pixels) const;
  /// Writes to `out`, which has the block's output size.
  void run(const Context& context, Workspace& workspace, const Bottleneck& block, const Images& x,
           const Images& out) const;

  VisionConfig config_;
  Linear stem1_;
  Conv3x3 stem2_, stem3_;
  std::vector<Bottleneck> blocks_;
  AttentionPool pool_;
};

}  // namespace openclip
