#include "models/towers/image_tower.h"

#include <algorithm>

#include "models/towers/convnext.h"
#include "models/towers/resnet.h"
#include "models/towers/vit.h"

namespace openclip {

std::unique_ptr<ImageTower> ImageTower::load(const Context& context, const Weights& weights,
                                             const ModelConfig& config) {
  if (config.vision.convnext) return std::make_unique<ConvNextTower>(context, weights, config);
  if (config.vision.is_resnet)
    return std::make_unique<ResNetTower>(context, weights, config.vision);
  return std::make_unique<VitTower>(context, weights, config.vision);
}

void ImageTower::encode(const Context& context, const float* pixels, Matrix out) const {
  const WorkspacePool::Lease workspace = workspaces_.borrow();
  for (int64_t begin = 0; begin < out.rows; begin += chunk_) {
    const Workspace::Frame frame(*workspace);
    encode_chunk(context, *workspace, pixels + begin * 3 * size_ * size_,
                 out.row_range(begin, std::min(chunk_, out.rows - begin)));
  }
}

void ImageTower::encode_tokens(const Context& context, const float* pixels,
                               const TokenStates& states, Matrix out) const {
  if (tokens() == 0) throw Internal("[image_tower] this tower has no tokens");
  const WorkspacePool::Lease workspace = workspaces_.borrow();
  const int64_t count = out.rows / tokens();
  for (int64_t begin = 0; begin < count; begin += chunk_) {
    const Workspace::Frame frame(*workspace);
    encode_tokens_chunk(
        context, *workspace, pixels + begin * 3 * size_ * size_, states,
        out.row_range(begin * tokens(), std::min(chunk_, count - begin) * tokens()));
  }
}

void ImageTower::encode_tokens_chunk(const Context&, Workspace&, const float*, const TokenStates&,
                                     Matrix) const {
  throw Internal("[image_tower] this tower has no tokens");
}

}  // namespace openclip
