// OpenAI's ModifiedResNet. Part of rank 4. Source: open_clip modified_resnet.py.
#pragma once

#include <string>
#include <vector>

#include "models/towers/attention_pool.h"
#include "models/towers/image_tower.h"
#include "tensor/conv.h"

namespace openclip {

/// Stem of three convolutions, four stages of bottlenecks, attention pooling.
class ResNetTower final : public ImageTower {
 public:
  ResNetTower(const Context& context, const Weights& weights, const VisionConfig& config);

  int64_t dense_stride() const override { return 32; }

 private:
  struct Bottleneck {
    Linear conv1, conv2, conv3;
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
  Linear stem1_, stem2_, stem3_;
  std::vector<Bottleneck> blocks_;
  AttentionPool pool_;
};

}  // namespace openclip
