// OpenAI's ModifiedResNet. Part of rank 4. Source: open_clip modified_resnet.py.
#pragma once

#include <string>
#include <vector>

#include "models/towers/attention_pool.h"
#include "models/towers/image_tower.h"
#include "tensor/conv.h"

namespace openclip {

/// A convolution without bias and the BatchNorm after it, folded into one: with s = weight /
/// sqrt(running_var + eps), the weights become W * s and the bias becomes bias - running_mean * s.
/// The kernel's columns are turned from torch's (channel, y, x) to (y, x, channel).
Linear load_conv_bn(const Context& context, const Weights& weights, const std::string& conv,
                    const std::string& batch_norm, Precision precision);

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
