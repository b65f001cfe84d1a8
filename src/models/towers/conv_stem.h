// Patches of 16 pixels by three convolutions that do not overlap. Part of rank 4. Source: timm
// vision_transformer_hybrid.py, vit_base_mci_224 (MobileCLIP-B).
#pragma once

#include "models/towers/weights.h"
#include "tensor/conv.h"
#include "tensor/workspace.h"

namespace openclip {

/// gelu(4x4 convolution) -> gelu(2x2) -> 2x2, each as far apart as it is wide; the BatchNorms of
/// the first two are folded.
class ConvStem {
 public:
  ConvStem(const Context& context, const Weights& weights);

  /// pixels: [count, 3, size, size]; patches: [count * (size / 16)^2, width].
  void run(const Context& context, Workspace& workspace, const float* pixels, int64_t size,
           int64_t count, Matrix patches) const;

 private:
  Linear first_, second_, third_;
};

}  // namespace openclip
