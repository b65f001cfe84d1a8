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

 private:
  struct Bottleneck {
    Linear conv1, conv2, conv3;
    std::optional<Linear> downsample;
    int64_t stride = 1;
  };

  void encode_chunk(const Context& context, Workspace& workspace, const float* pixels,
                    Matrix out) const override;
  Images stem(const Context& context, Workspace& workspace, const float* pixels,
              int64_t count) const;
  /// Writes to `out`, which has the block's output size.
  void run(const Context& context, Workspace& workspace, const Bottleneck& block, const Images& x,
           const Images& out) const;

  VisionConfig config_;
  Linear stem1_, stem2_, stem3_;
  std::vector<Bottleneck> blocks_;
  AttentionPool pool_;
};

}  // namespace openclip
