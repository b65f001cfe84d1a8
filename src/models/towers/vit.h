// The vision transformer. Part of rank 4. Source: open_clip transformer.py VisionTransformer.
#pragma once

#include "models/towers/image_tower.h"
#include "models/towers/transformer.h"

namespace openclip {

/// Patches -> [class token; patches] + positions -> ln_pre -> blocks -> ln_post and pool -> proj.
class VitTower final : public ImageTower {
 public:
  VitTower(const Context& context, const Weights& weights, const VisionConfig& config);

 private:
  void encode_chunk(const Context& context, Workspace& workspace, const float* pixels,
                    Matrix out) const override;
  /// x [count * tokens, width] = class token and patches of each image, plus positions, ln_pre.
  void embed(const Context& context, Workspace& workspace, const float* pixels, int64_t count,
             Matrix x) const;
  /// out [count, width]: ln_post and the mean over the patches, in the order the config asks for.
  void pool_average(const Context& context, int64_t count, Matrix x, Matrix out) const;

  VisionConfig config_;
  int64_t tokens_;  // of one image, class token included
  Linear patches_;
  Tensor positions_;  // [tokens, width], the class token added to row 0
  std::optional<NormWeights> ln_pre_;
  NormWeights ln_post_;
  Transformer blocks_;
  Linear proj_;
};

}  // namespace openclip
